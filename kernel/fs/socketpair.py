"""Pairs of connected unix sockets: socketpair(2), unix(7). What one writes its peer reads, in frames of guest RAM.

    SOCK_STREAM     bytes: a read takes what there is, across messages
    SOCK_SEQPACKET  messages: a read takes one, and what doesn't fit of it is lost; the peer's close is the end
    SOCK_DGRAM      messages; nobody hears that the peer has closed but who writes

A socket holds what it has received. Its sender waits while that is MOST bytes or, of messages, more than BACKLOG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EAGAIN, ECONNREFUSED, ECONNRESET, EMSGSIZE, ENOTCONN, EPIPE, OutOfMemory, SysError
from kernel.fs import special
from kernel.fs.constants import O_NONBLOCK, PAGE
from kernel.fs.readiness import POLLERR, POLLHUP, POLLRDHUP, POLLWRBAND, READABLE, WRITABLE, Readiness
from kernel.table import Record
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.fs.file import OpenFile
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel
    from kernel.task import Task

DRIVER = "socket"
STREAM, DGRAM, SEQPACKET = 1, 2, 5
MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_NOSIGNAL = 2, 0x20, 0x40, 0x4000
MOST = 212_992  # net.core.wmem_default
BACKLOG = 10  # net.unix.max_dgram_qlen
Message = tuple[tuple[int, ...], int, int]  # (frames, offset in the first one, length)


class Socket(Record):
    """One end. The frames of `queue` are its own."""

    __slots__ = ("kind", "maker", "peer", "queue", "held", "no_read", "no_write", "error", "told")

    def __init__(self, kind: int, maker: tuple[int, int, int]) -> None:
        self.kind = kind
        self.maker = maker  # (pid, effective uid, effective gid) of who called socketpair: SO_PEERCRED
        self.peer = 0  # 0: it has closed
        self.queue: list[Message] = []
        self.held = 0  # bytes in the queue
        self.no_read = self.no_write = False  # shutdown(2)
        self.error = 0  # told once
        self.told = False  # a datagram was refused, because the peer has closed


def make(k: Kernel, kind: int, maker: tuple[int, int, int]) -> tuple[int, int]:
    """Two sockets, each the other's peer."""
    first, second = Socket(kind, maker), Socket(kind, maker)
    ids = k.sockets.add(first), k.sockets.add(second)
    second.peer, first.peer = ids
    return ids


def send(k: Kernel, t: Task, number: int, buffer: UserBuffer, nonblock: bool, signal: bool) -> int:
    """Raises EPIPE (with SIGPIPE on a stream, if `signal`), EAGAIN, EMSGSIZE, ECONNREFUSED, ECONNRESET, EFAULT."""
    socket = k.sockets[number]
    done = t.pending.progress if t.pending is not None and isinstance(t.pending.progress, int) else 0
    buffer.skip(done)
    _check_peer(k, t, socket, signal and not done)
    if socket.kind == STREAM:
        return _send_bytes(k, socket, buffer, nonblock, done)
    if buffer.left > MOST - 32:
        raise SysError(EMSGSIZE)
    peer = k.sockets.peek(socket.peer)
    if len(peer.queue) > BACKLOG or (peer.queue and peer.held + buffer.left > MOST):
        _wait(("socket-room", socket.peer), nonblock)
    size = buffer.left
    _put(k, socket.peer, buffer, size)
    if buffer.error:
        raise SysError(buffer.error)
    return size


def _send_bytes(k: Kernel, socket: Socket, buffer: UserBuffer, nonblock: bool, done: int) -> int:
    while buffer.left and not buffer.error:
        room = MOST - k.sockets.peek(socket.peer).held
        if room <= 0:
            if nonblock:
                break
            raise WouldBlock(("socket-room", socket.peer), progress=done, partial=done)
        done += _put(k, socket.peer, buffer, min(room, buffer.left, 32 * PAGE))
    if not done and buffer.left:
        raise SysError(buffer.error or EAGAIN)
    return done


def _check_peer(k: Kernel, t: Task, socket: Socket, signal: bool) -> None:
    """Is there anybody to write to?"""
    if socket.error:
        error, socket.error = socket.error, 0
        raise SysError(error)
    gone = not socket.peer
    if gone and socket.kind == DGRAM and not socket.no_write:
        told, socket.told = socket.told, True
        raise SysError(ENOTCONN if told else ECONNREFUSED)
    if socket.no_write or gone or k.sockets.peek(socket.peer).no_read:
        if signal and socket.kind == STREAM:
            from kernel.fs import pipe

            pipe.broken(k, t)
        raise SysError(EPIPE)


def _wait(key: tuple[str, int], nonblock: bool) -> None:
    if nonblock:
        raise SysError(EAGAIN)
    raise WouldBlock(key)


def _put(k: Kernel, to: int, buffer: UserBuffer, size: int) -> int:
    """A message for the socket `to`, or nothing if the caller's memory or the machine's doesn't hold it."""
    data = buffer.take(size)
    if buffer.error:
        return 0
    frames: list[int] = []
    try:
        for at in range(0, size, PAGE):
            frames.append(k.frames.alloc())
            k.machine.ram.write(frames[-1] * PAGE, data[at : at + PAGE])
    except OutOfMemory as error:
        for ppn in frames:
            k.frames.release(ppn)
        buffer.error = error.errno
        return 0
    peer = k.sockets[to]
    peer.queue.append((tuple(frames), 0, size))
    peer.held += size
    k.wake(("socket-data", to))
    return size


def receive(k: Kernel, t: Task, number: int, buffer: UserBuffer, nonblock: bool, peek: bool, whole: bool) -> int:
    """What has come; 0 at the end. `peek`: it stays. `whole`: the length of the message, however much of it fits.

    Raises EAGAIN, ECONNRESET, EFAULT.
    """
    socket = k.sockets[number]
    if not socket.queue:
        if socket.error:
            error, socket.error = socket.error, 0
            raise SysError(error)
        if socket.no_read or (not socket.peer and socket.kind != DGRAM):
            return 0
        _wait(("socket-data", number), nonblock)
    if socket.kind != STREAM:
        return _receive_message(k, number, socket, buffer, peek, whole)
    moved, index = 0, 0
    while buffer.left and index < len(socket.queue) and not buffer.error:
        frames, offset, length = socket.queue[index]
        size = buffer.put(_bytes(k, frames, offset, min(length, buffer.left)))
        moved += size
        if peek:
            index += 1
        else:
            _consume(k, number, socket, size)
    return buffer.result(moved)


def _receive_message(k: Kernel, number: int, socket: Socket, buffer: UserBuffer, peek: bool, whole: bool) -> int:
    frames, offset, length = socket.queue[0]
    moved = buffer.put(_bytes(k, frames, offset, min(length, buffer.left)))
    if not peek:
        _consume(k, number, socket, length)
    if buffer.error:
        raise SysError(buffer.error)
    return length if whole else moved


def _bytes(k: Kernel, frames: tuple[int, ...], offset: int, size: int) -> bytes:
    data = b"".join(k.machine.ram.read(ppn * PAGE, PAGE) for ppn in frames[: -(-(offset + size) // PAGE)])
    return data[offset : offset + size]


def _consume(k: Kernel, number: int, socket: Socket, size: int) -> None:
    """The first `size` bytes of the first message are gone; of an empty message, the message."""
    frames, offset, length = socket.queue[0]
    offset += size
    used = len(frames) if size == length else offset // PAGE
    for ppn in frames[:used]:
        k.frames.release(ppn)
    if size == length:
        del socket.queue[0]
    else:
        socket.queue[0] = (frames[used:], offset % PAGE, length - size)
    socket.held -= size
    k.wake(("socket-room", number))


def take_error(k: Kernel, number: int) -> int:
    """SO_ERROR: what went wrong meanwhile, or 0; it is told once."""
    socket = k.sockets[number]
    error, socket.error = socket.error, 0
    return error


def shut_down(k: Kernel, number: int, reading: bool, writing: bool) -> None:
    """shutdown(2): both sides look again."""
    socket = k.sockets[number]
    socket.no_read |= reading
    socket.no_write |= writing
    if socket.peer and socket.kind != DGRAM:
        peer = k.sockets[socket.peer]
        peer.no_read |= writing
        peer.no_write |= reading
    _wake_both(k, number, socket.peer)


def _wake_both(k: Kernel, *numbers: int) -> None:
    for number in numbers:
        k.wake(("socket-data", number))
        k.wake(("socket-room", number))


def _closed(k: Kernel, number: int) -> None:
    socket = k.sockets[number]
    unread = bool(socket.queue)
    for frames, _, _ in socket.queue:
        for ppn in frames:
            k.frames.release(ppn)
    if socket.peer:
        peer = k.sockets[socket.peer]
        peer.peer = 0
        if peer.kind != DGRAM:
            peer.no_read = peer.no_write = True
            peer.error = ECONNRESET if unread else 0
    k.sockets.remove(number)
    _wake_both(k, number, socket.peer)


def _read(k: Kernel, t: Task, number: int, buffer: UserBuffer, flags: int) -> int:
    if not buffer.left:
        return 0
    return receive(k, t, number, buffer, bool(flags & O_NONBLOCK), peek=False, whole=False)


def _write(k: Kernel, t: Task, number: int, buffer: UserBuffer, flags: int) -> int:
    return send(k, t, number, buffer, bool(flags & O_NONBLOCK), signal=True)


def _poll(k: Kernel, t: Task, file: OpenFile, number: int, wanted: int) -> Readiness:
    """unix_poll() of Linux's net/unix/af_unix.c."""
    socket = k.sockets.peek(number)
    mask = READABLE if socket.queue else 0
    mask |= POLLERR if socket.error else 0
    mask |= POLLRDHUP | READABLE if socket.no_read else 0
    mask |= POLLHUP if socket.no_read and socket.no_write else 0
    room = True
    if socket.peer:
        peer = k.sockets.peek(socket.peer)
        room = 4 * peer.held <= MOST and (socket.kind == STREAM or len(peer.queue) <= BACKLOG)
    mask |= WRITABLE | POLLWRBAND if room else 0
    return Readiness(mask, (("socket-data", number), ("socket-room", socket.peer)))


def _waiting(k: Kernel, number: int) -> int:
    socket = k.sockets.peek(number)
    return socket.held if socket.kind == STREAM or not socket.queue else socket.queue[0][2]


def frames_in_use(k: Kernel) -> Iterator[int]:
    """Every frame that a socket holds, as ppn."""
    for number in k.sockets.ids():
        for frames, _, _ in k.sockets.peek(number).queue:
            yield from frames


special.KINDS[DRIVER] = special.Kind(_read, _write, _poll, _closed, _waiting)
