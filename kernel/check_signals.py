"""The checker's part for signals: do queues and bits agree, and will all be seen? kernel/check.py calls it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kernel.signal_numbers import FIRST_REALTIME, UNBLOCKABLE
from kernel.task import STOPPED

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup


def findings(k: Kernel) -> list[str]:
    """One line for each: pending bits say what the queues hold, once each but for real-time ones; and _unseen's."""
    found = []
    owners: list[tuple[str, int, Task | ThreadGroup]] = [("task", tid, k.tasks.peek(tid)) for tid in k.tasks.ids()]
    owners += [("process", tgid, k.groups.peek(tgid)) for tgid in k.groups.ids()]
    for kind, number, owner in owners:
        counts = Counter(info.signal for info in owner.queue)
        if sum(1 << signal - 1 for signal in counts) != owner.signals:
            found.append(f"{kind} {number} has signals {owner.signals:#x} pending, but queued {sorted(counts)}")
        found += [
            f"{kind} {number} has signal {signal} {count} times"
            for signal, count in sorted(counts.items())
            if count > 1 and signal < FIRST_REALTIME
        ]
    return found + _unseen(k)


def _unseen(k: Kernel) -> list[str]:
    """What has to be seen will be: by the task that it is for, or by some thread of the process."""
    found = []
    for tid in k.tasks.ids():
        t = k.tasks.peek(tid)
        if t.blocked & UNBLOCKABLE:
            found.append(f"task {tid} blocks SIGKILL or SIGSTOP")
        if t.signals & ~t.blocked and not t.attention and t.state != STOPPED:
            found.append(f"task {tid} has signals {t.signals & ~t.blocked:#x} that it will not see")
    for tgid in k.groups.ids():
        group, awake = k.groups.peek(tgid), [k.tasks.peek(tid) for tid in k.groups.peek(tgid).threads]
        seen = any(t.attention or t.state == STOPPED for t in awake)
        if not seen and any(group.signals & ~t.blocked for t in awake):
            found.append(f"process {tgid} has signals {group.signals:#x} that none of its threads will see")
    return found
