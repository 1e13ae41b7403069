"""From a path to an open file: open(2). The order of the checks is that of Linux's fs/namei.c and fs/open.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EOPNOTSUPP, SysError
from kernel.fs import access, attributes, busy, directory, fifo, file, naming, path, regular
from kernel.fs import inode as inodes
from kernel.fs.constants import (
    O_ACCMODE,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOFOLLOW,
    O_PATH,
    O_RDONLY,
    O_TMPFILE_BIT,
    O_TRUNC,
    OPEN_ONLY,
    R_OK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    W_OK,
    X_OK,
)
from kernel.fs.proc import numbers as proc

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.fs.path import Place
    from kernel.kernel import Kernel
    from kernel.task import Task


def check_flags(flags: int) -> int:
    """The flags as they will be acted on. Raises EINVAL: O_CREAT with O_DIRECTORY, O_TMPFILE to read only."""
    if flags & O_PATH:
        return flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if flags & O_TMPFILE_BIT:
        if flags & (O_DIRECTORY | O_CREAT) != O_DIRECTORY or flags & O_ACCMODE == O_RDONLY:
            raise SysError(EINVAL)
    elif flags & O_CREAT and flags & O_DIRECTORY:
        raise SysError(EINVAL)
    return flags | O_LARGEFILE


def open_path(k: Kernel, t: Task, dirfd: int, name: bytes, flags: int, mode: int) -> int:
    """Opens or creates what the path leads to; returns an open file's id. `flags` have passed check_flags().

    Raises what path.walk() does, and EEXIST, EISDIR, ENOTDIR, ELOOP, EACCES, EROFS, ENXIO, ETXTBSY, ENFILE, ENOSPC,
    EIO.
    """
    if t.pending is not None:
        return fifo.resume(k, t)
    file.check_limit(k)
    if flags & O_TMPFILE_BIT:
        return _nameless(k, t, path.resolve(k, t, name, dirfd, not flags & O_NOFOLLOW), flags, mode)
    follow = not (flags & O_NOFOLLOW or (flags & O_CREAT and flags & O_EXCL))
    place = path.walk(k, t, name, dirfd, follow, follow_slashed=not flags & O_CREAT)
    if flags & O_CREAT and place.slash and place.last not in (b".", b".."):
        raise SysError(EISDIR)  # `name/` can't be made, whatever it is now
    if place.inode is None:
        return _create(k, t, place, flags, mode)
    return _open_existing(k, t, place, place.inode, flags)


def _open_existing(k: Kernel, t: Task, place: Place, inode_id: int, flags: int) -> int:
    """Opens `inode_id`, which the walk has found at `place`."""
    _check_kind(k, place, flags)
    if not flags & O_PATH:
        _check_access(k, t.cred, inode_id, flags)
        _check_terminal(k, t, inode_id)
        _check_proc(k, t, inode_id)
    if k.inodes.peek(inode_id).mode & S_IFMT == S_IFIFO and not flags & O_PATH:
        return fifo.open_fifo(k, t, inode_id, flags)
    opened = file.add(k, inode_id, flags & ~OPEN_ONLY)
    naming.opened_by(k, inode_id, place.parent, place.name)
    if flags & O_TRUNC and inode_id < proc.FIRST and k.inodes.peek(inode_id).is_regular():
        attributes.strip_set_id(k, t.cred, inode_id)
        regular.truncate(k, inode_id, 0)
    return opened


def _check_proc(k: Kernel, t: Task, inode_id: int) -> None:
    """A file of /proc may refuse whatever its mode says. Raises EACCES, ESRCH."""
    if inode_id >= proc.FIRST:
        from kernel.fs.proc import content

        content.check_open(k, t, inode_id)


def _check_terminal(k: Kernel, t: Task, inode_id: int) -> None:
    """/dev/tty is the caller's controlling terminal. Raises ENXIO if it has none."""
    inode = k.inodes.peek(inode_id)
    if inode.mode & S_IFMT == S_IFCHR and inode.driver == "tty" and not k.groups.peek(t.tgid).tty:
        raise SysError(ENXIO)


def _create(k: Kernel, t: Task, place: Place, flags: int, mode: int) -> int:
    """A new file is open as asked for, even if its own mode would not allow it again."""
    if not flags & O_CREAT:
        raise SysError(ENOENT)
    mode &= 0o7777 & ~k.fs_structs.peek(t.fs).umask
    inode_id = directory.create(k, t.cred, place.parent, place.name, S_IFREG | mode)
    return file.add(k, inode_id, flags & ~OPEN_ONLY)


def _nameless(k: Kernel, t: Task, directory_id: int, flags: int, mode: int) -> int:
    """O_TMPFILE: a file in the directory that has no name yet. Raises ENOTDIR, ELOOP, EROFS, EACCES, EOPNOTSUPP."""
    parent = k.inodes.peek(directory_id)
    if not parent.is_directory():
        raise SysError(ENOTDIR)
    if k.mounts.peek(parent.mount).host >= 0 or directory_id >= proc.FIRST:
        raise SysError(EOPNOTSUPP)
    access.require(k, t.cred, parent, W_OK | X_OK)
    mode &= 0o7777 & ~k.fs_structs.peek(t.fs).umask
    node = directory.new_inode(k, t.cred, directory_id, S_IFREG | mode)
    node.nlink, node.linkable = 0, not flags & O_EXCL
    node.name = path.path_of(k, directory_id).rstrip(b"/") + b"/#"
    inode_id = inodes.add(k, node)
    node.name += b"%d" % inode_id
    return file.add(k, inode_id, flags & ~OPEN_ONLY)


def _check_kind(k: Kernel, place: Place, flags: int) -> None:
    assert place.inode is not None
    kind = k.inodes.peek(place.inode).mode & S_IFMT
    if flags & O_CREAT and flags & O_EXCL:
        raise SysError(EEXIST)
    if flags & O_CREAT and kind == S_IFDIR:
        raise SysError(EISDIR)
    if (flags & O_DIRECTORY or place.slash) and kind != S_IFDIR:
        raise SysError(ENOTDIR)
    if kind == S_IFLNK and not flags & O_PATH:
        raise SysError(ELOOP)


def _check_access(k: Kernel, cred: Cred, inode_id: int, flags: int) -> None:
    inode = k.inodes.peek(inode_id)
    kind = inode.mode & S_IFMT
    want = (R_OK, W_OK, R_OK | W_OK, R_OK | W_OK)[flags & O_ACCMODE] | (W_OK if flags & O_TRUNC else 0)
    if kind == S_IFDIR and want & W_OK:
        raise SysError(EISDIR)
    if inode.source and kind not in (S_IFREG, S_IFDIR):
        raise SysError(ENXIO if kind == S_IFSOCK else EACCES)  # a special file of the host is never opened
    access.require(k, cred, inode, want)
    if inode_id >= proc.FIRST:
        return
    if kind == S_IFREG and want & W_OK:
        busy.require_not_running(k, inode_id)
    if kind not in (S_IFREG, S_IFDIR, S_IFIFO) and not inode.driver:
        raise SysError(ENXIO)  # a socket, or a device that isn't there
    regular.fetch(k, inode_id)
