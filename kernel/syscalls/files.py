"""System calls on descriptors: read, write, lseek, close, dup, fcntl and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits
from kernel.credentials import CAP_SYS_RESOURCE
from kernel.errno import EBADF, EINVAL, ENXIO, ESPIPE, SysError
from kernel.fs import device, fdtable, pipe, regular, seals, special, transfer
from kernel.fs import file as files
from kernel.fs.constants import (
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETPIPE_SZ,
    F_SETFD,
    F_SETFL,
    F_SETPIPE_SZ,
    FD_CLOEXEC,
    FILE_MAX,
    IOV_MAX,
    O_CLOEXEC,
    O_DIRECT,
    O_PATH,
    PAGE,
    S_IFCHR,
    S_IFIFO,
    S_IFMT,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
    SETTABLE,
)
from kernel.fs.proc import numbers as proc
from kernel.fs.user_buffer import UserBuffer, check_range
from kernel.syscalls import locks
from kernel.syscalls.table import signed64, syscall
from kernel.user_memory import copy_in_words

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel
    from kernel.task import Task


def file_id_of(k: Kernel, t: Task, fd: int) -> int:
    """The open file behind a descriptor. Raises EBADF, also for one that was opened with O_PATH."""
    file_id = fdtable.look_up(k, t, fd)
    if k.files.peek(file_id).flags & O_PATH:
        raise SysError(EBADF)
    return file_id


@syscall(63, "read", "fd", "buf*", "count")
def sys_read(k: Kernel, t: Task, fd: int, buf: int, count: int) -> int:
    """read(2). Raises EBADF, EFAULT, EISDIR, EAGAIN, EINVAL, EIO; waits on an empty pipe or console."""
    return _read(k, t, _readable(k, t, fd), [(buf, count)])


@syscall(65, "readv", "fd", "iov*", "iovcnt")
def sys_readv(k: Kernel, t: Task, fd: int, iov: int, count: int) -> int:
    """readv(2): read(2) into several pieces of memory, one after the other."""
    return _read(k, t, _readable(k, t, fd), segments_of(k, t, iov, count))


@syscall(64, "write", "fd", "buf*", "count")
def sys_write(k: Kernel, t: Task, fd: int, buf: int, count: int) -> int:
    """write(2). Raises EBADF, EFAULT, EPIPE, EAGAIN, EFBIG, ENOSPC, EINVAL; waits on a full pipe."""
    return _write(k, t, _writable(k, t, fd), [(buf, count)])


@syscall(66, "writev", "fd", "iov*", "iovcnt")
def sys_writev(k: Kernel, t: Task, fd: int, iov: int, count: int) -> int:
    """writev(2): the pieces are written as if they were one."""
    return _write(k, t, _writable(k, t, fd), segments_of(k, t, iov, count))


def _readable(k: Kernel, t: Task, fd: int) -> int:
    file_id = file_id_of(k, t, fd)
    if not k.files.peek(file_id).readable():
        raise SysError(EBADF)
    return file_id


def _writable(k: Kernel, t: Task, fd: int) -> int:
    file_id = file_id_of(k, t, fd)
    if not k.files.peek(file_id).writable():
        raise SysError(EBADF)
    return file_id


def _read(k: Kernel, t: Task, file_id: int, segments: list[tuple[int, int]]) -> int:
    for address, size in segments:
        check_range(address, size)
    return transfer.read(k, t, file_id, UserBuffer(k, t, segments))


def _write(k: Kernel, t: Task, file_id: int, segments: list[tuple[int, int]]) -> int:
    for address, size in segments:
        check_range(address, size)
    return transfer.write(k, t, file_id, UserBuffer(k, t, segments))


def segments_of(k: Kernel, t: Task, iov: int, count: int) -> list[tuple[int, int]]:
    """An array of struct iovec. Raises EINVAL for more than IOV_MAX, or a length that is negative as ssize_t."""
    count &= 0xFFFFFFFF  # import_iovec() takes an unsigned int
    if count > IOV_MAX:
        raise SysError(EINVAL)
    words = copy_in_words(k, t, iov, 2 * count)
    if any(signed64(size) < 0 for size in words[1::2]):
        raise SysError(EINVAL)
    return list(zip(words[::2], words[1::2], strict=True))


@syscall(62, "lseek", "fd", "offset", "whence")
def sys_lseek(k: Kernel, t: Task, fd: int, offset: int, whence: int) -> int:
    """lseek(2). Raises EBADF, ESPIPE (pipe, terminal), EINVAL (whence, result below 0 or too large), ENXIO."""
    file_id = file_id_of(k, t, fd)
    file = k.files[file_id]
    whence &= 0xFFFFFFFF
    if whence > SEEK_HOLE:
        raise SysError(EINVAL)
    inode = k.inodes.peek(file.inode)
    if not _has_offset(inode):
        return 0
    if file.inode >= proc.FIRST and inode.is_regular():
        from kernel.fs.proc import content

        file.offset = content.seek(file, signed64(offset), whence)
        return file.offset
    file.offset = _sought(k, file, signed64(offset), whence)
    return file.offset


def _has_offset(inode: Inode) -> bool:
    """False: lseek is allowed and does nothing (null_lseek of drivers/char/mem.c, noop_llseek). Raises ESPIPE."""
    kind, known = inode.mode & S_IFMT, special.kind_of(inode)
    if kind == S_IFIFO or (known and not known.seekable):
        raise SysError(ESPIPE)
    if kind == S_IFCHR and not device.DRIVERS[inode.driver].seekable:
        raise SysError(ESPIPE)
    return not known and kind != S_IFCHR


def _sought(k: Kernel, file: OpenFile, offset: int, whence: int) -> int:
    """Where lseek leads. A file is taken for data throughout, with one hole at its end, as lseek(2) permits."""
    size = regular.fetch(k, file.inode).size
    if whence in (SEEK_DATA, SEEK_HOLE) and not 0 <= offset < size:
        raise SysError(ENXIO)
    base = {SEEK_SET: 0, SEEK_CUR: file.offset, SEEK_END: size, SEEK_DATA: 0, SEEK_HOLE: size - offset}[whence]
    if k.inodes.peek(file.inode).is_directory() and whence not in (SEEK_SET, SEEK_CUR):
        raise SysError(EINVAL)
    if not 0 <= base + offset <= FILE_MAX:
        raise SysError(EINVAL)
    return base + offset


@syscall(57, "close", "fd")
def sys_close(k: Kernel, t: Task, fd: int) -> int:
    """close(2). Raises EBADF."""
    fdtable.remove(k, t.fdtable, fd)
    return 0


@syscall(23, "dup", "oldfd")
def sys_dup(k: Kernel, t: Task, fd: int) -> int:
    """dup(2): the lowest free descriptor for the same open file. Raises EBADF, EMFILE."""
    return _duplicate(k, t, fd, 0, cloexec=False)


@syscall(24, "dup3", "oldfd", "newfd", "flags")
def sys_dup3(k: Kernel, t: Task, old: int, new: int, flags: int) -> int:
    """dup3(2): `new` stands for the same open file as `old`; what it was is closed. Raises EINVAL, EBADF."""
    old, new, flags = old & 0xFFFFFFFF, new & 0xFFFFFFFF, flags & 0xFFFFFFFF
    if flags & ~O_CLOEXEC or old == new:
        raise SysError(EINVAL)
    if new >= limits.soft(k, t, limits.NOFILE):
        raise SysError(EBADF)
    file_id = fdtable.file_id(k.fdtables.peek(t.fdtable), old)
    files.hold(k, file_id)
    fdtable.install(k, t.fdtable, new, file_id, bool(flags & O_CLOEXEC))
    return new


def _duplicate(k: Kernel, t: Task, fd: int, start: int, cloexec: bool) -> int:
    table = k.fdtables.peek(t.fdtable)
    file_id = fdtable.file_id(table, fd)
    new = fdtable.lowest_free(k, t, start)
    files.hold(k, file_id)
    fdtable.install(k, t.fdtable, new, file_id, cloexec)
    return new


@syscall(25, "fcntl", "fd", "cmd", "arg")
def sys_fcntl(k: Kernel, t: Task, fd: int, command: int, argument: int) -> int:
    """fcntl(2): F_DUPFD(_CLOEXEC), F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETPIPE_SZ, F_SETPIPE_SZ, locks (locks.py).

    Raises EBADF, EINVAL, EMFILE."""
    command &= 0xFFFFFFFF
    file_id = fdtable.file_id(k.fdtables.peek(t.fdtable), fd)
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        if argument >= limits.soft(k, t, limits.NOFILE):
            raise SysError(EINVAL)
        return _duplicate(k, t, fd, argument, command == F_DUPFD_CLOEXEC)
    if command == F_GETFD:
        return FD_CLOEXEC if k.fdtables.peek(t.fdtable).slots[fd & 0xFFFFFFFF][1] else 0
    if command == F_SETFD:
        k.fdtables[t.fdtable].slots[fd & 0xFFFFFFFF] = (file_id, bool(argument & FD_CLOEXEC))
        return 0
    if command == F_GETFL:
        return k.files.peek(file_id).flags
    if command in locks.COMMANDS:
        return locks.command(k, t, file_id_of(k, t, fd), command, argument)
    return _file_command(k, t, file_id_of(k, t, fd), command, argument)


def _file_command(k: Kernel, t: Task, file_id: int, command: int, argument: int) -> int:
    file = k.files[file_id]
    is_pipe = k.inodes.peek(file.inode).mode & S_IFMT == S_IFIFO
    if command == F_SETFL:
        changing = SETTABLE | (O_DIRECT if is_pipe else 0)
        file.flags = file.flags & ~changing | argument & changing
        return 0
    if command == F_GET_SEALS:
        return seals.get(k, file)
    if command == F_ADD_SEALS:
        seals.add(k, file, argument & 0xFFFFFFFF)
        return 0
    if command in (F_GETPIPE_SZ, F_SETPIPE_SZ):
        if not is_pipe:
            raise SysError(EBADF)
        number = k.inodes.peek(file.inode).number
        if command == F_SETPIPE_SZ:
            pipe.resize(k, number, argument & 0xFFFFFFFF, t.cred.can(CAP_SYS_RESOURCE))
        return k.pipes.peek(number).pages * PAGE
    raise SysError(EINVAL)


@syscall(46, "ftruncate", "fd", "length")
def sys_ftruncate(k: Kernel, t: Task, fd: int, length: int) -> int:
    """ftruncate(2). Raises EINVAL (a length below 0, not a regular file, not open for writing), EBADF."""
    if signed64(length) < 0:
        raise SysError(EINVAL)
    file = k.files.peek(file_id_of(k, t, fd))
    if not k.inodes.peek(file.inode).is_regular() or not file.writable():
        raise SysError(EINVAL)
    limits.check_new_size(k, t, regular.fetch(k, file.inode).size, length)
    regular.resize(k, t.cred, file.inode, length)
    return 0
