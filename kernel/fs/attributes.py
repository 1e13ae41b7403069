"""Changing what stat shows of a file: chmod(2), chown(2), utimensat(2), and the bits that a change takes away.

The checks are those of Linux's fs/attr.c. What the host has keeps its mode and times, and all that lies
on its mounts its owner: EPERM, since it could not be carried out to the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.credentials import CAP_CHOWN, CAP_FOWNER, CAP_FSETID, NOBODY
from kernel.errno import EACCES, EOPNOTSUPP, EPERM, EROFS, SysError
from kernel.fs import access
from kernel.fs import inode as inodes
from kernel.fs.constants import F_SEAL_EXEC, S_IFMT, S_ISGID, S_ISUID, S_IXGRP, W_OK
from kernel.fs.proc import numbers as proc

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel

DAY = 86_400_000_000_000  # ns


def owns(cred: Cred, inode: Inode) -> bool:
    """May the caller change what only the owner may?"""
    return cred.fsuid == inode.uid or cred.can(CAP_FOWNER)


def chmod(k: Kernel, cred: Cred, inode_id: int, mode: int) -> None:
    """Sets the permission bits. Raises EROFS, EOPNOTSUPP (a symbolic link), EPERM."""
    inode = _changeable(k, inode_id)
    if inode.is_symlink():
        raise SysError(EOPNOTSUPP)
    if not owns(cred, inode) or inode.source:
        raise SysError(EPERM)
    if inode.seals & F_SEAL_EXEC and (inode.mode ^ mode) & 0o111:
        raise SysError(EPERM)
    if not cred.in_group(inode.gid) and not cred.can(CAP_FSETID):
        mode &= ~S_ISGID
    inode.mode = inode.mode & S_IFMT | mode & 0o7777
    inode.changed = inodes.now(k)


def chown(k: Kernel, cred: Cred, inode_id: int, uid: int, gid: int) -> None:
    """Sets owner and group (NOBODY: leaves it), and takes set-user-ID and set-group-ID away. Raises EROFS, EPERM."""
    inode = _changeable(k, inode_id)
    uid, gid = (inode.uid if uid == NOBODY else uid), (inode.gid if gid == NOBODY else gid)
    mode = inode.mode if inode.is_directory() else _without_set_id(cred, inode)
    mine = cred.fsuid == inode.uid
    may = uid == inode.uid and (gid == inode.gid or (mine and cred.in_group(gid)))
    if not (may or cred.can(CAP_CHOWN)) or (mode != inode.mode and not owns(cred, inode)):
        raise SysError(EPERM)
    if k.mounts.peek(inode.mount).host >= 0 and (uid, gid) != (inode.uid, inode.gid):
        raise SysError(EPERM)
    inode.uid, inode.gid, inode.mode = uid, gid, mode
    inode.changed = inodes.now(k)


def set_times(k: Kernel, cred: Cred, inode_id: int, times: tuple[int | None, int | None] | None) -> None:
    """Sets access and modification time in ns (None: leaves it); no `times`: both are now, which a writer may say too.

    Raises EROFS, EACCES, EPERM.
    """
    inode = _changeable(k, inode_id)
    if not owns(cred, inode):
        if times is not None:
            raise SysError(EPERM)
        if not access.allowed(cred, inode, W_OK):
            raise SysError(EACCES)
    if inode.source and times is not None:
        raise SysError(EPERM)
    now = inodes.now(k)
    accessed, modified = (now, now) if times is None else times
    inode.accessed = inode.accessed if accessed is None else accessed
    inode.modified = inode.modified if modified is None else modified
    inode.changed = now


def accessed(k: Kernel, inode_id: int) -> None:
    """Somebody reads it: the time of access moves on as Linux's relatime has it, once after each change and once a day.

    (A hot path.)
    """
    inode = k.inodes.peek(inode_id)
    now = inodes.now(k)
    if inode.accessed > inode.modified and inode.accessed > inode.changed and now - inode.accessed < DAY:
        return
    if inode_id < proc.FIRST and not access.read_only(k, inode):
        k.inodes[inode_id].accessed = now


def strip_set_id(k: Kernel, cred: Cred, inode_id: int) -> None:
    """The contents change: what ran as the file's owner does so no more, unless CAP_FSETID changes them."""
    inode = k.inodes.peek(inode_id)
    if inode.mode & (S_ISUID | S_ISGID) and not cred.can(CAP_FSETID):
        k.inodes[inode_id].mode = _without_set_id(cred, inode)


def _without_set_id(cred: Cred, inode: Inode) -> int:
    """setattr_should_drop_suidgid(): a set-group-ID bit without the group's x stays only for members of the group."""
    mode = inode.mode & ~S_ISUID
    if mode & S_IXGRP or not (cred.in_group(inode.gid) or cred.can(CAP_FSETID)):
        mode &= ~S_ISGID
    return mode


def _changeable(k: Kernel, inode_id: int) -> Inode:
    inode = k.inodes.peek(inode_id)
    if access.read_only(k, inode):
        raise SysError(EROFS)
    if inode_id >= proc.FIRST:
        raise SysError(EPERM)
    return k.inodes[inode_id]
