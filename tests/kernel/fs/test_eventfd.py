"""eventfd2: what it counts is asked of Linux; who waits for it."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kernel.errno import EFAULT, EINVAL
from kernel.fs.constants import O_CLOEXEC, O_NONBLOCK
from kernel.fs.readiness import POLLIN, POLLOUT
from tests.kernel.fs.box import BAD, BLOCKED, Box
from tests.kernel.fs.linux import Linux

SEMAPHORE = 1
MOST = (1 << 64) - 1
COUNTS = st.sampled_from([0, 1, 2, 5, MOST, MOST - 1, MOST - 2, 1 << 63])
CALLS = st.one_of(
    st.tuples(st.just("write"), COUNTS, st.sampled_from([8, 8, 8, 7, 0])),
    st.tuples(st.just("read"), st.sampled_from([8, 8, 8, 7, 9, 0, 100])),
    st.tuples(st.just("poll"), st.sampled_from([0x7FFF, POLLIN, POLLOUT, 0])),
)


def eventfd(side: Any, count: int, flags: int) -> Any:
    if isinstance(side, Box):
        return side.call("eventfd2", count, flags)
    return side._new(side._do("eventfd", ctypes.c_uint(count), flags))


def play(side: Any, count: int, flags: int, calls: list[tuple[Any, ...]]) -> list[Any]:
    fd = eventfd(side, count, flags)
    results: list[Any] = []
    for name, *arguments in calls:
        if name == "write":
            results.append(side.write(fd, arguments[0].to_bytes(8, "little")[: arguments[1]]))
        elif name == "read":
            results.append(side.read(fd, arguments[0]))
        else:
            results.append(side.poll([(fd, arguments[0])]))
    return results


@given(COUNTS, st.sampled_from([O_NONBLOCK, O_NONBLOCK | SEMAPHORE]), st.lists(CALLS, max_size=20))
def test_any_calls_do_what_linux_does(count: int, flags: int, calls: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        linux = Linux(Path(root))
        try:
            expected = play(linux, count, flags, calls)
        finally:
            linux.finish()
    assert play(Box(), count, flags, calls) == expected


def test_a_reader_waits_for_the_first_count_and_a_writer_for_room(box: Box) -> None:
    fd = eventfd(box, 0, 0)
    child = box.fork()
    assert box.read(fd, 8) == BLOCKED
    child.write(fd, (MOST - 1).to_bytes(8, "little"))
    assert box.again() == 8
    child.write(fd, (MOST - 1).to_bytes(8, "little"))
    assert child.write(fd, (1).to_bytes(8, "little")) == BLOCKED
    assert box.read(fd, 8) == (MOST - 1).to_bytes(8, "little")
    assert child.again() == 8


def test_who_polls_is_woken(box: Box) -> None:
    fd = eventfd(box, 0, O_CLOEXEC)
    child = box.fork()
    assert box.poll([(fd, POLLIN)], None)[0] == BLOCKED
    child.write(fd, (3).to_bytes(8, "little"))
    assert box.again() == 1
    assert box.fcntl(fd, 1) == 1


def test_bad_calls(box: Box) -> None:
    assert eventfd(box, 0, 2) == -EINVAL
    fd = eventfd(box, 7, O_NONBLOCK)
    assert box.call("write", fd, BAD, 8) == -EFAULT
    assert box.call("read", fd, BAD, 8) == -EFAULT
    assert box.call("lseek", fd, 0, 0) == 0
    assert box.call("ftruncate", fd, 0) == -EINVAL


def test_a_snapshot_keeps_the_count(box: Box) -> None:
    fd = eventfd(box, 3, O_NONBLOCK)
    before = box.k.snapshot()
    assert box.read(fd, 8) == (3).to_bytes(8, "little")
    box.k.restore(before)
    assert box.k.eventfds.peek(box.k.eventfds.ids()[0]).count == 3
