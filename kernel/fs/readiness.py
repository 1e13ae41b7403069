"""What an open file is ready for: the one question behind ppoll, pselect6 and epoll. See poll(2).

The answer is a mask of POLL… bits and the keys to wait on until it may change. Waking such a key more often than needed
is harmless: who polls asks again. But a key that is woken for ever without the mask gaining what is wanted is not, so
`wanted` (the events asked for) decides which keys are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.fs import device, special
from kernel.fs.constants import O_PATH, S_IFCHR, S_IFIFO, S_IFMT

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.kernel import Kernel
    from kernel.task import Task
    from kernel.wait_queues import WaitKey

# asm-generic/poll.h
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 0x10, 0x20
POLLRDNORM, POLLRDBAND, POLLWRNORM, POLLWRBAND, POLLRDHUP = 0x40, 0x80, 0x100, 0x200, 0x2000
READABLE = POLLIN | POLLRDNORM
WRITABLE = POLLOUT | POLLWRNORM


class Readiness(NamedTuple):
    """`mask`: POLL… bits, those too that nobody asked for. `keys`: woken when the mask may have changed."""

    mask: int
    keys: tuple[WaitKey, ...] = ()


ALWAYS = Readiness(READABLE | WRITABLE)  # a file that never makes anybody wait
CLOSED = Readiness(POLLNVAL)


def of(k: Kernel, t: Task, file_id: int, wanted: int) -> Readiness:
    """What the open file is ready for now."""
    file = k.files.peek(file_id)
    if file.flags & O_PATH:
        return CLOSED
    inode = k.inodes.peek(file.inode)
    kind = inode.mode & S_IFMT
    if kind == S_IFIFO:
        return _pipe(k, file, inode.number)
    if kind == S_IFCHR:
        return device.readiness(k, inode.driver, wanted)
    known = special.kind_of(inode)
    return known.poll(k, t, file, inode.number, wanted) if known else ALWAYS


def of_descriptor(k: Kernel, t: Task, fd: int, wanted: int) -> Readiness:
    """The same for a descriptor of the task's; CLOSED if it stands for nothing."""
    slot = k.fdtables.peek(t.fdtable).slots.get(fd)
    return CLOSED if slot is None else of(k, t, slot[0], wanted)


def _pipe(k: Kernel, file: OpenFile, pipe_id: int) -> Readiness:
    """pipe_poll() of Linux's fs/pipe.c. Nobody has hung up (POLLHUP) where nobody has been yet."""
    pipe = k.pipes.peek(pipe_id)
    mask, keys = 0, []
    if file.readable():
        keys.append(("pipe-read", pipe_id))
        mask |= READABLE if pipe.buffers else 0
        mask |= 0 if pipe.writers or file.before_writers == pipe.arrived_writers else POLLHUP
    if file.writable():
        keys.append(("pipe-write", pipe_id))
        mask |= WRITABLE if len(pipe.buffers) < pipe.pages else 0
        mask |= 0 if pipe.readers else POLLERR
    return Readiness(mask, tuple(keys))
