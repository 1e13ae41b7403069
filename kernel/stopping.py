"""Stop and continue: job control's half of signals. A stopped process stands still until SIGCONT or SIGKILL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import reaper, scheduler, signals
from kernel.siginfo import CLD_CONTINUED, CLD_STOPPED
from kernel.signal_numbers import SIGCONT
from kernel.task import STOPPED, Task, ThreadGroup

if TYPE_CHECKING:
    from kernel.kernel import Kernel

CONTINUED_STATUS = 0xFFFF  # wait4's status word of a process that SIGCONT let go on


def stop(k: Kernel, t: Task, group: ThreadGroup, signal: int) -> None:
    """`t` has taken a stop signal: its whole process is to stop. Its threads join when they would look at signals."""
    group.stopping = signal
    for tid in group.threads:
        if tid != t.tid and k.tasks.peek(tid).state != STOPPED:
            signals.wake_for(k, k.tasks[tid], signal)
    join(k, t, group)


def join(k: Kernel, t: Task, group: ThreadGroup) -> None:
    """The task stops. When it is the last one the process is stopped, and its parent may wait for that."""
    scheduler.stop(k, t)
    if any(k.tasks.peek(tid).state != STOPPED for tid in group.threads):
        return
    _set_stopped(k, group, group.stopping)
    reaper.set_report(k, group, group.stopped << 8 | 0x7F)
    reaper.notify_of_stop(k, group, CLD_STOPPED, group.stopped)


def go_on(k: Kernel, group: ThreadGroup) -> None:
    """SIGCONT: a process that is stopped, or about to be, goes on, and its parent may wait for that.

    Of one that was not stopped yet, because a thread of it still ran (or waits in vfork), SIGCHLD says on Linux that it
    was stopped, by signal 0; what wait says is that it goes on.
    """
    if not group.stopped and not group.stopping:
        return
    news = (CLD_CONTINUED, SIGCONT) if group.stopped else (CLD_STOPPED, 0)
    _set_stopped(k, group, 0)
    reaper.set_report(k, group, CONTINUED_STATUS)
    for tid in group.threads:
        t = k.tasks[tid]
        t.attention = True  # what came meanwhile
        if t.state == STOPPED:
            scheduler.make_runnable(k, t)
    reaper.notify_of_stop(k, group, *news)


def ended(k: Kernel, group: ThreadGroup) -> None:
    """The process ends, or is about to: it isn't stopped, and nobody hears any more that it was."""
    _set_stopped(k, group, 0)
    if group.report is not None:
        reaper.set_report(k, group, None)


def _set_stopped(k: Kernel, group: ThreadGroup, signal: int) -> None:
    """It is stopped by `signal` now, or (0) isn't; it isn't on the way to that any more."""
    if bool(group.stopped) != bool(signal):
        k.pgroups[group.pgid].stopped += 1 if signal else -1
    group.stopped, group.stopping = signal, 0
