"""Stop and continue: job control's half of signals. A stopped process stands still until SIGCONT or SIGKILL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import lifecycle, scheduler
from kernel.task import STOPPED, ThreadGroup

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1
CONTINUED_STATUS = 0xFFFF  # wait4's status word of a process that SIGCONT let go on


def stop(k: Kernel, group: ThreadGroup, signal: int) -> None:
    """Every task of the process stops; its parent may wait for that."""
    group.stopped = signal
    group.report = signal << 8 | 0x7F
    for tid in group.threads:
        scheduler.stop(k, k.tasks[tid])
    lifecycle.notify_parent(k, group)


def go_on(k: Kernel, group: ThreadGroup) -> None:
    """SIGCONT: a stopped process goes on, and its parent may wait for that."""
    if not group.stopped:
        return
    group.stopped = 0
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
