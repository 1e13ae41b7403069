"""System calls that say what was used: getrusage, times, sysinfo."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from kernel import cpu_time
from kernel.errno import EINVAL, SysError
from kernel.initial_stack import CLOCK_TICKS
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_out
from kernel.wait import Usage
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD = 0, -1, 1
_TICK = 1_000_000_000 // CLOCK_TICKS  # ns


@syscall(165, "getrusage", "who", "usage*")
def sys_getrusage(k: Kernel, t: Task, who: int, usage: int) -> int:
    """getrusage(2): of the process, of the children that were waited for, or of the thread. SysError EINVAL, EFAULT."""
    copy_out(k, t, usage, _usage(k, t, signed32(who)).pack())
    return 0


def _usage(k: Kernel, t: Task, who: int) -> Usage:
    group, most = k.groups.peek(t.tgid), k.mms.peek(t.mm).max_resident
    if who == RUSAGE_SELF:
        return Usage(cpu_time.used(k, group), group.faults, max(group.max_frames, most), *group.switches)
    if who == RUSAGE_THREAD:
        return Usage(t.instructions, group.faults, max(group.max_frames, most), *group.switches)
    if who != RUSAGE_CHILDREN:
        raise SysError(EINVAL)
    return Usage(
        group.children_instructions, group.children_faults, group.children_max_frames, *group.children_switches
    )


@syscall(153, "times", "buffer*")
def sys_times(k: Kernel, t: Task, buffer: int) -> int:
    """times(2), in ticks of 1/100 s; all of it is user time. Returns the ticks since boot. SysError EFAULT."""
    group = k.groups.peek(t.tgid)
    if buffer:
        own, children = cpu_time.used(k, group) // _TICK, group.children_instructions // _TICK
        copy_out(k, t, buffer, pack("<4q", own, 0, children, 0))
    return k.now // _TICK


@syscall(179, "sysinfo", "info*")
def sys_sysinfo(k: Kernel, t: Task, info: int) -> int:
    """sysinfo(2): struct sysinfo, sizes in bytes. Load averages are 0: nobody keeps them. SysError EFAULT."""
    total, free = k.frames.total * PAGE, (k.frames.total - k.frames.used) * PAGE
    uptime = -(-k.now // 1_000_000_000)
    words = (uptime, 0, 0, 0, total, free, 0, 0, 0, 0)
    copy_out(k, t, info, pack("<10QHxxxxxx2QIxxxx", *words, len(k.tasks) & 0xFFFF, 0, 0, 1))
    return 0
