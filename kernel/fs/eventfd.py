"""eventfd(2): a counter in the kernel that one side adds to and the other waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EAGAIN, EINVAL, SysError
from kernel.fs import readiness, special
from kernel.fs.constants import O_NONBLOCK
from kernel.fs.readiness import POLLIN, POLLOUT, Readiness
from kernel.table import Record
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel
    from kernel.task import Task

MOST = (1 << 64) - 2  # the largest count
SIZE = 8
DRIVER = "[eventfd]"


class EventFd(Record):
    """`count` is 0 to MOST; a `semaphore` gives it out one at a time."""

    __slots__ = ("count", "semaphore")

    def __init__(self, count: int, semaphore: bool) -> None:
        self.count = count
        self.semaphore = semaphore


def _read(k: Kernel, t: Task, number: int, buffer: UserBuffer, flags: int) -> int:
    """Takes the count, or 1 of a semaphore; waits while it is 0. Raises EINVAL (room for under 8 bytes), EAGAIN."""
    if buffer.left < SIZE:
        raise SysError(EINVAL)
    event = k.eventfds[number]
    if not event.count:
        if flags & O_NONBLOCK:
            raise SysError(EAGAIN)
        raise WouldBlock(("eventfd-read", number))
    taken = 1 if event.semaphore else event.count
    event.count -= taken
    k.wake(("eventfd-write", number))
    return buffer.result(buffer.put(taken.to_bytes(SIZE, "little")))


def _write(k: Kernel, t: Task, number: int, buffer: UserBuffer, flags: int) -> int:
    """Adds to the count; waits while it would grow too large. Raises EINVAL (2^64 - 1, fewer than 8 bytes), EAGAIN."""
    if not buffer.left or buffer.segments[-1][1] < SIZE:
        raise SysError(EINVAL)
    data = buffer.take(SIZE)
    if buffer.error:
        raise SysError(buffer.error)
    added = int.from_bytes(data, "little")
    if added > MOST:
        raise SysError(EINVAL)
    event = k.eventfds[number]
    if event.count + added > MOST:
        if flags & O_NONBLOCK:
            raise SysError(EAGAIN)
        raise WouldBlock(("eventfd-write", number))
    event.count += added
    k.wake(("eventfd-read", number))
    return SIZE


def _poll(k: Kernel, t: Task, file: OpenFile, number: int, wanted: int) -> Readiness:
    count = k.eventfds.peek(number).count
    mask = (POLLIN if count else 0) | (POLLOUT if count < MOST else 0)
    keys = [("eventfd-read", number)] * bool(wanted & readiness.READABLE)
    return Readiness(mask, (*keys, *[("eventfd-write", number)] * bool(wanted & readiness.WRITABLE)))


def _closed(k: Kernel, number: int) -> None:
    k.eventfds.remove(number)


special.KINDS[DRIVER] = special.Kind(_read, _write, _poll, _closed, seekable=True)
