"""Stop and continue: job control's half of signals. A stopped process stands still until SIGCONT or SIGKILL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import lifecycle, scheduler, signals
from kernel.task import STOPPED, Task, ThreadGroup

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1
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
    group.stopped, group.stopping = group.stopping, 0
    group.report = group.stopped << 8 | 0x7F
    lifecycle.notify_parent(k, group)


def go_on(k: Kernel, group: ThreadGroup) -> None:
    """SIGCONT: a process that is stopped, or about to be, goes on, and its parent may wait for that."""
    if not group.stopped and not group.stopping:
        return
    group.stopped = group.stopping = 0
    group.report = CONTINUED_STATUS
    for tid in group.threads:
        t = k.tasks[tid]
        t.attention = True  # what came meanwhile
        if t.state == STOPPED:
            scheduler.make_runnable(k, t)
    lifecycle.notify_parent(k, group)


def is_orphaned(k: Kernel, group: ThreadGroup) -> bool:
    """Has nobody in the process group a parent outside it in the same session, who could continue it?"""
    for tgid in k.groups.ids():
        member = k.groups.peek(tgid)
        if member.pgid != group.pgid or member.zombie or member.parent <= INIT:
            continue
        parent = k.groups.peek(member.parent)
        if parent.pgid != group.pgid and parent.sid == group.sid:
            return False
    return True
