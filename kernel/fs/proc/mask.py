"""The sets of signals that stat and status show, as 64-bit masks: bit n-1 is signal n."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.signal_numbers import SIG_DFL, SIG_IGN

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel


class Masks(NamedTuple):
    """Pending for the thread, and for the process; blocked, ignored and caught by it."""

    thread: int
    process: int
    blocked: int
    ignored: int
    caught: int


def of(k: Kernel, about: Who) -> Masks:
    """The masks of a task. A zombie has given back what it would do about signals: all 0."""
    task = about.task
    if task is None:
        return Masks(0, about.group.signals, 0, 0, 0)
    ignored = caught = 0
    for signal, action in k.sighands.peek(task.sighand).actions.items():
        if action.handler == SIG_IGN:
            ignored |= 1 << signal - 1
        elif action.handler != SIG_DFL:
            caught |= 1 << signal - 1
    return Masks(task.signals, about.group.signals, task.blocked, ignored, caught)
