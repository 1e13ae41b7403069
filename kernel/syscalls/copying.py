"""System calls that move data between files, make room in one, or ask for it to be kept: sendfile, fallocate, fsync.

Data goes no further than the machine's memory, and to the host when the machine ends: there is nothing to wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits
from kernel.errno import EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, EOVERFLOW, EPERM, ESPIPE, EXDEV, SysError
from kernel.fs import attributes, fdtable, regular, transfer
from kernel.fs.constants import (
    CHUNK,
    F_SEAL_GROW,
    FILE_MAX,
    O_APPEND,
    PAGE,
    PIPE_PAGES,
    RW_MAX,
    S_IFDIR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
)
from kernel.fs.proc import numbers as proc
from kernel.fs.user_buffer import KernelBuffer
from kernel.syscalls.files import file_id_of
from kernel.syscalls.table import signed64, syscall
from kernel.user_memory import copy_in_words, copy_out

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel
    from kernel.task import Task

FALLOC_FL_KEEP_SIZE = 1
CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC = 2, 4


@syscall(71, "sendfile", "out_fd", "in_fd", "offset*", "count")
def sys_sendfile(k: Kernel, t: Task, out: int, source: int, offset: int, count: int) -> int:
    """sendfile(2): from a regular file to any that takes data. Raises EINVAL, EBADF, ESPIPE, EAGAIN, and as write.

    To a pipe it sends what that has room for, fewer bytes than were asked for: the manual's page allows it.
    """
    at = signed64(copy_in_words(k, t, offset, 1)[0]) if offset else None
    in_id, count = _regular(k, t, source), min(count, RW_MAX)
    start = k.files.peek(in_id).offset if at is None else at
    if start < 0 or start + count > FILE_MAX:
        raise SysError(EINVAL)
    out_id = file_id_of(k, t, out)
    target = k.files.peek(out_id)
    if not target.writable():
        raise SysError(EBADF)
    if target.flags & O_APPEND or target.offset + count > FILE_MAX:
        raise SysError(EINVAL)
    moved = _send(k, t, in_id, out_id, start, count)
    if at is None:
        k.files[in_id].offset = start + moved
    else:
        copy_out(k, t, offset, (start + moved).to_bytes(8, "little"))
    return moved


def _regular(k: Kernel, t: Task, fd: int) -> int:
    file_id = file_id_of(k, t, fd)
    file = k.files.peek(file_id)
    if not file.readable():
        raise SysError(EBADF)
    if not k.inodes.peek(file.inode).is_regular() or file.inode >= proc.FIRST:
        raise SysError(EINVAL)
    return file_id


def _send(k: Kernel, t: Task, in_id: int, out_id: int, start: int, count: int) -> int:
    """To a regular file piece by piece, as through Linux's inner pipe, so that a file can be sent to itself.

    To any other one piece, to a pipe what it has room for: nothing has moved yet when the call has to wait.
    """
    inode_id, target = k.files.peek(in_id).inode, k.inodes.peek(k.files.peek(out_id).inode)
    room = PIPE_PAGES * PAGE  # of the inner pipe, which has the usual size
    if target.mode & S_IFMT == S_IFIFO:
        pipe = k.pipes.peek(target.number)
        room = (pipe.pages - len(pipe.buffers)) * PAGE or PAGE
    moved = 0
    while moved < count:
        at = start + moved
        size = min(count - moved, regular.fetch(k, inode_id).size - at, room - at % PAGE)
        try:
            sent = _send_piece(k, t, inode_id, out_id, at, size) if size > 0 else 0
        except SysError:
            if not moved:
                raise
            break
        moved += sent
        if not sent or not target.is_regular():
            break
    return moved


def _send_piece(k: Kernel, t: Task, inode_id: int, out_id: int, at: int, size: int) -> int:
    attributes.accessed(k, inode_id)
    return transfer.write(k, t, out_id, KernelBuffer(k, t, regular.read_bytes(k, inode_id, at, size)))


@syscall(285, "copy_file_range", "in_fd", "in_offset*", "out_fd", "out_offset*", "count", "flags")
def sys_copy_file_range(
    k: Kernel, t: Task, source: int, in_at: int, out: int, out_at: int, count: int, flags: int
) -> int:
    """copy_file_range(2) between regular files. Raises EINVAL, EBADF, EISDIR, EFBIG, EXDEV (/proc), and as write."""
    in_id, out_id = file_id_of(k, t, source), file_id_of(k, t, out)
    starts = [
        signed64(copy_in_words(k, t, address, 1)[0]) if address else k.files.peek(file_id).offset
        for address, file_id in ((in_at, in_id), (out_at, out_id))
    ]
    _check_copy(k, in_id, out_id, flags & 0xFFFFFFFF)
    in_inode = k.files.peek(in_id).inode
    count = _copied_count(k, in_inode, k.files.peek(out_id).inode, starts, min(count, RW_MAX))
    moved = 0
    if count:
        attributes.accessed(k, in_inode)
        data = regular.read_bytes(k, in_inode, starts[0], count)
        moved = transfer.write(k, t, out_id, KernelBuffer(k, t, data), starts[1])
    for address, file_id, start in ((in_at, in_id, starts[0]), (out_at, out_id, starts[1])):
        if address:
            copy_out(k, t, address, (start + moved).to_bytes(8, "little"))
        else:
            k.files[file_id].offset = start + moved
    return moved


def _check_copy(k: Kernel, in_id: int, out_id: int, flags: int) -> None:
    files = [k.files.peek(file_id) for file_id in (in_id, out_id)]
    inodes = [k.inodes.peek(file.inode) for file in files]
    if flags:
        raise SysError(EINVAL)
    if any(inode.is_directory() for inode in inodes):
        raise SysError(EISDIR)
    if not all(inode.is_regular() for inode in inodes):
        raise SysError(EINVAL)
    if not files[0].readable() or not files[1].writable() or files[1].flags & O_APPEND:
        raise SysError(EBADF)
    if any(file.inode >= proc.FIRST for file in files):
        raise SysError(EXDEV)


def _copied_count(k: Kernel, in_inode: int, out_inode: int, starts: list[int], count: int) -> int:
    """How much of `count` is there to copy (generic_copy_file_checks). Raises EOVERFLOW, EFBIG, EINVAL, EIO."""
    if any(-count <= start < 0 for start in starts if count):
        raise SysError(EOVERFLOW)  # the end would wrap around: that is looked at first
    if starts[1] >= FILE_MAX:
        raise SysError(EFBIG)
    count = max(min(count, regular.fetch(k, in_inode).size - starts[0], FILE_MAX - starts[1], CHUNK), 0)
    if min(starts) < 0:
        raise SysError(EINVAL)
    if in_inode == out_inode and count and abs(starts[0] - starts[1]) < count:
        raise SysError(EINVAL)
    return count


@syscall(47, "fallocate", "fd", "mode", "offset", "length")
def sys_fallocate(k: Kernel, t: Task, fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2): the file grows; pages come when they are written. Punching holes and the like is EOPNOTSUPP."""
    mode, start, size = mode & 0xFFFFFFFF, signed64(offset), signed64(length)
    file = k.files.peek(file_id_of(k, t, fd))
    inode = k.inodes.peek(file.inode)
    _check_allocation(file, inode, mode, start, size)
    if mode & FALLOC_FL_KEEP_SIZE or start + size <= regular.fetch(k, file.inode).size:
        return 0
    limits.check_new_size(k, t, inode.size, start + size)
    if inode.seals & F_SEAL_GROW:
        raise SysError(EPERM)
    regular.resize(k, t.cred, file.inode, start + size)
    return 0


def _check_allocation(file: OpenFile, inode: Inode, mode: int, start: int, size: int) -> None:
    """Raises EINVAL, EOPNOTSUPP, EBADF, ESPIPE, EISDIR, ENODEV, EFBIG, in the order of Linux's vfs_fallocate."""
    if start < 0 or size <= 0:
        raise SysError(EINVAL)
    if mode & ~FALLOC_FL_KEEP_SIZE:
        raise SysError(EOPNOTSUPP)
    if not file.writable():
        raise SysError(EBADF)
    if not inode.is_regular():
        kinds = {S_IFIFO: ESPIPE, S_IFDIR: EISDIR}
        raise SysError(kinds.get(inode.mode & S_IFMT, ENODEV))
    if start + size > FILE_MAX:
        raise SysError(EFBIG)


@syscall(82, "fsync", "fd")
def sys_fsync(k: Kernel, t: Task, fd: int) -> int:
    """fsync(2). Raises EBADF, EINVAL (a pipe, a socket)."""
    return _check_sync(k, t, fd)


@syscall(83, "fdatasync", "fd")
def sys_fdatasync(k: Kernel, t: Task, fd: int) -> int:
    """fdatasync(2)"""
    return _check_sync(k, t, fd)


def _check_sync(k: Kernel, t: Task, fd: int) -> int:
    inode = k.inodes.peek(k.files.peek(file_id_of(k, t, fd)).inode)
    if inode.mode & S_IFMT not in (S_IFREG, S_IFDIR):
        raise SysError(EINVAL)
    return 0


@syscall(81, "sync")
def sys_sync(k: Kernel, t: Task) -> int:
    """sync(2)"""
    return 0


@syscall(267, "syncfs", "fd")
def sys_syncfs(k: Kernel, t: Task, fd: int) -> int:
    """syncfs(2). Raises EBADF."""
    file_id_of(k, t, fd)
    return 0


@syscall(223, "fadvise64", "fd", "offset", "length", "advice")
def sys_fadvise64(k: Kernel, t: Task, fd: int, offset: int, length: int, advice: int) -> int:
    """posix_fadvise(2): all is in memory, whatever one expects. Raises EBADF, ESPIPE, EINVAL."""
    inode = k.inodes.peek(k.files.peek(file_id_of(k, t, fd)).inode)
    if inode.mode & S_IFMT == S_IFIFO:
        raise SysError(ESPIPE)
    if signed64(length) < 0 or advice & 0xFFFFFFFF > 5:
        raise SysError(EINVAL)
    return 0


@syscall(436, "close_range", "first", "last", "flags")
def sys_close_range(k: Kernel, t: Task, first: int, last: int, flags: int) -> int:
    """close_range(2). Raises EINVAL."""
    first, last, flags = first & 0xFFFFFFFF, last & 0xFFFFFFFF, flags & 0xFFFFFFFF
    if flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) or first > last:
        raise SysError(EINVAL)
    if flags & CLOSE_RANGE_UNSHARE:
        fdtable.unshare_table(k, t)
    slots = k.fdtables[t.fdtable].slots
    for fd in sorted(fd for fd in slots if first <= fd <= last):
        if flags & CLOSE_RANGE_CLOEXEC:
            slots[fd] = (slots[fd][0], True)
        else:
            fdtable.remove(k, t.fdtable, fd)
    return 0
