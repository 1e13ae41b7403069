"""Named pipes: opening one waits until the other side is there too. See fifo(7), and Linux's fifo_open()."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kernel.errno import ENXIO, SysError
from kernel.fs import file as files
from kernel.fs.constants import O_ACCMODE, O_NONBLOCK, O_RDONLY, O_WRONLY, OPEN_ONLY
from kernel.fs.pipe import Pipe
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

_WAITING = -1  # in Task.held: what a call keeps that is behind no descriptor yet


def open_fifo(k: Kernel, t: Task, inode_id: int, flags: int) -> int:
    """An open file of the fifo; the last close of all leaves the name without a pipe. Raises ENXIO, ENFILE.

    While the caller waits, its end counts already: that is what the other side waits for. A signal closes it again.
    """
    mode, inode = flags & O_ACCMODE, k.inodes[inode_id]
    readers = k.pipes.peek(inode.number).readers if inode.number else 0
    if mode == O_WRONLY and flags & O_NONBLOCK and not readers:
        raise SysError(ENXIO)
    files.check_limit(k)
    if not inode.number:
        inode.number = k.pipes.add(Pipe())
    file_id = files.add(k, inode_id, flags & ~OPEN_ONLY)
    pipe = k.pipes.peek(inode.number)
    k.wake(("fifo", inode.number))
    there = pipe.writers if mode == O_RDONLY else pipe.readers
    if not there and mode == O_RDONLY and inode.parent:
        k.files[file_id].before_writers = pipe.arrived_writers
    if there or flags & O_NONBLOCK or not inode.parent:
        return file_id  # what pipe2 made has no name: it is opened by /proc/PID/fd/N, which never waits
    t.held = (*t.held, (_WAITING, file_id))
    _wait(k, file_id, _arrivals(pipe, mode))
    return file_id


def resume(k: Kernel, t: Task) -> int:
    """The open goes on: the other side has come (it may have gone again), or somebody else has."""
    assert t.pending is not None
    file_id, before = cast("tuple[int, int]", t.pending.progress)
    file = k.files.peek(file_id)
    pipe = k.pipes.peek(k.inodes.peek(file.inode).number)
    if _arrivals(pipe, file.flags & O_ACCMODE) == before:
        _wait(k, file_id, before)
    files.hold(k, file_id)  # the call's own hold ends with it
    return file_id


def _wait(k: Kernel, file_id: int, arrivals: int) -> None:
    number = k.inodes.peek(k.files.peek(file_id).inode).number
    raise WouldBlock(("fifo", number), progress=(file_id, arrivals))


def _arrivals(pipe: Pipe, mode: int) -> int:
    """How often the side that one waits for was opened."""
    return pipe.arrived_writers if mode == O_RDONLY else pipe.arrived_readers
