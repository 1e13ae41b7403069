"""System calls of the time family. A nanosecond is one retired instruction; an idle machine's time jumps."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import cpu_time
from kernel.errno import EINVAL, EOPNOTSUPP, SysError
from kernel.signals import interrupts
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out
from kernel.wait_queues import NO_HANDLER, TIMER, WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID = 0, 1, 2, 3
CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI = 4, 5, 6, 7, 11
TIMER_ABSTIME = 1
NS = 1_000_000_000
LAST_DEADLINE = (1 << 63) - 1  # ns: whoever sleeps longer wakes then (Linux's KTIME_MAX)

_REAL = (CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI)
_MONOTONIC = (CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME)
_SLEEPABLE = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI)


def read_clock(k: Kernel, t: Task, clock: int) -> int:
    """What a clock shows, in ns. SysError(EINVAL) if there is no such clock."""
    if clock in _REAL:
        return k.door.wall_clock + k.now
    if clock in _MONOTONIC:
        return k.now
    if clock == CLOCK_THREAD_CPUTIME_ID:
        return t.instructions
    if clock == CLOCK_PROCESS_CPUTIME_ID:
        return cpu_time.used(k, k.groups.peek(t.tgid))
    raise SysError(EINVAL)


@syscall(113, "clock_gettime", "clock", "time*")
def sys_clock_gettime(k: Kernel, t: Task, clock: int, time: int) -> int:
    """clock_gettime(2)"""
    copy_out(k, t, time, pack("<2q", *divmod(read_clock(k, t, signed32(clock)), NS)))
    return 0


@syscall(101, "nanosleep", "time*", "left*")
def sys_nanosleep(k: Kernel, t: Task, time: int, left: int) -> int:
    """nanosleep(2). What is left of a sleep that a signal interrupts goes to `left`."""
    return _sleep(k, t, CLOCK_MONOTONIC, False, time, left)


@syscall(115, "clock_nanosleep", "clock", "flags", "time*", "left*")
def sys_clock_nanosleep(k: Kernel, t: Task, clock: int, flags: int, time: int, left: int) -> int:
    """clock_nanosleep(2). SysError EOPNOTSUPP for coarse clocks; for CPU clocks too, which are missing."""
    which = signed32(clock)
    if which not in _SLEEPABLE:
        read_clock(k, t, which)
        raise SysError(EOPNOTSUPP)
    return _sleep(k, t, which, bool(flags & TIMER_ABSTIME), time, left)


def _sleep(k: Kernel, t: Task, clock: int, absolute: bool, time: int, left: int) -> int:
    if t.pending is not None:
        deadline = t.pending.deadline
        assert deadline is not None
    else:
        deadline = _timespec(copy_in(k, t, time, 16)) + k.now
        if absolute:
            deadline -= read_clock(k, t, clock)
        deadline = min(deadline, LAST_DEADLINE)
    if k.now >= deadline:
        return 0
    if left and not absolute and interrupts(k, t, NO_HANDLER):
        copy_out(k, t, left, pack("<2q", *divmod(deadline - k.now, NS)))
    raise WouldBlock(TIMER, deadline, restart=NO_HANDLER)


def _timespec(data: bytes) -> int:
    """A struct timespec in ns. SysError(EINVAL) if it is negative or its ns aren't below a second."""
    seconds, ns = unpack("<2q", data)
    if seconds < 0 or not 0 <= ns < NS:
        raise SysError(EINVAL)
    return int(seconds * NS + ns)
