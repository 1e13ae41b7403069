"""System calls on paths: openat, the stat family, directories, the working directory."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from kernel.errno import (
    EACCES,
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    ERANGE,
    EROFS,
    SysError,
)
from kernel.fs import access, directory, fdtable, inode, opening, path, stat
from kernel.fs.constants import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_REMOVEDIR,
    AT_SYMLINK_NOFOLLOW,
    O_CLOEXEC,
    PATH_MAX,
    S_IFDIR,
    S_ISVTX,
    X_OK,
)
from kernel.fs.proc.numbers import SHOWN
from kernel.syscalls.files import file_id_of
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in_string, copy_out

if TYPE_CHECKING:
    from kernel.fs.path import Place
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(56, "openat", "dirfd", "path*", "flags", "mode")
def sys_openat(k: Kernel, t: Task, dirfd: int, address: int, flags: int, mode: int) -> int:
    """openat(2): returns the lowest free descriptor. Raises EINVAL, EMFILE and what opening.open_path() does."""
    flags = opening.check_flags(flags & 0xFFFFFFFF)
    name = _path(k, t, address)
    fd = fdtable.lowest_free(k, t)
    file_id = opening.open_path(k, t, signed32(dirfd), name, flags, mode)
    fdtable.install(k, t.fdtable, fd, file_id, bool(flags & O_CLOEXEC))
    return fd


@syscall(80, "fstat", "fd", "statbuf*")
def sys_fstat(k: Kernel, t: Task, fd: int, address: int) -> int:
    """fstat(2). Raises EBADF, EFAULT, EIO."""
    copy_out(k, t, address, stat.pack(k, _inode_of(k, t, fd)))
    return 0


@syscall(79, "newfstatat", "dirfd", "path*", "statbuf*", "flags")
def sys_newfstatat(k: Kernel, t: Task, dirfd: int, address: int, result: int, flags: int) -> int:
    """fstatat(2). Raises EINVAL, EFAULT, EIO and what path.resolve() does."""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    copy_out(k, t, result, stat.pack(k, _resolve(k, t, dirfd, address, flags)))
    return 0


@syscall(48, "faccessat", "dirfd", "path*", "mode")
def sys_faccessat(k: Kernel, t: Task, dirfd: int, address: int, mode: int) -> int:
    """access(2) of the real uid. Raises EINVAL, EACCES, EROFS and what path.resolve() does."""
    return _access(k, t, dirfd, address, mode, 0)


@syscall(439, "faccessat2", "dirfd", "path*", "mode", "flags")
def sys_faccessat2(k: Kernel, t: Task, dirfd: int, address: int, mode: int, flags: int) -> int:
    """faccessat2(2): the same with flags; real and effective uid are one here."""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    return _access(k, t, dirfd, address, mode, flags)


def _access(k: Kernel, t: Task, dirfd: int, address: int, mode: int, flags: int) -> int:
    mode &= 0xFFFFFFFF
    if mode & ~7:
        raise SysError(EINVAL)
    access.require(k, t.cred, k.inodes.peek(_resolve(k, t, dirfd, address, flags)), mode)
    return 0


@syscall(17, "getcwd", "buf*", "size")
def sys_getcwd(k: Kernel, t: Task, address: int, size: int) -> int:
    """getcwd(2): the path and its NUL; returns the length of both. Raises ENOENT, ENAMETOOLONG, ERANGE, EFAULT."""
    name = path.path_of(k, k.fs_structs.peek(t.fs).cwd) + b"\0"
    if len(name) > PATH_MAX:
        raise SysError(ENAMETOOLONG)
    if len(name) > size:
        raise SysError(ERANGE)
    copy_out(k, t, address, name)
    return len(name)


@syscall(49, "chdir", "path*")
def sys_chdir(k: Kernel, t: Task, address: int) -> int:
    """chdir(2). Raises ENOTDIR, EACCES and what path.resolve() does."""
    return _change_directory(k, t, path.resolve(k, t, _path(k, t, address)))


@syscall(50, "fchdir", "fd")
def sys_fchdir(k: Kernel, t: Task, fd: int) -> int:
    """fchdir(2): chdir to an open directory. Raises EBADF, ENOTDIR, EACCES."""
    return _change_directory(k, t, _inode_of(k, t, fd))


def _change_directory(k: Kernel, t: Task, inode_id: int) -> int:
    target = k.inodes.peek(inode_id)
    if not target.is_directory():
        raise SysError(ENOTDIR)
    if not access.allowed(t.cred, target, X_OK):
        raise SysError(EACCES)
    fs = k.fs_structs[t.fs]
    inode.hold(k, inode_id)
    inode.release(k, fs.cwd)
    fs.cwd = inode_id
    return 0


@syscall(166, "umask", "mask")
def sys_umask(k: Kernel, t: Task, mask: int) -> int:
    """umask(2): returns the one before."""
    fs = k.fs_structs[t.fs]
    before, fs.umask = fs.umask, mask & 0o777
    return before


@syscall(34, "mkdirat", "dirfd", "path*", "mode")
def sys_mkdirat(k: Kernel, t: Task, dirfd: int, address: int, mode: int) -> int:
    """mkdir(2). Raises EEXIST, ENOSPC and what path.walk() and directory.create() do."""
    place = path.walk(k, t, _path(k, t, address), signed32(dirfd), follow=False, follow_slashed=False)
    if place.inode is not None:
        raise SysError(EEXIST)
    mode &= (0o777 | S_ISVTX) & ~k.fs_structs.peek(t.fs).umask
    directory.create(k, t.cred, place.parent, place.name, S_IFDIR | mode)
    return 0


@syscall(35, "unlinkat", "dirfd", "path*", "flags")
def sys_unlinkat(k: Kernel, t: Task, dirfd: int, address: int, flags: int) -> int:
    """unlink(2), or rmdir(2) with AT_REMOVEDIR. Raises EINVAL, ENOENT and what directory.remove() does."""
    flags &= 0xFFFFFFFF
    if flags & ~AT_REMOVEDIR:
        raise SysError(EINVAL)
    place = path.walk(k, t, _path(k, t, address), signed32(dirfd), follow=False, follow_slashed=False)
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


@syscall(61, "getdents64", "fd", "dirp*", "count")
def sys_getdents64(k: Kernel, t: Task, fd: int, address: int, count: int) -> int:
    """getdents(2): as many entries as fit into `count` bytes; 0 at the end. Raises EBADF, ENOTDIR, EINVAL, EFAULT."""
    file = k.files[file_id_of(k, t, fd)]
    if not k.inodes.peek(file.inode).is_directory():
        raise SysError(ENOTDIR)
    records, last = bytearray(), file.offset
    room = min(count & 0xFFFFFFFF, 1 << 16)
    entries = directory.listing(k, file.inode, file.offset, room // 24 + 1)
    for entry in entries:
        record = _dirent(entry)
        if len(records) + len(record) > room:
            break
        records += record
        last = entry.cookie
    if entries and not records:
        raise SysError(EINVAL)
    copy_out(k, t, address, records)
    file.offset = last
    return len(records)


def _dirent(entry: directory.Entry) -> bytes:
    """struct linux_dirent64: d_ino, d_off (where the next call goes on), d_reclen, d_type, d_name; 8-byte aligned."""
    size = (19 + len(entry.name) + 1 + 7) & ~7
    return pack("<QqHB", entry.inode & SHOWN, entry.cookie, size, entry.kind) + entry.name.ljust(size - 19, b"\0")


def _path(k: Kernel, t: Task, address: int) -> bytes:
    return copy_in_string(k, t, address, PATH_MAX)


def _resolve(k: Kernel, t: Task, dirfd: int, address: int, flags: int) -> int:
    """The inode of a dirfd and a path; with AT_EMPTY_PATH an empty path means the descriptor itself."""
    name = _path(k, t, address)
    if name or not flags & AT_EMPTY_PATH:
        return path.resolve(k, t, name, signed32(dirfd), not flags & AT_SYMLINK_NOFOLLOW)
    if signed32(dirfd) == AT_FDCWD:
        return k.fs_structs.peek(t.fs).cwd
    return _inode_of(k, t, dirfd)


def _inode_of(k: Kernel, t: Task, fd: int) -> int:
    return k.files.peek(fdtable.file_id(k.fdtables.peek(t.fdtable), fd)).inode
