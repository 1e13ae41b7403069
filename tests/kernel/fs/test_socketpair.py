"""socketpair: what one end says, the other hears, as on Linux; who waits, and what the end of one is to the other."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errno import EAGAIN, EFAULT, EINVAL, EOPNOTSUPP
from kernel.fs.constants import O_CLOEXEC, O_NONBLOCK
from kernel.fs.readiness import POLLIN
from kernel.signal_numbers import SIGPIPE
from tests.kernel.fs.box import BAD, BLOCKED, MEMORY, Box
from tests.kernel.fs.linux import Linux

STREAM, DGRAM, SEQPACKET = 1, 2, 5
PEEK, TRUNC, DONTWAIT, NOSIGNAL = 2, 0x20, 0x40, 0x4000
AF_UNIX, EAFNOSUPPORT, ENOTSOCK = 1, 97, 88
SIZES = st.sampled_from([0, 1, 2, 3, 10, 100, 4096, 5000])
END = st.integers(0, 1)
CALLS = st.one_of(
    st.tuples(st.just("write"), END, SIZES),
    st.tuples(st.just("read"), END, SIZES),
    st.tuples(st.just("send"), END, SIZES),
    st.tuples(st.just("receive"), END, SIZES, st.sampled_from([0, PEEK, TRUNC, PEEK | TRUNC])),
    st.tuples(st.just("shutdown"), END, st.sampled_from([0, 1, 2, 3])),
    st.tuples(st.just("close"), END),
    st.tuples(st.just("poll"), END),
)


def pair(side: Any, kind: int) -> Any:
    if isinstance(side, Box):
        result = side.call("socketpair", AF_UNIX, kind, 0, MEMORY)
        return result or tuple(int.from_bytes(side.peek(8)[i : i + 4], "little") for i in (0, 4))
    fds = (ctypes.c_int * 2)()
    assert side._do("socketpair", AF_UNIX, kind, 0, fds) == 0
    return side._new(fds[0]), side._new(fds[1])


def send(side: Any, fd: int, data: bytes, flags: int) -> Any:
    if isinstance(side, Box):
        return side.call("sendto", fd, side.poke(data), len(data), flags, 0, 0)
    return side._do("sendto", fd, data, ctypes.c_size_t(len(data)), flags, None, 0)


def receive(side: Any, fd: int, size: int, flags: int) -> Any:
    if isinstance(side, Box):
        count = side.call("recvfrom", fd, MEMORY, size, flags, 0, 0)
        return (count, side.peek(min(count, size))) if isinstance(count, int) and count >= 0 else count
    buffer = ctypes.create_string_buffer(size + 1)
    count = side._do("recvfrom", fd, buffer, ctypes.c_size_t(size), flags, None, None)
    return (count, buffer.raw[: min(count, size)]) if count >= 0 else count


def shutdown(side: Any, fd: int, how: int) -> Any:
    return side.call("shutdown", fd, how) if isinstance(side, Box) else side._do("shutdown", fd, how)


def play(side: Any, kind: int, calls: list[tuple[Any, ...]]) -> list[Any]:
    fds = pair(side, kind | O_NONBLOCK)
    results: list[Any] = []
    for count, (name, end, *rest) in enumerate(calls):
        if name in ("write", "send"):
            data = bytes((count + i) & 0xFF for i in range(rest[0]))
            results.append(side.write(fds[end], data) if name == "write" else send(side, fds[end], data, NOSIGNAL))
        elif name == "read":
            results.append(side.read(fds[end], rest[0]))
        elif name == "receive":
            results.append(receive(side, fds[end], *rest))
        elif name == "shutdown":
            results.append(shutdown(side, fds[end], *rest))
        elif name == "close":
            results.append(side.close(fds[end]))
        else:
            results.append(side.poll([(fds[end], 0x7FFF)]))
    return results


@pytest.mark.parametrize("kind", [STREAM, SEQPACKET, DGRAM])
def test_any_calls_do_what_linux_does(kind: int) -> None:
    @given(st.lists(CALLS, max_size=12))
    def check(calls: list[tuple[Any, ...]]) -> None:
        with tempfile.TemporaryDirectory() as root:
            linux = Linux(Path(root))
            try:
                expected = play(linux, kind, calls)
            finally:
                linux.finish()
        box = Box()
        assert play(box, kind, calls) == expected
        box.check()

    check()


def test_a_reader_waits_and_a_writer_waits_for_room(box: Box) -> None:
    first, second = pair(box, STREAM)
    child = box.fork()
    assert box.read(first, 10) == BLOCKED
    child.write(second, b"hello")
    assert box.again() == 5
    text = bytes(300_000)
    assert child.write(second, text) == BLOCKED
    got = 0
    while child.task.state != "R":
        got += len(box.read(first, 65536))
        child.again()
    assert int(child.task.hart.x[10]) == len(text)


def test_who_polls_hears_of_data_and_of_the_end(box: Box) -> None:
    first, second = pair(box, STREAM | O_CLOEXEC)
    child = box.fork()
    box.close(second)
    assert box.poll([(first, POLLIN)], None)[0] == BLOCKED
    child.exit()
    assert box.again() == 1


def test_bad_calls_and_a_broken_stream(box: Box) -> None:
    assert box.call("socketpair", 2, STREAM, 0, MEMORY) == -EAFNOSUPPORT
    assert box.call("socketpair", AF_UNIX, STREAM | 0x10, 0, MEMORY) == -EINVAL
    assert box.call("socketpair", AF_UNIX, STREAM, 0, BAD) == -EFAULT
    assert box.call("shutdown", 0, 0) == -ENOTSOCK
    first, second = pair(box, STREAM)
    child = box.fork()
    box.close(second)
    child.close(second)
    child.write(first, b"x")
    assert child.task.signals >> SIGPIPE - 1 & 1


def option(side: Any, fd: int, level: int, name: int, size: int) -> Any:
    """getsockopt: (result, what it stored, the size then)."""
    if isinstance(side, Box):
        side.poke(size.to_bytes(4, "little", signed=True) + bytes(16))
        result = side.call("getsockopt", fd, level, name, MEMORY + 4, MEMORY)
        stored = side.peek(20)
        return result, stored[4:], stored[:4]
    value, room = ctypes.create_string_buffer(16), ctypes.create_string_buffer(size.to_bytes(4, "little", signed=True))
    result = side._do("getsockopt", fd, level, name, value, room)
    return result, value.raw, room.raw[:4]


@pytest.mark.parametrize("kind", [STREAM, DGRAM, SEQPACKET])
def test_what_a_socket_says_of_itself(kind: int) -> None:
    """SO_TYPE, SO_ERROR, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN; an unknown option; another level; odd sizes."""
    results = []
    with tempfile.TemporaryDirectory() as root:
        for side in (Box(), Linux(Path(root))):
            fds = pair(side, kind)
            side.write(fds[0], b"unread")
            asked = [(1, name, size) for name in (3, 39, 38, 30, 9999) for size in (4, 16, 2, 0, -1)]
            told = [option(side, fds[0], *each) for each in [*asked, (6, 3, 4), (0, 0, 4)]]
            side.close(fds[1])
            results.append([told, option(side, fds[0], 1, 4, 4), option(side, fds[0], 1, 4, 4)])
    assert results[0] == results[1]


def test_so_peercred_tells_who_made_the_pair(box: Box) -> None:
    fds = pair(box, STREAM)
    child = box.fork()
    result, stored, size = option(child, fds[1], 1, 17, 12)
    pid, uid, gid = (int.from_bytes(stored[i : i + 4], "little") for i in (0, 4, 8))
    assert (result, pid, uid, gid, size[0]) == (0, box.task.tgid, 1000, 1000, 12)


def message(side: Any, call: str, fd: int, parts: list[bytes], flags: int) -> Any:
    """sendmsg or recvmsg with a buffer for each part: (result, the buffers, controllen and flags then)."""
    sizes, sea = [len(part) for part in parts], b"".join(parts)
    buffer = ctypes.create_string_buffer(sea, len(sea) + 1)
    start = MEMORY + 0x1000 if isinstance(side, Box) else ctypes.addressof(buffer)
    iov = b"".join(pack("<QQ", start + sum(sizes[:i]), size) for i, size in enumerate(sizes))
    vector = ctypes.create_string_buffer(iov, len(iov) + 1)
    where = MEMORY + 0x100 if isinstance(side, Box) else ctypes.addressof(vector)
    header = ctypes.create_string_buffer(pack("<QQQQQQQ", 0, 0, where, len(parts), 0, 0, 0xFFFF), 56)
    if isinstance(side, Box):
        side.poke(header.raw)
        side.poke(iov, MEMORY + 0x100)
        side.poke(sea, MEMORY + 0x1000)
        result = side.call(call, fd, MEMORY, flags)
        return result, side.peek(len(sea), MEMORY + 0x1000), side.peek(12, MEMORY + 40)
    result = side._do(call, fd, header, flags)
    return result, buffer.raw[: len(sea)], header.raw[40:52]


@pytest.mark.parametrize("kind", [STREAM, DGRAM, SEQPACKET])
def test_messages_in_several_buffers_travel_as_on_linux(kind: int) -> None:
    results = []
    with tempfile.TemporaryDirectory() as root:
        for side in (Box(), Linux(Path(root))):
            first, second = pair(side, kind | O_NONBLOCK)
            told = [
                message(side, "sendmsg", first, parts, 0) for parts in ([b"ab", b"", b"cde"], [b"fgh"], [], [b"ij"])
            ]
            for sizes, flags in (
                ((1, 1), PEEK),
                ((3, 9), 0),
                ((1, 1), 0),
                ((1,), TRUNC),
                ((9,), 0),
                ((9,), 0),
                ((9,), 0),
            ):
                told.append(message(side, "recvmsg", second, [bytes(size) for size in sizes], flags))
            results.append(told)
    assert results[0] == results[1]


def test_control_data_is_refused_and_nothing_is_sent(box: Box) -> None:
    first, second = pair(box, STREAM | O_NONBLOCK)
    box.poke(pack("<QQQQQQQ", 0, 0, MEMORY + 0x100, 1, MEMORY + 0x200, 20, 0))
    box.poke(pack("<QQ", MEMORY + 0x1000, 4), MEMORY + 0x100)
    assert box.call("sendmsg", first, MEMORY, 0) == -EOPNOTSUPP
    assert box.read(second, 10) == -EAGAIN
