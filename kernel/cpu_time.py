"""CPU time: what a process has used, and what is due when it has used enough (ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU).

An instruction is a nanosecond, all of it user time: the kernel's own work costs the guest nothing, so both timers run
alike. `ThreadGroup.cpu_alarm` is the lowest figure at which something is due. It is looked at when a time slice ends
(scheduler.py), as Linux looks at it at each tick of its clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits, siginfo, signals
from kernel.signal_numbers import SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import ThreadGroup

VIRTUAL, PROF = 1, 2  # setitimer's numbers
_SIGNALS = {VIRTUAL: SIGVTALRM, PROF: SIGPROF}
NS = 1_000_000_000
LAST = (1 << 63) - 1  # ns


def used(k: Kernel, group: ThreadGroup) -> int:
    """ns of CPU time of all threads that the process has and had."""
    return group.instructions + sum(k.tasks.peek(tid).instructions for tid in group.threads)


def left(k: Kernel, group: ThreadGroup, which: int) -> tuple[int, int]:
    """(ns of CPU time until the signal, 0 if none is coming; interval in ns) of ITIMER_VIRTUAL or ITIMER_PROF."""
    deadline, interval = group.cpu_timers[which - 1]
    return (max(deadline - used(k, group), 1000) if deadline else 0), interval


def arm(k: Kernel, group: ThreadGroup, which: int, wait: int, interval: int) -> None:
    """The signal comes when `wait` ns more are used; 0 is never."""
    _set(group, which, min(used(k, group) + wait, LAST) if wait else 0, interval)
    set_alarm(group)


def _set(group: ThreadGroup, which: int, deadline: int, interval: int) -> None:
    timers = list(group.cpu_timers)
    timers[which - 1] = (deadline, interval)
    group.cpu_timers = (timers[0], timers[1])


def set_alarm(group: ThreadGroup) -> None:
    """After a change of timers or limits: when is the next of them due?"""
    soft, hard = group.limits[limits.CPU]
    due = [deadline for deadline, _ in group.cpu_timers if deadline]
    due += [min(second * NS, LAST) for second in (soft, hard) if second != limits.INFINITY]
    group.cpu_alarm = max(min(due), 1) if due else 0


def check(k: Kernel, tgid: int) -> None:
    """A slice is over: sends what has become due."""
    if not k.groups.peek(tgid).cpu_alarm:
        return
    group = k.groups[tgid]
    time = used(k, group)
    if time >= group.cpu_alarm:
        for which in (VIRTUAL, PROF):
            _expire(k, group, which, time)
        _limit(k, group, time)
        set_alarm(group)


def _expire(k: Kernel, group: ThreadGroup, which: int, time: int) -> None:
    deadline, interval = group.cpu_timers[which - 1]
    if deadline and time >= deadline:
        _set(group, which, min(deadline + interval, LAST) if interval else 0, interval)
        signals.send(k, group.tgid, siginfo.by_kernel(_SIGNALS[which]))


def _limit(k: Kernel, group: ThreadGroup, time: int) -> None:
    """SIGXCPU each second from the soft limit on: Linux raises it as it sends (check_process_timers)."""
    soft, hard = group.limits[limits.CPU]
    if hard != limits.INFINITY and time >= hard * NS:
        signals.send(k, group.tgid, siginfo.by_kernel(SIGKILL))
    elif soft != limits.INFINITY and time >= soft * NS:
        limits.change(group, limits.CPU, soft + 1, hard)
        signals.send(k, group.tgid, siginfo.by_kernel(SIGXCPU))
