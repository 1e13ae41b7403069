"""ppoll and pselect6: what is ready is asked of Linux; who waits, until when, and what wakes them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernel.errno import EBADF, EEXIST, EFAULT, EINVAL
from kernel.fs.constants import O_CREAT, O_DIRECTORY, O_NONBLOCK, O_PATH, O_RDWR, O_WRONLY
from kernel.fs.readiness import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT
from kernel.siginfo import by_user
from kernel.signal_numbers import SIGUSR1
from kernel.signals import send
from tests.kernel.fs.box import BAD, BLOCKED, MEMORY, Box
from tests.kernel.fs.linux import Linux
from tests.kernel.fs.test_devices import Typist
from tests.kernel.machines import run

ALL = 0x7FFF
SECOND = 10**9


# ---- what Linux says

CALLS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from([1, 100, 4096, 65536])),
    st.tuples(st.just("read"), st.sampled_from([1, 100, 4096, 65536])),
    st.tuples(st.just("close"), st.sampled_from([0, 1])),
    st.tuples(st.just("poll"), st.sampled_from([ALL, POLLIN, POLLOUT, 0, 0x100, 0x40, 0x2000])),
    st.tuples(st.just("select"), st.integers(0, 7)),
)


def play(side: Any, calls: list[tuple[str, int]]) -> list[Any]:
    ends = side.pipe(O_NONBLOCK)
    base = min(ends)
    results: list[Any] = []
    for name, argument in calls:
        if name == "write":
            results.append(side.write(ends[1], bytes(argument)))
        elif name == "read":
            results.append(side.read(ends[0], argument))
        elif name == "close":
            results.append(side.close(ends[argument]))
        elif name == "poll":
            results.append(side.poll([(ends[0], argument), (-1, ALL), (ends[1], argument), (1000, argument)]))
        else:
            bits = [(1 << ends[0] | 1 << ends[1]) * (argument >> i & 1) for i in range(3)]
            result, *sets = side.select(max(ends) + 1, *bits)
            results.append((result, [found >> base for found in sets]))
    return results


@given(st.lists(CALLS, max_size=25))
def test_both_ends_of_a_pipe_are_ready_for_what_linux_says(calls: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        linux = Linux(Path(root))
        try:
            expected = play(linux, calls)
        finally:
            linux.finish()
    assert play(Box(), calls) == expected


@pytest.mark.parametrize("flags", [0, O_WRONLY, O_RDWR, O_PATH])
@pytest.mark.parametrize("name", ["null", "zero", "full", "random", "urandom", "file", "directory"])
def test_files_and_devices_are_ready_for_what_linux_says(name: str, flags: int) -> None:
    results = []
    with tempfile.TemporaryDirectory() as root:
        for side in (Box(), Linux(Path(root))):
            if name == "directory":
                fd = side.open("/", O_DIRECTORY | flags)
            elif name == "file":
                side.mkdir("/tmp")
                fd = side.open("/tmp/f", O_CREAT | flags)
            else:
                fd = side.device(name, flags)
            results.append(side.poll([(fd, ALL)]) if fd >= 0 else "refused")
    assert results[0] == results[1]


FIFO_CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.sampled_from([O_NONBLOCK, O_WRONLY | O_NONBLOCK, O_RDWR])),
        st.tuples(st.just("write"), st.integers(0, 5)),
        st.tuples(st.just("read"), st.integers(0, 5)),
        st.tuples(st.just("close"), st.integers(0, 5)),
    ),
    max_size=15,
)


def play_fifo(side: Any, calls: list[tuple[str, int]]) -> list[Any]:
    """After each call its result, and what all open ends are ready for: a reader hears of no end before a beginning."""
    assert side.mkdir("/tmp") in (0, -EEXIST)
    assert side.mknod("/tmp/p", 0o010600) == 0
    ends: list[int] = []
    results: list[Any] = []
    for name, argument in calls:
        if name == "open":
            fd = side.open("/tmp/p", argument)
            results.append(min(fd, 0))
            ends += [fd] * (fd >= 0)
        elif argument < len(ends) and name == "write":
            results.append(side.write(ends[argument], b"x"))
        elif argument < len(ends) and name == "read":
            # (Linux's reader and ours would wait for what an O_RDWR end could write)
            if side.poll([(ends[argument], POLLIN)])[1] == [POLLIN]:
                results.append(side.read(ends[argument], 10))
        elif argument < len(ends):
            results.append(side.close(ends.pop(argument)))
        results.append(side.poll([(fd, ALL) for fd in ends]))
    return results


@given(FIFO_CALLS)
@example([("open", O_NONBLOCK)])
@example([("open", O_NONBLOCK), ("open", O_WRONLY | O_NONBLOCK), ("close", 1), ("open", O_NONBLOCK)])
def test_the_ends_of_a_fifo_are_ready_for_what_linux_says(calls: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        linux = Linux(Path(root))
        try:
            expected = play_fifo(linux, calls)
        finally:
            linux.finish()
    assert play_fifo(Box(), calls) == expected


# ---- waiting


def test_who_polls_sleeps_until_one_of_the_files_is_ready(box: Box) -> None:
    first, second = box.pipe(), box.pipe()
    child = box.fork()
    assert box.poll([(first[0], POLLIN), (second[0], POLLIN)], None) == (BLOCKED, [0, 0])
    child.write(second[1], b"x")
    assert box.again() == 1
    assert box.revents(2) == [0, POLLIN]


def test_a_full_pipe_has_room_again_when_somebody_reads(box: Box) -> None:
    reader, writer = box.pipe(O_NONBLOCK)
    child = box.fork()
    box.write(writer, bytes(65536))
    assert box.poll([(writer, POLLOUT)], None) == (BLOCKED, [0])
    child.read(reader, 100)
    assert box.again() == BLOCKED  # no page is free yet
    child.read(reader, 4096)
    assert box.again() == 1


def test_the_last_writer_s_end_is_seen_though_nobody_asked_for_it(box: Box) -> None:
    reader, writer = box.pipe()
    child = box.fork()
    box.close(writer)
    assert box.poll([(reader, 0)], None) == (BLOCKED, [0])
    child.exit()
    assert box.again() == 1
    assert box.revents(1) == [POLLHUP]


def test_the_time_that_is_left_is_stored(box: Box) -> None:
    reader, writer = box.pipe()
    assert box.poll([(reader, POLLIN)], 5 * SECOND)[0] == BLOCKED
    box.k.machine.clock += 2 * SECOND
    box.k.wake(("pipe-read", box.k.pipes.ids()[0]))
    assert box.again() == BLOCKED
    box.k.machine.clock += 4 * SECOND
    box.k.wake(("pipe-read", box.k.pipes.ids()[0]))
    assert box.again() == 0
    assert unpack("<2q", box.peek(16, MEMORY + 0x9000)) == (0, 0)
    box.write(writer, b"x")
    assert box.poll([(reader, POLLIN)], 5 * SECOND)[0] == 1
    assert unpack("<2q", box.peek(16, MEMORY + 0x9000)) == (5, 0)


def test_the_console_is_ready_when_something_was_typed() -> None:
    door = Typist()
    box = Box(door=door)
    assert box.poll([(0, POLLIN)], None) == (BLOCKED, [0])
    door.typed = b"x"
    box.k.wake(("console",))
    assert box.again() == 1
    assert box.poll([(0, ALL)])[1] == [0x145]
    assert box.poll([(1, POLLOUT), (2, POLLOUT)])[1] == [POLLOUT, POLLOUT]


def test_bad_arguments_are_refused(box: Box) -> None:
    time = box.poke(pack("<2q", 0, SECOND), MEMORY + 0x9000)
    assert box.call("ppoll", MEMORY, 1025, 0, 0, 8) == -EINVAL
    assert box.call("ppoll", MEMORY, 1, time, 0, 8) == -EINVAL
    assert box.call("ppoll", BAD, 1, 0, 0, 8) == -EFAULT
    assert box.call("ppoll", MEMORY, 1, BAD, 0, 8) == -EFAULT
    assert box.call("ppoll", MEMORY, 1, 0, MEMORY, 4) == -EINVAL
    assert box.call("ppoll", MEMORY, 1, 0, BAD, 8) == -EFAULT
    assert box.call("pselect6", -1, 0, 0, 0, 0, 0) == -EINVAL
    assert box.call("pselect6", 1, BAD, 0, 0, 0, 0) == -EFAULT
    assert box.call("pselect6", 1, 0, 0, 0, 0, BAD) == -EFAULT
    assert box.select(10, 1 << 9)[0] == -EBADF
    assert box.poll([(9, POLLIN)]) == (1, [POLLNVAL])


def test_nothing_to_wait_for_is_a_sleep(box: Box) -> None:
    assert box.poll([], 0) == (0, [])
    assert box.poll([], SECOND) == (BLOCKED, [])


def test_a_reader_that_is_gone_is_an_error_for_the_writer(box: Box) -> None:
    reader, writer = box.pipe()
    box.close(reader)
    assert box.poll([(writer, POLLOUT)]) == (1, [POLLOUT | POLLERR])


def test_a_signal_ends_it_even_if_only_the_call_s_own_mask_lets_it_through() -> None:
    """SIGUSR1 is blocked and pending; ppoll with an empty mask: the handler runs, EINTR, and it is blocked again."""
    _, outcome = run("""
        .bss
        .balign 8
    act:    .zero 24
    old:    .zero 8
    runs:   .zero 8
        .text
    handler:
        la      t0, runs
        ld      t1, 0(t0)
        addi    t1, t1, 1
        sd      t1, 0(t0)
        ret
    _start:
        la      t0, handler
        la      t1, act
        sd      t0, 0(t1)
        li      a0, 10
        mv      a1, t1
        li      a2, 0
        li      a3, 8
        sys     134                 # SIGUSR1: handler
        li      a0, 0
        la      a1, mask
        li      a2, 0
        li      a3, 8
        sys     135                 # block it
        sys     172
        li      a1, 10
        sys     129                 # kill myself
        li      a0, 0
        li      a1, 0
        la      a2, zero
        la      a3, none
        li      a4, 8
        sys     73                  # ppoll(NULL, 0, {0, 0}, {})
        mv      s2, a0
        li      a0, 0
        li      a1, 0
        la      a2, old
        li      a3, 8
        sys     135
        ld      t0, old
        li      t1, 0x200
        bne     t0, t1, bad
        addi    s2, s2, 4           # -EINTR
        bnez    s2, bad
        ld      t0, runs
        addi    t0, t0, -1
        bnez    t0, bad
        exit    0
    bad: exit   1
        .section .rodata
        .balign 8
    mask:   .dword 0x200
    none:   .dword 0
    zero:   .dword 0, 0
    """)
    assert outcome.status == 0


def test_a_signal_that_nobody_handles_does_not_end_it(box: Box) -> None:
    reader, _ = box.pipe()
    assert box.poll([(reader, POLLIN)], None)[0] == BLOCKED
    send(box.k, box.task.tgid, by_user(SIGUSR1, box.task))  # pid 1 gets no signal that it has no handler for
    assert box.again() == BLOCKED
