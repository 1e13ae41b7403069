"""System calls that make, move and remove names, and symbolic links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.credentials import CAP_DAC_READ_SEARCH, CAP_MKNOD
from kernel.errno import EBUSY, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV, SysError
from kernel.fs import access, attributes, device, directory, fdtable, path, rename
from kernel.fs.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    PATH_MAX,
    R_OK,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    S_ISGID,
    S_ISUID,
    S_ISVTX,
    S_IXGRP,
    W_OK,
)
from kernel.fs.proc import numbers as proc
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in_string, copy_out

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.fs.path import Place
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(34, "mkdirat", "dirfd", "path*", "mode")
def sys_mkdirat(k: Kernel, t: Task, dirfd: int, address: int, mode: int) -> int:
    """mkdir(2). Raises EEXIST, ENOSPC and what path.walk() and directory.create() do."""
    place = _free_place(k, t, dirfd, address, for_directory=True)
    mode &= (0o777 | S_ISVTX) & ~k.fs_structs.peek(t.fs).umask
    directory.create(k, t.cred, place.parent, place.name, S_IFDIR | mode)
    return 0


@syscall(33, "mknodat", "dirfd", "path*", "mode", "dev")
def sys_mknodat(k: Kernel, t: Task, dirfd: int, address: int, mode: int, number: int) -> int:
    """mknod(2): files, fifos, sockets; devices with CAP_MKNOD. Raises EPERM, EINVAL, EEXIST and as mkdirat."""
    kind = mode & S_IFMT or S_IFREG
    if kind == S_IFDIR:
        raise SysError(EPERM)
    if kind not in (S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK):
        raise SysError(EINVAL)
    place = _free_place(k, t, dirfd, address)
    number &= 0xFFFFFFFF
    if kind in (S_IFCHR, S_IFBLK) and not t.cred.can(CAP_MKNOD) and (kind, number) != (S_IFCHR, 0):
        raise SysError(EPERM)
    if kind != S_IFREG:
        _require_own(k, place.parent)
    mode &= 0o7777 & ~k.fs_structs.peek(t.fs).umask
    inode_id = directory.create(k, t.cred, place.parent, place.name, kind | mode)
    if kind in (S_IFCHR, S_IFBLK):
        inode = k.inodes[inode_id]
        inode.number = number
        inode.driver = device.by_number(number) if kind == S_IFCHR else ""
    return 0


@syscall(36, "symlinkat", "target*", "dirfd", "path*")
def sys_symlinkat(k: Kernel, t: Task, target: int, dirfd: int, address: int) -> int:
    """symlink(2). Raises ENOENT (an empty target) and as mkdirat."""
    text = copy_in_string(k, t, target, PATH_MAX)
    if not text:
        raise SysError(ENOENT)
    place = _free_place(k, t, dirfd, address)
    k.inodes[directory.create(k, t.cred, place.parent, place.name, S_IFLNK | 0o777)].target = text
    return 0


@syscall(78, "readlinkat", "dirfd", "path*", "buf*", "size")
def sys_readlinkat(k: Kernel, t: Task, dirfd: int, address: int, buffer: int, size: int) -> int:
    """readlink(2): up to `size` bytes, without a NUL; an empty path is the descriptor itself. Raises EINVAL, ENOENT."""
    if signed32(size) <= 0:
        raise SysError(EINVAL)
    name = copy_in_string(k, t, address, PATH_MAX)
    if name:
        inode_id = path.resolve(k, t, name, signed32(dirfd), follow=False)
    else:
        inode_id = _descriptor(k, t, dirfd)
    inode = k.inodes.peek(inode_id)
    if not inode.is_symlink():
        raise SysError(EINVAL if name else ENOENT)
    if inode_id >= proc.FIRST:
        from kernel.fs.proc import links

        links.require(k, t, inode_id)
    attributes.accessed(k, inode_id)
    text = inode.target[: signed32(size)]
    copy_out(k, t, buffer, text)
    return len(text)


@syscall(37, "linkat", "olddirfd", "oldpath*", "newdirfd", "newpath*", "flags")
def sys_linkat(k: Kernel, t: Task, olddirfd: int, old: int, newdirfd: int, new: int, flags: int) -> int:
    """link(2). Raises EXDEV, EPERM (a directory, a host's file, or one that is not the caller's to link), EEXIST...

    Like every distribution's kernel since protected_hardlinks (proc(5)): others' files only if one may write them.
    """
    flags &= 0xFFFFFFFF
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    source = _link_source(k, t, olddirfd, old, flags)
    place = _free_place(k, t, newdirfd, new)
    inode, parent = k.inodes.peek(source), k.inodes.peek(place.parent)
    if inode.mount != parent.mount:
        raise SysError(EXDEV)
    if not attributes.owns(t.cred, inode) and not _safe_to_link(k, t, inode):
        raise SysError(EPERM)
    directory.require_new(k, t.cred, place.parent)
    if inode.is_directory():
        raise SysError(EPERM)
    _require_own(k, place.parent)
    if not inode.nlink and not inode.linkable:
        raise SysError(ENOENT)
    directory.add_name(k, place.parent, place.name, source)
    return 0


def _link_source(k: Kernel, t: Task, dirfd: int, address: int, flags: int) -> int:
    name = copy_in_string(k, t, address, PATH_MAX)
    if name or not flags & AT_EMPTY_PATH:
        return path.resolve(k, t, name, signed32(dirfd), bool(flags & AT_SYMLINK_FOLLOW))
    if not t.cred.can(CAP_DAC_READ_SEARCH):
        raise SysError(ENOENT)
    return _descriptor(k, t, dirfd)


def _safe_to_link(k: Kernel, t: Task, inode: Inode) -> bool:
    """safe_hardlink_source() of fs/namei.c."""
    if not inode.is_regular() or inode.mode & S_ISUID or inode.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP:
        return False
    return access.allowed(t.cred, inode, R_OK | W_OK)


@syscall(276, "renameat2", "olddirfd", "oldpath*", "newdirfd", "newpath*", "flags")
def sys_renameat2(k: Kernel, t: Task, olddirfd: int, old: int, newdirfd: int, new: int, flags: int) -> int:
    """rename(2), RENAME_NOREPLACE and RENAME_EXCHANGE too; RENAME_WHITEOUT is EINVAL. Raises as rename.rename()."""
    flags &= 0xFFFFFFFF
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) or flags == RENAME_NOREPLACE | RENAME_EXCHANGE:
        raise SysError(EINVAL)
    names = copy_in_string(k, t, old, PATH_MAX), copy_in_string(k, t, new, PATH_MAX)
    places = [
        path.walk(k, t, name, signed32(dirfd), follow=False, follow_slashed=False, look=False)
        for name, dirfd in zip(names, (olddirfd, newdirfd), strict=True)
    ]
    rename.rename(k, t, places[0], places[1], flags)
    return 0


@syscall(35, "unlinkat", "dirfd", "path*", "flags")
def sys_unlinkat(k: Kernel, t: Task, dirfd: int, address: int, flags: int) -> int:
    """unlink(2), or rmdir(2) with AT_REMOVEDIR. Raises EINVAL, ENOENT and what directory.remove() does."""
    flags &= 0xFFFFFFFF
    if flags & ~AT_REMOVEDIR:
        raise SysError(EINVAL)
    name = copy_in_string(k, t, address, PATH_MAX)
    place = path.walk(k, t, name, signed32(dirfd), follow=False, follow_slashed=False)
    removable = _removable(k, place, bool(flags & AT_REMOVEDIR))
    directory.remove(k, t.cred, place.parent, place.name, removable, bool(flags & AT_REMOVEDIR))
    return 0


def _removable(k: Kernel, place: Place, as_directory: bool) -> int:
    if not place.name:
        if not as_directory:
            raise SysError(EISDIR)
        raise SysError({b".": EINVAL, b"..": ENOTEMPTY}.get(place.last, EBUSY))
    if access.read_only(k, k.inodes.peek(place.parent)):
        raise SysError(EROFS)
    if place.inode is None:
        raise SysError(ENOENT)
    if place.slash and not as_directory:
        raise SysError(EISDIR if k.inodes.peek(place.inode).is_directory() else ENOTDIR)
    return place.inode


def _free_place(k: Kernel, t: Task, dirfd: int, address: int, for_directory: bool = False) -> Place:
    """Where a new name can be. Raises EEXIST, ENOENT (slashes behind what is no directory), and as path.walk()."""
    name = copy_in_string(k, t, address, PATH_MAX)
    place = path.walk(k, t, name, signed32(dirfd), follow=False, follow_slashed=False)
    if place.inode is not None:
        raise SysError(EEXIST)
    if place.slash and not for_directory:
        raise SysError(ENOENT)
    return place


def _require_own(k: Kernel, parent_id: int) -> None:
    """On a mount of the host there are no hard links and special files: they could not be carried out to it."""
    if k.mounts.peek(k.inodes.peek(parent_id).mount).host >= 0:
        raise SysError(EPERM)


def _descriptor(k: Kernel, t: Task, dirfd: int) -> int:
    if signed32(dirfd) == AT_FDCWD:
        return k.fs_structs.peek(t.fs).cwd
    return k.files.peek(fdtable.file_id(k.fdtables.peek(t.fdtable), dirfd)).inode
