"""setitimer's ITIMER_REAL: SIGALRM at a point of the machine's time, once or again and again.

The next turn begins when the program has taken the signal of the last one (Linux does the same): who never takes it
gets no more. It ends a whole number of intervals after the last one did, so that who is late doesn't get later and
later. Deadlines are looked at when a time slice ends, like those of sleeping tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import siginfo, signals
from kernel.signal_numbers import SIGALRM

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import ThreadGroup

LAST = (1 << 63) - 1  # ns


def left(k: Kernel, group: ThreadGroup) -> tuple[int, int]:
    """(ns until the signal, 0 if none is coming; interval in ns)."""
    deadline, interval = group.timer
    return (max(deadline - k.now, 1000) if deadline > 0 else 0), interval


def arm(k: Kernel, group: ThreadGroup, wait: int, interval: int) -> None:
    """The signal comes in `wait` ns; 0 is never, and forgets the interval."""
    group.timer = (min(k.now + wait, LAST), interval) if wait else (0, 0)
    if wait:
        k.wait_queues.add_alarm(group.tgid, group.timer[0])
    else:
        k.wait_queues.drop_alarm(group.tgid)


def is_due(k: Kernel, tgid: int, deadline: int) -> bool:
    """Is this still the deadline of the process's timer?"""
    return tgid in k.groups and k.groups.peek(tgid).timer[0] == deadline


def expire(k: Kernel, tgid: int) -> None:
    """The time has come."""
    group = k.groups[tgid]
    deadline, interval = group.timer
    group.timer = (-deadline, interval)
    signals.send(k, tgid, siginfo.by_kernel(SIGALRM))


def taken(k: Kernel, group: ThreadGroup) -> None:
    """The program takes a SIGALRM: a timer with an interval starts again."""
    deadline, interval = group.timer
    if interval and deadline < 0:
        late = (k.now + deadline) % interval
        arm(k, group, interval - late, interval)
