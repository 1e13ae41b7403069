"""System calls of the futex family: futex, set_robust_list, get_robust_list."""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING

from kernel import futex
from kernel.errno import EAGAIN, EINVAL, ENOSYS, ESRCH, SysError
from kernel.robust_list import HEAD_SIZE
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET = range(11)
WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2 = 11, 12, 13
PRIVATE_FLAG, CLOCK_REALTIME = 128, 256
_TIMED = (WAIT, WAIT_BITSET, LOCK_PI, LOCK_PI2, WAIT_REQUEUE_PI)
NS = 1_000_000_000
LAST_DEADLINE = (1 << 63) - 1


@syscall(98, "futex", "uaddr*", "op", "val", "timeout*", "uaddr2*", "val3")
def sys_futex(k: Kernel, t: Task, address: int, op: int, value: int, timeout: int, address2: int, value3: int) -> int:
    """futex(2). SysError ENOSYS for the PI operations: as a Linux without CONFIG_FUTEX_PI. EFAULT, EINVAL, EAGAIN...

    For the operations without a time `timeout` is a number, val2.
    """
    command, shared = op & 0xFFFFFFFF & ~(PRIVATE_FLAG | CLOCK_REALTIME), not op & PRIVATE_FLAG
    value, value3 = value & 0xFFFFFFFF, value3 & 0xFFFFFFFF
    deadline = _deadline(k, t, command, op, timeout) if command in _TIMED and timeout else None
    if op & CLOCK_REALTIME and command != WAIT_BITSET:
        raise SysError(ENOSYS)
    if command in (WAIT, WAIT_BITSET):
        bitset = value3 if command == WAIT_BITSET else futex.ANY
        return futex.wait(k, t, address, shared, value, bitset, deadline)
    if command in (WAKE, WAKE_BITSET):
        bitset = value3 if command == WAKE_BITSET else futex.ANY
        if not bitset:
            raise SysError(EINVAL)
        return futex.wake(k, futex.key_of(k, t, address, shared), signed32(value), bitset)
    if command in (REQUEUE, CMP_REQUEUE):
        expected = value3 if command == CMP_REQUEUE else None
        return _requeue(k, t, (address, address2), shared, (signed32(value), signed32(timeout)), expected)
    if command == WAKE_OP:
        return _wake_op(k, t, (address, address2), shared, (signed32(value), signed32(timeout)), value3)
    raise SysError(ENOSYS)


def _deadline(k: Kernel, t: Task, command: int, op: int, timeout: int) -> int:
    """WAIT's time is relative, all others' a point of the clock. SysError EFAULT, EINVAL."""
    if t.pending is not None and t.pending.deadline is not None:
        return t.pending.deadline
    seconds, ns = unpack("<2q", copy_in(k, t, timeout, 16))
    if seconds < 0 or not 0 <= ns < NS:
        raise SysError(EINVAL)
    time = int(seconds * NS + ns)
    if command == WAIT:
        time += k.now
    elif op & CLOCK_REALTIME:
        time -= k.door.wall_clock
    return max(0, min(time, LAST_DEADLINE))


def _requeue(
    k: Kernel, t: Task, addresses: tuple[int, int], shared: bool, counts: tuple[int, int], expected: int | None
) -> int:
    """FUTEX_REQUEUE and (with `expected`) FUTEX_CMP_REQUEUE."""
    if min(counts) < 0:
        raise SysError(EINVAL)
    key, other = (futex.key_of(k, t, address, shared) for address in addresses)
    if expected is not None and futex.load(k, t, addresses[0]) != expected:
        raise SysError(EAGAIN)
    return futex.requeue(k, key, other, *counts)


def _wake_op(k: Kernel, t: Task, addresses: tuple[int, int], shared: bool, counts: tuple[int, int], op: int) -> int:
    """FUTEX_WAKE_OP: changes the second word, wakes on the first, and on the second if its old value says so."""
    key, other = (futex.key_of(k, t, address, shared) for address in addresses)
    also = futex.operate(k, t, addresses[1], op)
    return futex.wake(k, key, counts[0]) + (futex.wake(k, other, counts[1]) if also else 0)


@syscall(99, "set_robust_list", "head*", "size")
def sys_set_robust_list(k: Kernel, t: Task, head: int, size: int) -> int:
    """set_robust_list(2). SysError(EINVAL) for another size than struct robust_list_head's."""
    if size != HEAD_SIZE:
        raise SysError(EINVAL)
    t.robust_list = head
    return 0


@syscall(100, "get_robust_list", "tid", "head*", "size*")
def sys_get_robust_list(k: Kernel, t: Task, tid: int, head: int, size: int) -> int:
    """get_robust_list(2). SysError ESRCH, EFAULT."""
    number = signed32(tid)
    if number and number not in k.tasks:
        raise SysError(ESRCH)
    owner = k.tasks.peek(number) if number else t
    copy_out(k, t, size, HEAD_SIZE.to_bytes(8, "little"))
    copy_out(k, t, head, owner.robust_list.to_bytes(8, "little"))
    return 0
