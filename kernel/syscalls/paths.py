"""System calls on paths: openat, stat, access, listing directories, the working and the root directory."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from kernel.credentials import CAP_SYS_CHROOT, ROOT
from kernel.errno import (
    EACCES,
    EINVAL,
    ENAMETOOLONG,
    ENOTDIR,
    EPERM,
    ERANGE,
    SysError,
)
from kernel.fs import access, attributes, directory, fdtable, inode, opening, path, stat
from kernel.fs.constants import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_SYMLINK_NOFOLLOW,
    O_CLOEXEC,
    PATH_MAX,
    X_OK,
)
from kernel.fs.proc.numbers import SHOWN
from kernel.syscalls.files import file_id_of
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in_string, copy_out

if TYPE_CHECKING:
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
    copy_out(k, t, address, stat.pack(k, inode_of(k, t, fd)))
    return 0


@syscall(79, "newfstatat", "dirfd", "path*", "statbuf*", "flags")
def sys_newfstatat(k: Kernel, t: Task, dirfd: int, address: int, result: int, flags: int) -> int:
    """fstatat(2). Raises EINVAL, EFAULT, EIO and what path.resolve() does."""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    copy_out(k, t, result, stat.pack(k, resolve_at(k, t, dirfd, address, flags)))
    return 0


@syscall(48, "faccessat", "dirfd", "path*", "mode")
def sys_faccessat(k: Kernel, t: Task, dirfd: int, address: int, mode: int) -> int:
    """access(2): may the real user and group do it? Raises EINVAL, EACCES, EROFS and what path.resolve() does."""
    return _access(k, t, dirfd, address, mode, 0)


@syscall(439, "faccessat2", "dirfd", "path*", "mode", "flags")
def sys_faccessat2(k: Kernel, t: Task, dirfd: int, address: int, mode: int, flags: int) -> int:
    """faccessat2(2): the same with flags; with AT_EACCESS, may the caller itself?"""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    return _access(k, t, dirfd, address, mode, flags)


def _access(k: Kernel, t: Task, dirfd: int, address: int, mode: int, flags: int) -> int:
    mode &= 0xFFFFFFFF
    if mode & ~7:
        raise SysError(EINVAL)
    cred = t.cred
    if not flags & AT_EACCESS:
        powers = cred.permitted if cred.uid == ROOT else 0
        cred = cred._replace(fsuid=cred.uid, fsgid=cred.gid, effective=powers)
    mine, t.cred = t.cred, cred
    try:
        access.require(k, cred, k.inodes.peek(resolve_at(k, t, dirfd, address, flags)), mode)
    finally:
        t.cred = mine
    return 0


@syscall(17, "getcwd", "buf*", "size")
def sys_getcwd(k: Kernel, t: Task, address: int, size: int) -> int:
    """getcwd(2): the path and its NUL; returns the length of both. Raises ENOENT, ENAMETOOLONG, ERANGE, EFAULT."""
    fs = k.fs_structs.peek(t.fs)
    name = path.path_of(k, fs.cwd, fs.root) + b"\0"
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
    return _change_directory(k, t, inode_of(k, t, fd))


def _require_directory(k: Kernel, t: Task, inode_id: int) -> None:
    target = k.inodes.peek(inode_id)
    if not target.is_directory():
        raise SysError(ENOTDIR)
    if not access.allowed(t.cred, target, X_OK):
        raise SysError(EACCES)


def _change_directory(k: Kernel, t: Task, inode_id: int) -> int:
    _require_directory(k, t, inode_id)
    fs = k.fs_structs[t.fs]
    inode.hold(k, inode_id)
    inode.release(k, fs.cwd)
    fs.cwd = inode_id
    return 0


@syscall(51, "chroot", "path*")
def sys_chroot(k: Kernel, t: Task, address: int) -> int:
    """chroot(2): where absolute paths begin, and `..` ends. Raises EPERM, ENOTDIR and what path.resolve() does."""
    inode_id = path.resolve(k, t, _path(k, t, address))
    _require_directory(k, t, inode_id)
    if not t.cred.can(CAP_SYS_CHROOT):
        raise SysError(EPERM)
    fs = k.fs_structs[t.fs]
    inode.hold(k, inode_id)
    inode.release(k, fs.root)
    fs.root = inode_id
    return 0


@syscall(166, "umask", "mask")
def sys_umask(k: Kernel, t: Task, mask: int) -> int:
    """umask(2): returns the one before."""
    fs = k.fs_structs[t.fs]
    before, fs.umask = fs.umask, mask & 0o777
    return before


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
    attributes.accessed(k, file.inode)
    file.offset = last
    return len(records)


def _dirent(entry: directory.Entry) -> bytes:
    """struct linux_dirent64: d_ino, d_off (where the next call goes on), d_reclen, d_type, d_name; 8-byte aligned."""
    size = (19 + len(entry.name) + 1 + 7) & ~7
    return pack("<QqHB", entry.inode & SHOWN, entry.cookie, size, entry.kind) + entry.name.ljust(size - 19, b"\0")


def _path(k: Kernel, t: Task, address: int) -> bytes:
    return copy_in_string(k, t, address, PATH_MAX)


def resolve_at(k: Kernel, t: Task, dirfd: int, address: int, flags: int) -> int:
    """The inode of a dirfd and a path; with AT_EMPTY_PATH an empty path means the descriptor itself."""
    name = _path(k, t, address)
    if name or not flags & AT_EMPTY_PATH:
        return path.resolve(k, t, name, signed32(dirfd), not flags & AT_SYMLINK_NOFOLLOW)
    if signed32(dirfd) == AT_FDCWD:
        return k.fs_structs.peek(t.fs).cwd
    return inode_of(k, t, dirfd)


def inode_of(k: Kernel, t: Task, fd: int) -> int:
    """The inode of a descriptor, O_PATH too. Raises EBADF."""
    return k.files.peek(fdtable.file_id(k.fdtables.peek(t.fdtable), fd)).inode
