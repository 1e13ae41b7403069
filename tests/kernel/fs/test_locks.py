"""Locks on files: who may have what beside whom is asked of Linux, with as many real processes; who waits, for whom."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errno import EAGAIN, EBADF, EDEADLK, EFAULT, EINVAL
from kernel.fs.constants import O_CLOEXEC, O_CREAT, O_PATH, O_RDONLY, O_RDWR, O_WRONLY
from kernel.fs.fdtable import close_on_exec
from tests.kernel.fs.actors import Actor
from tests.kernel.fs.box import BAD, BLOCKED, MEMORY, Box
from tests.kernel.fs.linux import Linux, shared_memory

READ, WRITE, UNLOCK = 0, 1, 2
GETLK, SETLK, SETLKW, OFD_GETLK, OFD_SETLK, OFD_SETLKW = 5, 6, 7, 36, 37, 38
SHARED, EXCLUSIVE, NOW, FREE = 1, 2, 4, 8
AT = MEMORY + 0x2000


def lock(side: Any, fd: int, command: int, kind: int, start: int = 0, size: int = 0, whence: int = 0) -> Any:
    """fcntl of a lock; for F_GETLK what it found as (type, whence, start, size, whose), or -errno."""
    if command == OFD_GETLK and kind == UNLOCK:
        kind = (
            3  # Linux 6.1, which the machine says it is, refuses both; since 6.6 the first asks for locks of one's own
        )
    data = pack("<hh4xqqi4x", kind, whence, start, size, 0)
    if isinstance(side, Box):
        result, found = side.fcntl(fd, command, side.poke(data, AT)), side.peek(32, AT)
    else:
        buffer = ctypes.create_string_buffer(data, 32)
        result = side._do("fcntl", fd, command, buffer)
        found = buffer.raw
    return result if result or command not in (GETLK, OFD_GETLK) else unpack("<hh4xqqi4x", found)


def flock(side: Any, fd: int, operation: int) -> Any:
    return side.call("flock", fd, operation) if isinstance(side, Box) else side._do("flock", fd, operation)


# ---- what Linux says: three processes, two open files that they share, and one that each has for itself

START = st.one_of(st.integers(0, 12), st.sampled_from([-1, -5, (1 << 63) - 1, (1 << 63) - 5, -(1 << 63)]))
SIZE = st.one_of(st.integers(0, 8), st.sampled_from([-1, -3, (1 << 63) - 1, -(1 << 63)]))
WHO, FD = st.integers(0, 2), st.integers(0, 3)
CALLS = st.one_of(
    st.tuples(
        st.just("lock"), WHO, FD, st.sampled_from([GETLK, SETLK, SETLK, OFD_GETLK, OFD_SETLK]),
        st.sampled_from([READ, WRITE, UNLOCK, WRITE, UNLOCK]), st.integers(0, 12), st.integers(0, 8), st.just(0),
    ),
    st.tuples(
        st.just("lock"), WHO, FD, st.sampled_from([GETLK, SETLK, OFD_GETLK, OFD_SETLK]), st.sampled_from([0, 1, 2, 3]),
        START, SIZE, st.sampled_from([0, 1, 2, 3]),
    ),
    st.tuples(st.just("flock"), WHO, FD, st.sampled_from([SHARED | NOW, EXCLUSIVE | NOW, FREE, FREE | NOW, 3, 0, 37])),
    st.tuples(st.just("close"), WHO, FD),
    st.tuples(st.just("dup"), WHO, FD),
    st.tuples(st.just("lseek"), WHO, FD, st.integers(0, 9), st.just(0)),
)  # fmt: skip


def act(side: Any, name: str, fd: int, *arguments: Any) -> Any:
    if name == "lock":
        return lock(side, fd, *arguments)
    if name == "flock":
        return flock(side, fd, *arguments)
    result = getattr(side, name)(fd, *arguments)
    return "fd" if name == "dup" and result >= 0 else result


def opened(side: Any) -> list[int]:
    return [side.open("/tmp/f", O_CREAT | flags, 0o666) for flags in (O_RDWR, O_RDONLY)]


def own(side: Any) -> list[int]:
    return [side.open("/tmp/f", flags) for flags in (O_RDWR, O_WRONLY)]


def by_machine(calls: list[tuple[Any, ...]]) -> list[Any]:
    box = Box()
    shared = opened(box)
    box.write(shared[0], b"0123456789")
    actors = [box, box.fork(), box.fork()]
    fds = [shared + own(actor) for actor in actors]
    pids = {actor.task.tgid: index for index, actor in enumerate(actors)}
    results = []
    for name, who, fd, *arguments in calls:
        results.append(named(act(actors[who], name, fds[who][fd], *arguments), pids))
        box.check()
    return results


def by_linux(calls: list[tuple[Any, ...]]) -> list[Any]:
    with tempfile.TemporaryDirectory(dir=shared_memory()) as root:
        linux = Linux(Path(root))
        linux.mkdir("/tmp", 0o777)
        shared = opened(linux)
        linux.write(shared[0], b"0123456789")
        actors = [Actor(linux) for _ in range(3)]
        try:
            fds = [shared + actor.do(own) for actor in actors]
            pids = {actor.pid: index for index, actor in enumerate(actors)}
            linux.finish()
            return [named(actors[who].do(act, name, fds[who][fd], *rest), pids) for name, who, fd, *rest in calls]
        finally:
            for actor in actors:
                actor.finish()
            linux.finish()


def named(result: Any, pids: dict[int, int]) -> Any:
    """Processes by their place, not their pid; what GETLK doesn't fill in is left out."""
    if not isinstance(result, tuple):
        return result
    return result[0] if result[0] == UNLOCK else (*result[:4], pids.get(result[4], result[4]))


@settings(max_examples=60)
@given(st.lists(CALLS, max_size=25))
def test_any_locks_of_three_processes_do_what_linux_does(calls: list[tuple[Any, ...]]) -> None:
    assert by_machine(calls) == by_linux(calls)


# ---- who waits


@pytest.fixture
def file(box: Box) -> int:
    fd = box.open("/tmp/f", O_CREAT | O_RDWR)
    box.write(fd, b"0123456789")
    return int(fd)


def test_who_wants_what_another_has_waits_until_it_is_free(box: Box, file: int) -> None:
    first, second = box.fork(), box.fork()
    assert lock(box, file, SETLK, WRITE, 0, 10) == 0
    assert lock(first, file, SETLK, READ, 5, 1) == -EAGAIN
    assert lock(first, file, SETLKW, READ, 5, 1) == BLOCKED
    assert lock(second, file, SETLKW, READ, 9, 1) == BLOCKED
    assert lock(box, file, SETLK, UNLOCK, 5, 2) == 0
    assert (first.again(), second.again()) == (0, BLOCKED)
    assert lock(box, file, SETLK, READ, 0, 10) == 0
    assert second.again() == 0


def test_locks_are_not_inherited_and_go_with_any_close_of_the_file(box: Box, file: int) -> None:
    assert lock(box, file, SETLK, WRITE) == 0
    child = box.fork()
    assert lock(child, file, GETLK, WRITE)[4] == box.task.tgid
    box.close(box.open("/tmp/f"))
    assert lock(child, file, SETLK, WRITE) == 0
    child.exit()
    assert lock(box, file, SETLK, WRITE) == 0


def test_an_o_path_descriptor_s_close_takes_no_lock(box: Box, file: int) -> None:
    assert lock(box, file, SETLK, WRITE) == 0
    box.close(box.open("/tmp/f", O_PATH))
    assert lock(box.fork(), file, SETLK, WRITE) == -EAGAIN


def test_exec_keeps_the_locks_of_what_stays_open(box: Box, file: int) -> None:
    child = box.fork()
    other = child.open("/tmp/g", O_CREAT | O_RDWR | O_CLOEXEC)
    assert lock(child, file, SETLK, WRITE) == lock(child, other, SETLK, WRITE) == 0
    close_on_exec(box.k, child.task.fdtable)
    assert lock(box, file, SETLK, READ) == -EAGAIN
    assert lock(box, box.open("/tmp/g", O_RDWR), SETLK, WRITE) == 0


def test_two_who_wait_for_each_other_are_told(box: Box, file: int) -> None:
    first, second = box.fork(), box.fork()
    assert lock(first, file, SETLK, WRITE, 0, 1) == lock(second, file, SETLK, WRITE, 1, 1) == 0
    assert lock(box, file, SETLK, WRITE, 2, 1) == 0
    assert lock(first, file, SETLKW, WRITE, 1, 1) == BLOCKED
    assert lock(second, file, SETLKW, WRITE, 2, 1) == BLOCKED
    assert lock(box, file, SETLKW, WRITE, 0, 1) == -EDEADLK
    second.k.wake(("lock-owner", second.task.fdtable))
    assert second.again() == BLOCKED
    assert lock(box, file, SETLK, UNLOCK, 2, 1) == 0
    assert second.again() == 0


def test_locks_of_open_files_wait_without_looking_for_circles(box: Box, file: int) -> None:
    child = box.fork()
    twin = child.open("/tmp/f", O_RDWR)
    assert lock(box, file, OFD_SETLK, WRITE, 0, 1) == lock(child, twin, OFD_SETLK, WRITE, 1, 1) == 0
    assert lock(box, file, OFD_SETLKW, WRITE, 1, 1) == BLOCKED
    assert lock(child, twin, OFD_SETLKW, WRITE, 0, 1) == BLOCKED


def test_flock_is_the_open_file_s_and_outlives_its_maker(box: Box, file: int) -> None:
    child = box.fork()
    assert flock(child, file, EXCLUSIVE) == 0
    child.exit()
    stranger = box.fork()
    twin = stranger.open("/tmp/f")
    assert flock(stranger, twin, SHARED | NOW) == -EAGAIN
    assert flock(stranger, twin, SHARED) == BLOCKED
    assert flock(box, file, FREE) == 0
    assert stranger.again() == 0
    assert flock(stranger, file, SHARED) == 0
    assert lock(box, file, SETLK, WRITE) == 0  # the two families know nothing of each other


def test_bad_calls(box: Box, file: int) -> None:
    assert flock(box, 99, SHARED) == -EBADF
    assert flock(box, box.open("/tmp/f", O_PATH), SHARED) == -EBADF
    assert flock(box, file, 7) == -EINVAL
    assert box.fcntl(file, SETLK, BAD) == -EFAULT
