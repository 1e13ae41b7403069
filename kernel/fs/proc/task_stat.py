"""The files of one line: stat, statm, schedstat, wchan. proc_pid_stat(5), proc_pid_statm(5); Linux's fs/proc/array.c"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits, memory_limits
from kernel.fs.device import DRIVERS
from kernel.fs.proc import mask, memory_use, who
from kernel.fs.terminal import THE_CONSOLE
from kernel.task import RUNNING
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel
    from kernel.mm import Mm

TICK = 10_000_000  # ns of a clock tick: 100 a second (AT_CLKTCK)
PRIORITY = 20  # of everybody: there is no nice value
_LOW = (1 << 31) - 1  # the four masks of signals show signals 1 to 31 only


def stat(k: Kernel, about: Who) -> bytes:
    """52 fields. Those that nothing here corresponds to are what Linux shows when nothing is to be said: 0, or -1."""
    group, mm = about.group, who.mm_of(k, about)
    line: list[int | bytes] = [
        *(b"%d (%s) %s" % (about.tid, who.comm(about), who.state(about).encode()), group.parent, group.pgid, group.sid),
        *_terminal(k, about),
        0,  # flags
        *(group.faults, group.children_faults if about.whole else 0, 0, 0),
        *_times(k, about),
        *(PRIORITY, 0, max(len(group.threads), 1), 0, k.pids.born(about.tid) // TICK),
        *((0, 0) if mm is None else (memory_limits.size_of(mm), mm.resident)),
        limits.INFINITY if about.task is None else group.limits[limits.RSS][0],
        *_addresses(mm),
        *_signals(k, about),
        *(int(_waits(about)), 0, 0, group.exit_signal if about.tid == group.tgid else -1, 0, 0, 0, 0, 0, 0),
        *_edges(mm),
        group.status,
    ]
    return b" ".join(field if isinstance(field, bytes) else b"%d" % field for field in line) + b"\n"


def _terminal(k: Kernel, about: Who) -> tuple[int, int]:
    """tty_nr, tpgid: the controlling terminal's device number, and the group in its foreground (0: none)."""
    if not about.group.tty:
        return 0, -1
    return DRIVERS["console"].rdev, k.terminals.peek(THE_CONSOLE).foreground


def _times(k: Kernel, about: Who) -> tuple[int, int, int, int]:
    """utime, stime, cutime, cstime in clock ticks. The kernel takes no time."""
    children = about.group.children_instructions if about.whole else 0
    return who.run_time(k, about) // TICK, 0, children // TICK, 0


def _addresses(mm: Mm | None) -> tuple[int, ...]:
    """startcode, endcode, startstack, kstkesp, kstkeip; the last two are 0 on Linux too, but for one that ends."""
    if mm is None:
        return 0, 0, 0, 0, 0
    return *memory_use.code(mm), mm.start_stack, 0, 0


def _edges(mm: Mm | None) -> tuple[int, ...]:
    """start_data, end_data, start_brk, arg_start, arg_end, env_start, env_end."""
    if mm is None:
        return (0,) * 7
    return *memory_use.data(mm), mm.start_brk, mm.arg_start, mm.arg_end, mm.arg_end, mm.env_end


def _signals(k: Kernel, about: Who) -> tuple[int, ...]:
    """signal, blocked, sigignore, sigcatch"""
    masks = mask.of(k, about)
    return tuple(value & _LOW for value in (masks.thread, masks.blocked, masks.ignored, masks.caught))


def _waits(about: Who) -> bool:
    return about.task is not None and about.task.state != RUNNING


def statm(k: Kernel, about: Who) -> bytes:
    """size resident shared text lib data dt, in pages."""
    mm = who.mm_of(k, about)
    if mm is None:
        return b"0 0 0 0 0 0 0\n"
    rss = memory_use.resident(k, mm)
    start, end = memory_use.code(mm)
    text = (end + PAGE - 1) // PAGE - start // PAGE
    stack = memory_use.stack_size(mm)
    data = (memory_limits.data_size(mm) + stack) // PAGE
    return b"%d %d %d %d 0 %d 0\n" % (memory_limits.size_of(mm) // PAGE, mm.resident, rss.file + rss.shared, text, data)


def schedstat(k: Kernel, about: Who) -> bytes:
    """ns on the hart, ns spent waiting for it (which nobody measures: 0), times that it got the hart."""
    voluntary, involuntary = about.group.switches
    return b"%d 0 %d\n" % (who.run_time(k, about), voluntary + involuntary)


def wchan(k: Kernel, about: Who) -> bytes:
    """As Linux shows it to those who may not know the kernel's addresses: 1 if it sleeps, else 0."""
    return b"%d" % _waits(about)
