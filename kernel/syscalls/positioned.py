"""System calls that read and write at a place of their own, and the flags of preadv2 and pwritev2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EBADF, EINVAL, EOPNOTSUPP, ESPIPE, SysError
from kernel.fs import device, transfer
from kernel.fs.constants import S_IFCHR, S_IFDIR, S_IFMT, S_IFREG
from kernel.fs.user_buffer import UserBuffer, check_range
from kernel.syscalls.files import file_id_of, segments_of
from kernel.syscalls.table import signed64, syscall

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

RWF_HIPRI, RWF_DSYNC, RWF_SYNC = 1, 2, 4
KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC  # nothing to do for any of them: memory is as far as data goes
Segments = list[tuple[int, int]]


@syscall(67, "pread64", "fd", "buf*", "count", "offset")
def sys_pread64(k: Kernel, t: Task, fd: int, buf: int, count: int, offset: int) -> int:
    """pread(2): the file's own offset stays. Raises EINVAL (an offset below 0), ESPIPE, and as read."""
    file_id, at = _place(k, t, fd, offset)
    return _read(k, t, file_id, [(buf, count)], at)


@syscall(68, "pwrite64", "fd", "buf*", "count", "offset")
def sys_pwrite64(k: Kernel, t: Task, fd: int, buf: int, count: int, offset: int) -> int:
    """pwrite(2); with O_APPEND it appends all the same (BUGS). Raises EINVAL, ESPIPE, and as write."""
    file_id, at = _place(k, t, fd, offset)
    return _write(k, t, file_id, [(buf, count)], at)


@syscall(69, "preadv", "fd", "iov*", "iovcnt", "offset", "high")
def sys_preadv(k: Kernel, t: Task, fd: int, iov: int, count: int, offset: int, high: int) -> int:
    """preadv(2)"""
    file_id, at = _place(k, t, fd, offset)
    _require(k, file_id, writing=False)
    return _read(k, t, file_id, segments_of(k, t, iov, count), at)


@syscall(70, "pwritev", "fd", "iov*", "iovcnt", "offset", "high")
def sys_pwritev(k: Kernel, t: Task, fd: int, iov: int, count: int, offset: int, high: int) -> int:
    """pwritev(2)"""
    file_id, at = _place(k, t, fd, offset)
    _require(k, file_id, writing=True)
    return _write(k, t, file_id, segments_of(k, t, iov, count), at)


@syscall(286, "preadv2", "fd", "iov*", "iovcnt", "offset", "high", "flags")
def sys_preadv2(k: Kernel, t: Task, fd: int, iov: int, count: int, offset: int, high: int, flags: int) -> int:
    """preadv2(2): offset -1 is the file's own. Raises EOPNOTSUPP for RWF_NOWAIT and flags that it doesn't know."""
    file_id, at = _place(k, t, fd, offset, or_current=True)
    _require(k, file_id, writing=False)
    segments = segments_of(k, t, iov, count)
    if flags & 0xFFFFFFFF & ~KNOWN and any(size for _, size in segments):
        raise SysError(EOPNOTSUPP)
    return _read(k, t, file_id, segments, at)


@syscall(287, "pwritev2", "fd", "iov*", "iovcnt", "offset", "high", "flags")
def sys_pwritev2(k: Kernel, t: Task, fd: int, iov: int, count: int, offset: int, high: int, flags: int) -> int:
    """pwritev2(2): offset -1 is the file's own. Raises EOPNOTSUPP for RWF_NOWAIT, RWF_APPEND and unknown flags."""
    file_id, at = _place(k, t, fd, offset, or_current=True)
    _require(k, file_id, writing=True)
    segments = segments_of(k, t, iov, count)
    if flags & 0xFFFFFFFF & ~KNOWN and any(size for _, size in segments):
        raise SysError(EOPNOTSUPP)
    return _write(k, t, file_id, segments, at)


def _place(k: Kernel, t: Task, fd: int, offset: int, or_current: bool = False) -> tuple[int, int | None]:
    """(open file, offset; None: the file's own). Raises EINVAL, EBADF, ESPIPE."""
    at = signed64(offset)
    if at == -1 and or_current:
        return file_id_of(k, t, fd), None
    if at < 0:
        raise SysError(EINVAL)
    file_id = file_id_of(k, t, fd)
    inode = k.inodes.peek(k.files.peek(file_id).inode)
    kind = inode.mode & S_IFMT
    seekable = kind in (S_IFREG, S_IFDIR) or (kind == S_IFCHR and device.DRIVERS[inode.driver].seekable)
    if not seekable:
        raise SysError(ESPIPE)
    return file_id, at


def _require(k: Kernel, file_id: int, writing: bool) -> None:
    file = k.files.peek(file_id)
    if not (file.writable() if writing else file.readable()):
        raise SysError(EBADF)


def _read(k: Kernel, t: Task, file_id: int, segments: Segments, at: int | None) -> int:
    _require(k, file_id, writing=False)
    for address, size in segments:
        check_range(address, size)
    return transfer.read(k, t, file_id, UserBuffer(k, t, segments), at)


def _write(k: Kernel, t: Task, file_id: int, segments: Segments, at: int | None) -> int:
    _require(k, file_id, writing=True)
    for address, size in segments:
        check_range(address, size)
    return transfer.write(k, t, file_id, UserBuffer(k, t, segments), at)
