"""Who waits for what. A blocked system call is no suspended Python frame: it is a `Pending` on the task, run again.

A wait key is a plain tuple that names an event: ("child", tgid), ("pipe-read", pipe_id), ("console",). Tasks wait on
one or several keys, in FIFO order. Waking makes them runnable; the handler then runs again, and may well block again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

WaitKey = tuple[Any, ...]  # ("child", 7); its first item is a str, the others are ints

_STALE = 64  # deadlines that may be kept though nobody waits for them
CONSOLE: WaitKey = ("console",)  # waits for input at the machine's door
TIMER: WaitKey = ("timer",)  # waits for nothing but its deadline


# What becomes of a call that waits when a signal's handler is to run (Linux's names for it).
RESTART = 0  # ERESTARTSYS: made again after a handler with SA_RESTART, else EINTR
NO_HANDLER = 1  # ERESTARTNOHAND, ERESTART_RESTARTBLOCK: EINTR after any handler; goes on if none ran
INTERRUPT = 2  # EINTR, even if the process was only stopped and continued
KILLABLE = 3  # TASK_KILLABLE: nothing interrupts it but death


class WouldBlock(Exception):
    """Raised by a system call handler that must wait.

    queue     one WaitKey, or a tuple of several WaitKeys
    deadline  clock value in ns at which the task is woken in any case; None is never
    progress  plain data that the handler finds in `t.pending.progress` when it runs again
    restart   what a signal's handler makes of it (RESTART, NO_HANDLER, INTERRUPT, KILLABLE)
    partial   what the call returns instead, if any signal comes; 0 is nothing
    """

    def __init__(
        self,
        queue: WaitKey | tuple[WaitKey, ...],
        deadline: int | None = None,
        progress: object = None,
        restart: int = 0,
        partial: int = 0,
    ) -> None:
        self.keys: tuple[WaitKey, ...] = queue if isinstance(queue[0], tuple) else (queue,)
        self.deadline = deadline
        self.progress = progress
        self.restart = restart
        self.partial = partial


class Pending(NamedTuple):
    """A system call in progress that had to wait: everything that is needed to run its handler again."""

    call: int  # the system call's number
    arguments: tuple[int, ...]
    deadline: int | None  # clock in ns; passed when k.now >= deadline
    progress: object  # plain data of the handler's own
    keys: tuple[WaitKey, ...]  # what it waits for
    restart: int  # as WouldBlock.restart
    interrupted: bool  # it would go on waiting, but a signal has to be looked at first


class WaitQueues:
    """Wait key → tasks in the order in which they began to wait; and the deadlines of those that have one."""

    __slots__ = ("_queues", "_deadlines", "_current", "_sequence")

    def __init__(self) -> None:
        self._queues: dict[WaitKey, dict[int, None]] = {}
        self._deadlines: list[tuple[int, int, int]] = []  # heap of (deadline, sequence, tid); stale ones stay a while
        self._current: dict[int, int] = {}  # tid → sequence of the one deadline that counts
        self._sequence = 0

    def park(self, tid: int, keys: tuple[WaitKey, ...], deadline: int | None) -> None:
        """The task waits on all of `keys` until one is woken, or the deadline passes."""
        for key in keys:
            self._queues.setdefault(key, {})[tid] = None
        if deadline is not None:
            from heapq import heappush

            self._sequence += 1
            self._current[tid] = self._sequence
            heappush(self._deadlines, (deadline, self._sequence, tid))
            if len(self._deadlines) > 2 * len(self._current) + _STALE:
                self._drop_stale()

    def unpark(self, tid: int, keys: tuple[WaitKey, ...]) -> None:
        """The task waits on `keys` no longer (it was woken, stopped or killed)."""
        self._current.pop(tid, None)
        for key in keys:
            queue = self._queues.get(key)
            if queue is not None and queue.pop(tid, 0) is None and not queue:
                del self._queues[key]

    def _drop_stale(self) -> None:
        """Who sets deadlines and has no use for them shall not fill the memory."""
        from heapq import heapify

        self._deadlines = [entry for entry in self._deadlines if self._current.get(entry[2]) == entry[1]]
        heapify(self._deadlines)

    def waiting(self, key: WaitKey) -> list[int]:
        """The tids that wait on a key, first come first."""
        return list(self._queues.get(key, ()))

    def queue(self, key: WaitKey) -> Iterable[int]:
        """The same without a copy: nobody may begin or cease to wait while it is gone through."""
        return self._queues.get(key, ())

    def awaited(self) -> list[WaitKey]:
        """Every key that somebody waits on."""
        return sorted(self._queues, key=repr)

    def next_deadline(self) -> tuple[int, int] | None:
        """(deadline, tid) that comes first; it may be stale: the caller compares it with the task's own."""
        return (self._deadlines[0][0], self._deadlines[0][2]) if self._deadlines else None

    def drop_deadline(self) -> None:
        """Takes away what `next_deadline` gives."""
        from heapq import heappop

        heappop(self._deadlines)

    def add_alarm(self, tgid: int, deadline: int) -> None:
        """A deadline that nobody waits for: `next_deadline` gives -tgid with it."""
        self.park(-tgid, (), deadline)

    def drop_alarm(self, tgid: int) -> None:
        """That deadline counts no longer."""
        self.unpark(-tgid, ())

    def snapshot(self) -> tuple[Any, ...]:
        """Plain data for `restore`."""
        return (
            {key: dict(tids) for key, tids in self._queues.items()},
            list(self._deadlines),
            dict(self._current),
            self._sequence,
        )

    def restore(self, data: tuple[Any, ...]) -> None:
        """Takes back what `snapshot` gave."""
        queues, deadlines, current, self._sequence = data
        self._queues = {key: dict(tids) for key, tids in queues.items()}
        self._deadlines = list(deadlines)
        self._current = dict(current)
