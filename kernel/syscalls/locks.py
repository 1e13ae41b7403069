"""System calls that lock files: flock, and fcntl's commands for record locks."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from kernel.errno import EBADF, EINVAL, EOVERFLOW, SysError
from kernel.fs import fdtable, locks, regular
from kernel.fs.constants import FILE_MAX, O_PATH, SEEK_CUR, SEEK_END, SEEK_SET
from kernel.fs.locks import FILE, PROCESS, READ, UNLOCK, WRITE, Lock, Owner
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 36, 37, 38
COMMANDS = (F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)
LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN, LOCK_MAND = 1, 2, 4, 8, 32
_FLOCK = Struct("<hh4xqqi4x")  # struct flock: type, whence, start, len, pid


@syscall(32, "flock", "fd", "operation")
def sys_flock(k: Kernel, t: Task, fd: int, operation: int) -> int:
    """flock(2). Raises EINVAL, EBADF, EAGAIN (LOCK_NB); waits."""
    if operation & LOCK_MAND:
        return 0  # gone from Linux since 5.18: "the request will be ignored"
    kind = {LOCK_SH: READ, LOCK_EX: WRITE, LOCK_UN: UNLOCK}.get(signed32(operation) & ~LOCK_NB)
    if kind is None:
        raise SysError(EINVAL)
    file_id = fdtable.file_id(k.fdtables.peek(t.fdtable), fd)
    file = k.files.peek(file_id)
    if file.flags & O_PATH:
        raise SysError(EBADF)
    locks.flock(k, file.inode, file_id, kind, wait=not operation & LOCK_NB)
    return 0


def command(k: Kernel, t: Task, file_id: int, number: int, address: int) -> int:
    """fcntl's part. Raises EAGAIN, EBADF, EDEADLK, EFAULT, EINVAL, EOVERFLOW; F_SETLKW and F_OFD_SETLKW wait."""
    kind, whence, start, length, pid = _FLOCK.unpack(copy_in(k, t, address, _FLOCK.size))
    is_ofd = number >= F_OFD_GETLK
    asks = number in (F_GETLK, F_OFD_GETLK)
    if asks and kind not in (READ, WRITE):
        raise SysError(EINVAL)
    first, last = _range(k, file_id, whence, start, length)
    if kind not in (READ, WRITE, UNLOCK) or (is_ofd and pid):
        raise SysError(EINVAL)
    owner: Owner = (FILE, file_id) if is_ofd else (PROCESS, t.fdtable)
    wanted = Lock(kind, first, last, -1 if is_ofd else t.tgid)
    file = k.files.peek(file_id)
    if asks:
        _tell(k, t, address, locks.conflict(k, file.inode, owner, wanted))
        return 0
    if (kind == READ and not file.readable()) or (kind == WRITE and not file.writable()):
        raise SysError(EBADF)
    locks.lock(k, file.inode, owner, wanted, number in (F_SETLKW, F_OFD_SETLKW))
    return 0


def _range(k: Kernel, file_id: int, whence: int, start: int, length: int) -> tuple[int, int]:
    """First and last byte. flock64_to_posix_lock() of Linux's fs/locks.c."""
    file = k.files.peek(file_id)
    if whence not in (SEEK_SET, SEEK_CUR, SEEK_END):
        raise SysError(EINVAL)
    base = {SEEK_SET: 0, SEEK_CUR: file.offset}.get(whence)
    if base is None:
        base = regular.fetch(k, file.inode).size
    start += base
    if start > FILE_MAX or (start >= 0 and length - 1 > FILE_MAX - start):
        raise SysError(EOVERFLOW)
    if start < 0 or start + length < 0:
        raise SysError(EINVAL)
    if length < 0:
        return start + length, start - 1
    return start, start + length - 1 if length else FILE_MAX


def _tell(k: Kernel, t: Task, address: int, found: tuple[Owner, Lock] | None) -> None:
    """F_GETLK's answer: the lock in the way, or only that there is none."""
    if found is None:
        copy_out(k, t, address, UNLOCK.to_bytes(2, "little"))
        return
    lock = found[1]
    length = 0 if lock.end == FILE_MAX else lock.end - lock.start + 1
    copy_out(k, t, address, _FLOCK.pack(lock.kind, SEEK_SET, lock.start, length, lock.pid))
