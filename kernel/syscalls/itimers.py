"""setitimer and getitimer: a signal after some time, real (itimer.py) or the process's own (cpu_time.py)."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import cpu_time, itimer
from kernel.errno import EINVAL, SysError
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup

REAL = 0
NS = 1_000_000_000


@syscall(102, "getitimer", "which", "value*")
def sys_getitimer(k: Kernel, t: Task, which: int, value: int) -> int:
    """getitimer(2). SysError EINVAL, EFAULT."""
    copy_out(k, t, value, _itimerval(*_left(k, k.groups[t.tgid], signed32(which))))
    return 0


@syscall(103, "setitimer", "which", "value*", "old*")
def sys_setitimer(k: Kernel, t: Task, which: int, value: int, old: int) -> int:
    """setitimer(2). A null `value` takes the timer back, as on Linux. SysError EINVAL, EFAULT."""
    fields = unpack("<4q", copy_in(k, t, value, 32)) if value else (0, 0, 0, 0)
    if any(field < 0 for field in fields) or fields[1] >= 1_000_000 or fields[3] >= 1_000_000:
        raise SysError(EINVAL)
    group, number = k.groups[t.tgid], signed32(which)
    before = _left(k, group, number)
    interval, wait = fields[0] * NS + fields[1] * 1000, fields[2] * NS + fields[3] * 1000
    _arm(k, group, number, min(wait, itimer.LAST), min(interval, itimer.LAST))
    if old:
        copy_out(k, t, old, _itimerval(*before))
    return 0


def _left(k: Kernel, group: ThreadGroup, which: int) -> tuple[int, int]:
    if which == REAL:
        return itimer.left(k, group)
    if which in (cpu_time.VIRTUAL, cpu_time.PROF):
        return cpu_time.left(k, group, which)
    raise SysError(EINVAL)


def _arm(k: Kernel, group: ThreadGroup, which: int, wait: int, interval: int) -> None:
    if which == REAL:
        itimer.arm(k, group, wait, interval)
    else:
        cpu_time.arm(k, group, which, wait, interval)


def _itimerval(left: int, interval: int) -> bytes:
    """struct itimerval: interval, then what is left, in seconds and microseconds."""
    return pack("<4q", interval // NS, interval % NS // 1000, left // NS, left % NS // 1000)
