"""System calls that change what stat shows, or show more of it: chmod, chown, utimensat, truncate, statx, statfs."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import limits
from kernel.credentials import NOBODY
from kernel.errno import EINVAL, EISDIR, SysError
from kernel.fs import access, attributes, busy, inode, path, regular, stat
from kernel.fs.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_SYMLINK_NOFOLLOW,
    NAME_MAX,
    PAGE,
    PATH_MAX,
    W_OK,
)
from kernel.fs.proc import numbers as proc
from kernel.syscalls.files import file_id_of
from kernel.syscalls.paths import inode_of, resolve_at
from kernel.syscalls.table import signed32, signed64, syscall
from kernel.user_memory import copy_in, copy_in_string, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
NS = 1_000_000_000
STATX_BASIC_STATS, STATX_MNT_ID, STATX_RESERVED = 0x7FF, 0x1000, 0x80000000
AT_STATX_SYNC_TYPE = 0x6000
TMPFS_MAGIC, PROC_SUPER_MAGIC, PIPEFS_MAGIC = 0x01021994, 0x9FA0, 0x50495045  # linux/magic.h
ST_RDONLY, ST_VALID, ST_RELATIME = 1, 0x20, 0x1000


@syscall(52, "fchmod", "fd", "mode")
def sys_fchmod(k: Kernel, t: Task, fd: int, mode: int) -> int:
    """fchmod(2). Raises EBADF, EROFS, EPERM."""
    attributes.chmod(k, t.cred, k.files.peek(file_id_of(k, t, fd)).inode, mode)
    return 0


@syscall(53, "fchmodat", "dirfd", "path*", "mode")
def sys_fchmodat(k: Kernel, t: Task, dirfd: int, address: int, mode: int) -> int:
    """chmod(2). Raises EROFS, EPERM and what path.resolve() does."""
    attributes.chmod(k, t.cred, resolve_at(k, t, dirfd, address, 0), mode)
    return 0


@syscall(452, "fchmodat2", "dirfd", "path*", "mode", "flags")
def sys_fchmodat2(k: Kernel, t: Task, dirfd: int, address: int, mode: int, flags: int) -> int:
    """fchmodat(2) with flags. Raises EINVAL, EOPNOTSUPP (a symbolic link's own mode) and as fchmodat."""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    attributes.chmod(k, t.cred, resolve_at(k, t, dirfd, address, flags), mode)
    return 0


@syscall(55, "fchown", "fd", "uid", "gid")
def sys_fchown(k: Kernel, t: Task, fd: int, uid: int, gid: int) -> int:
    """fchown(2). Raises EBADF, EROFS, EPERM."""
    attributes.chown(k, t.cred, k.files.peek(file_id_of(k, t, fd)).inode, uid & NOBODY, gid & NOBODY)
    return 0


@syscall(54, "fchownat", "dirfd", "path*", "uid", "gid", "flags")
def sys_fchownat(k: Kernel, t: Task, dirfd: int, address: int, uid: int, gid: int, flags: int) -> int:
    """chown(2), lchown(2). Raises EINVAL, EROFS, EPERM and what path.resolve() does."""
    flags &= 0xFFFFFFFF
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(EINVAL)
    attributes.chown(k, t.cred, resolve_at(k, t, dirfd, address, flags), uid & NOBODY, gid & NOBODY)
    return 0


@syscall(88, "utimensat", "dirfd", "path*", "times*", "flags")
def sys_utimensat(k: Kernel, t: Task, dirfd: int, address: int, times: int, flags: int) -> int:
    """utimensat(2); without a path futimens(3). Raises EINVAL, EFAULT, EROFS, EACCES, EPERM and as path.resolve()."""
    flags &= 0xFFFFFFFF
    words = unpack("<4q", copy_in(k, t, times, 32)) if times else None
    if words and words[1] == words[3] == UTIME_OMIT:
        return 0
    if not address and signed32(dirfd) != AT_FDCWD:
        if flags:
            raise SysError(EINVAL)
        target = k.files.peek(file_id_of(k, t, dirfd)).inode
    else:
        if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
            raise SysError(EINVAL)
        target = resolve_at(k, t, dirfd, address, flags)
    attributes.set_times(k, t.cred, target, _times(k, words) if words else None)
    return 0


def _times(k: Kernel, words: tuple[int, ...]) -> tuple[int | None, int | None] | None:
    """(access, modification) in ns, None for one that stays; None if both are to be now."""
    now = inode.now(k)
    found: list[int | None] = []
    for seconds, ns in (words[:2], words[2:]):
        if ns not in (UTIME_NOW, UTIME_OMIT) and not 0 <= ns < NS:
            raise SysError(EINVAL)
        found.append(now if ns == UTIME_NOW else None if ns == UTIME_OMIT else seconds * NS + ns)
    return None if words[1] == words[3] == UTIME_NOW else (found[0], found[1])


@syscall(45, "truncate", "path*", "length")
def sys_truncate(k: Kernel, t: Task, address: int, length: int) -> int:
    """truncate(2). Raises EINVAL, EISDIR, EROFS, EACCES, ETXTBSY, EFBIG and what path.resolve() does."""
    if signed64(length) < 0:
        raise SysError(EINVAL)
    inode_id = path.resolve(k, t, copy_in_string(k, t, address, PATH_MAX))
    file = k.inodes.peek(inode_id)
    if file.is_directory():
        raise SysError(EISDIR)
    if not file.is_regular():
        raise SysError(EINVAL)
    access.require(k, t.cred, file, W_OK)
    busy.require_not_running(k, inode_id)
    limits.check_new_size(k, t, regular.fetch(k, inode_id).size, length)
    regular.resize(k, t.cred, inode_id, length)
    return 0


@syscall(291, "statx", "dirfd", "path*", "flags", "mask", "buffer*")
def sys_statx(k: Kernel, t: Task, dirfd: int, address: int, flags: int, mask: int, buffer: int) -> int:
    """statx(2): the basic fields and the mount, asked for or not. Raises EINVAL, EFAULT and as newfstatat."""
    flags, mask = flags & 0xFFFFFFFF, mask & 0xFFFFFFFF
    known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE
    if mask & STATX_RESERVED or flags & ~known or flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE:
        raise SysError(EINVAL)
    inode_id = resolve_at(k, t, dirfd, address, flags)
    copy_out(k, t, buffer, _statx(k, inode_id))
    return 0


def _statx(k: Kernel, inode_id: int) -> bytes:
    """struct statx, 256 bytes (include/uapi/linux/stat.h)."""
    file = regular.fetch(k, inode_id)
    size, number = stat.shown_size(file), stat.device_number(file)
    dev = k.mounts.peek(file.mount).dev
    head = pack("<IIQ", STATX_BASIC_STATS | STATX_MNT_ID, PAGE, 0)
    head += pack("<IIIHH", file.nlink, file.uid, file.gid, file.mode, 0)
    head += pack("<QQQQ", inode_id & proc.SHOWN, size, stat.blocks(file, size), 0)
    for time in (file.accessed, 0, file.changed, file.modified):
        head += pack("<qIi", time // NS, time % NS, 0)
    head += pack("<IIII", *stat.split_device(number), *stat.split_device(dev))
    return (head + pack("<Q", file.mount)).ljust(256, b"\0")


@syscall(43, "statfs", "path*", "buffer*")
def sys_statfs(k: Kernel, t: Task, address: int, buffer: int) -> int:
    """statfs(2). Raises EFAULT and what path.resolve() does."""
    copy_out(k, t, buffer, _statfs(k, path.resolve(k, t, copy_in_string(k, t, address, PATH_MAX))))
    return 0


@syscall(44, "fstatfs", "fd", "buffer*")
def sys_fstatfs(k: Kernel, t: Task, fd: int, buffer: int) -> int:
    """fstatfs(2). Raises EBADF, EFAULT."""
    copy_out(k, t, buffer, _statfs(k, inode_of(k, t, fd)))
    return 0


def _statfs(k: Kernel, inode_id: int) -> bytes:
    """struct statfs64, 120 bytes. Files live in RAM: blocks are frames, whatever takes them."""
    file = k.inodes.peek(inode_id)
    mount = k.mounts.peek(file.mount)
    magic = PROC_SUPER_MAGIC if inode_id >= proc.FIRST else TMPFS_MAGIC if mount.root else PIPEFS_MAGIC
    frames, free = k.machine.ram.frames, k.machine.ram.frames - k.frames.used
    inodes, left = inode.limit(k), inode.limit(k) - len(k.inodes)
    flags = ST_VALID | ST_RELATIME | (0 if mount.writable else ST_RDONLY)
    counts = pack("<7Q", magic, PAGE, frames, free, free, inodes, left)
    return counts + pack("<ii3Q", mount.dev, 0, NAME_MAX, PAGE, flags) + bytes(32)
