"""Pipes: bytes on their way from writers to readers, in frames of the guest's RAM. See pipe(7).

A pipe is a queue of buffers (16, or what F_SETPIPE_SZ says), one frame each, and it fills them as Linux does, because
a program can tell:

    buffers   [ frame | offset → ██████████ ← length        ]   oldest: readers take from here
              [ frame | ███████████████████████████████████ ]
              [ frame | ███████                              ]   newest: a write that fits in here whole goes in here

A write of up to PIPE_BUF bytes either fits into the newest buffer or takes a fresh one: so it is never torn apart.
A frame is given back as soon as its last byte has been read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.errno import EAGAIN, EBUSY, EINVAL, EPERM, EPIPE, OutOfMemory, SysError
from kernel.fs.constants import O_DIRECT, O_NONBLOCK, PAGE, PIPE_MAX, PIPE_PAGES
from kernel.table import Record
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel
    from kernel.task import Task

Buffer = tuple[int, int, int, bool]  # (ppn, offset, length, packet): `length` bytes from `offset` in the frame


class Pipe(Record):
    """`readers` and `writers` count open files, not descriptors. At most `pages` buffers; their frames are its own."""

    __slots__ = ("buffers", "pages", "readers", "writers", "arrived_readers", "arrived_writers")

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self.pages = PIPE_PAGES  # F_SETPIPE_SZ changes it
        self.readers = 0
        self.writers = 0
        self.arrived_readers = self.arrived_writers = 0  # ever: what an open of a fifo waits for


def opened(k: Kernel, pipe_id: int, reader: bool, writer: bool) -> None:
    """An open file of this pipe has come into being."""
    pipe = k.pipes[pipe_id]
    pipe.readers += reader
    pipe.writers += writer
    pipe.arrived_readers += reader
    pipe.arrived_writers += writer


def closed(k: Kernel, pipe_id: int, reader: bool, writer: bool) -> None:
    """An open file is gone: the other side must look again (end of file, SIGPIPE). The last one frees the pipe."""
    pipe = k.pipes[pipe_id]
    pipe.readers -= reader
    pipe.writers -= writer
    if pipe.readers or pipe.writers:
        k.wake(("pipe-read", pipe_id))
        k.wake(("pipe-write", pipe_id))
        return
    for ppn, *_ in pipe.buffers:
        k.frames.release(ppn)
    k.pipes.remove(pipe_id)


def read(k: Kernel, pipe_id: int, buffer: UserBuffer, flags: int) -> int:
    """Takes what is there, up to what is asked for; waits only while there is nothing. 0 is end of file.

    Raises EAGAIN (O_NONBLOCK), EFAULT. A packet (O_DIRECT) is read alone, and what doesn't fit of it is lost.
    """
    if not buffer.left:
        return 0
    pipe = k.pipes[pipe_id]
    if not pipe.buffers:
        if not pipe.writers:
            return 0
        if flags & O_NONBLOCK:
            raise SysError(EAGAIN)
        raise WouldBlock(("pipe-read", pipe_id))
    moved = _drain(k, pipe, buffer)
    if moved:
        k.wake(("pipe-write", pipe_id))
    return buffer.result(moved)


def _drain(k: Kernel, pipe: Pipe, buffer: UserBuffer) -> int:
    moved = 0
    while buffer.left and pipe.buffers and not buffer.error:
        ppn, offset, length, packet = pipe.buffers[0]
        size = min(length, buffer.left)
        if buffer.put(k.machine.ram.read(ppn * PAGE + offset, size)) < size:
            break  # what the reader's memory has no place for stays in the pipe, this buffer's bytes all together
        moved += size
        if size == length or packet:
            del pipe.buffers[0]
            k.frames.release(ppn)
        else:
            pipe.buffers[0] = (ppn, offset + size, length - size, packet)
        if packet:
            break
    return moved


def write(k: Kernel, t: Task, pipe_id: int, buffer: UserBuffer, flags: int) -> int:
    """Writes all of it, waiting for room as often as needed; what was written so far is the call's progress.

    Raises EPIPE (and sends SIGPIPE) when nobody can read any more, EAGAIN (O_NONBLOCK), EFAULT, ENOMEM.
    """
    if not buffer.left:
        return 0
    pipe = k.pipes[pipe_id]
    done = _progress(t)
    buffer.skip(done)
    if not pipe.readers:
        broken(k, t)
        return _partial(done, EPIPE)
    moved = _fill(k, pipe, buffer, flags, merge=t.pending is None)
    done += moved
    if moved:
        k.wake(("pipe-read", pipe_id))
    if not buffer.left or buffer.error:
        return _partial(done, buffer.error)
    if flags & O_NONBLOCK:
        return _partial(done, EAGAIN)
    raise WouldBlock(("pipe-write", pipe_id), progress=done, partial=done)


def _fill(k: Kernel, pipe: Pipe, buffer: UserBuffer, flags: int, merge: bool) -> int:
    """Puts in what there is room for; returns how much that was."""
    moved = _merge(k, pipe, buffer) if merge else 0
    while buffer.left and not buffer.error and len(pipe.buffers) < pipe.pages:
        moved += _append(k, pipe, buffer, flags)
    return moved


def _progress(t: Task) -> int:
    return t.pending.progress if t.pending is not None and isinstance(t.pending.progress, int) else 0


def _partial(done: int, error: int) -> int:
    if not done and error:
        raise SysError(error)
    return done


def broken(k: Kernel, t: Task) -> None:
    """Nobody will ever read this: the writer gets SIGPIPE, which ends it unless it looks at the error instead."""
    from kernel.siginfo import by_user
    from kernel.signal_numbers import SIGPIPE
    from kernel.signals import send_to_task

    send_to_task(k, t, by_user(SIGPIPE, t))


def _merge(k: Kernel, pipe: Pipe, buffer: UserBuffer) -> int:
    """Puts the odd part of a write (its size modulo a page) behind the newest bytes, if it fits in there whole."""
    odd = buffer.left % PAGE
    if not odd or not pipe.buffers:
        return 0
    ppn, offset, length, packet = pipe.buffers[-1]
    if packet or offset + length + odd > PAGE:
        return 0
    data = buffer.take(odd)
    if buffer.error:
        return 0
    k.machine.ram.write(ppn * PAGE + offset + length, data)
    pipe.buffers[-1] = (ppn, offset, length + odd, packet)
    return odd


def _append(k: Kernel, pipe: Pipe, buffer: UserBuffer, flags: int) -> int:
    """Fills one fresh frame; returns how many bytes. A page that the caller's memory can't fill is not kept."""
    data = buffer.take(PAGE)
    if buffer.error:
        return 0
    try:
        ppn = k.frames.alloc()
    except OutOfMemory as error:
        buffer.error = error.errno
        return 0
    k.machine.ram.write(ppn * PAGE, data)
    pipe.buffers.append((ppn, 0, len(data), bool(flags & O_DIRECT)))
    return len(data)


def resize(k: Kernel, pipe_id: int, size: int, privileged: bool) -> None:
    """F_SETPIPE_SZ: room for `size` bytes, rounded up to a power of two of pages.

    Raises EINVAL (more than 2 GiB), EPERM (more than PIPE_MAX, unless `privileged`), EBUSY (more than that is in use).
    """
    if size > 1 << 31:
        raise SysError(EINVAL)
    size = 1 << (max(size, PAGE) - 1).bit_length()
    pipe = k.pipes[pipe_id]
    if size > max(PIPE_MAX, pipe.pages * PAGE) and not privileged:
        raise SysError(EPERM)
    if len(pipe.buffers) > size // PAGE:
        raise SysError(EBUSY)
    pipe.pages = size // PAGE
    k.wake(("pipe-write", pipe_id))


def frames_in_use(k: Kernel) -> Iterator[int]:
    """Every frame that a pipe holds, as ppn."""
    for pipe_id in k.pipes.ids():
        for ppn, *_ in k.pipes.peek(pipe_id).buffers:
            yield ppn
