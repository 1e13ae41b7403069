"""socketpair: what one end says, the other hears, as on Linux; who waits, and what the end of one is to the other."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errno import EFAULT, EINVAL
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
