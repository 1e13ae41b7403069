"""Pipes between processes: who waits, who is woken, what nobody will ever read. What fits is asked of Linux."""

from __future__ import annotations

import pytest

from kernel.errno import EAGAIN, EBADF, EFAULT, EINVAL, ENOMEM, EPIPE
from kernel.fs import api as fs
from kernel.fs.constants import F_GETFL, F_GETPIPE_SZ, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_WRONLY
from kernel.signal_numbers import SIGPIPE
from tests.kernel.fs.box import BAD, BLOCKED, MEMORY, Box

CAPACITY = 65536


def has_signal(box: Box, signal: int) -> bool:
    return bool(box.task.signals >> (signal - 1) & 1)


def test_what_one_writes_another_reads(box: Box) -> None:
    reader, writer = box.pipe()
    child = box.fork()
    assert child.write(writer, b"hello") == 5
    assert box.read(reader, 100) == b"hello"


def test_a_reader_waits_for_the_first_byte_and_takes_what_there_is(box: Box) -> None:
    reader, writer = box.pipe()
    child = box.fork()
    assert box.read(reader, 100) == BLOCKED
    child.write(writer, b"abc")
    assert box.again() == 3
    assert box.peek(3) == b"abc"


def test_the_end_comes_when_the_last_writer_closes(box: Box) -> None:
    reader, writer = box.pipe()
    child = box.fork()
    child.write(writer, b"last words")
    box.close(writer)
    assert box.read(reader, 4) == b"last"
    assert box.read(reader, 10) == b" words"
    assert box.read(reader, 10) == BLOCKED
    child.exit()
    assert box.again() == 0
    assert box.read(reader, 10) == b""


def test_a_duplicate_keeps_the_pipe_open(box: Box) -> None:
    reader, writer = box.pipe(O_NONBLOCK)
    twin = box.dup(writer)
    box.close(writer)
    assert box.read(reader, 1) == -EAGAIN
    box.close(twin)
    assert box.read(reader, 1) == b""


def test_a_writer_waits_for_room_and_goes_on_where_it_was(box: Box) -> None:
    reader, writer = box.pipe()
    child = box.fork()
    text = bytes(i % 251 for i in range(CAPACITY + 10_000))
    assert child.write(writer, text) == BLOCKED
    got = box.read(reader, 5000)
    assert child.again() == BLOCKED
    while child.task.state != "R":
        got += box.read(reader, 7000)
        child.again()
    assert int(child.task.hart.x[10]) == len(text)
    box.close(writer)
    child.exit()
    while piece := box.read(reader, 30_000):
        got += piece
    assert got == text


def test_a_write_of_pipe_buf_bytes_is_never_torn_apart(box: Box) -> None:
    reader, writer = box.pipe()
    children = [box.fork() for _ in range(3)]
    for _ in range(16):
        box.write(writer, b"." * 4096)
    for i, child in enumerate(children):
        assert child.write(writer, bytes([65 + i]) * 4096) == BLOCKED
    stream = b""
    for _ in range(19):
        stream += box.read(reader, 4096)
        for child in children:
            if child.task.pending is not None:
                child.again()
    assert [stream[i * 4096 : i * 4096 + 4096] for i in range(16, 19)] == [c * 4096 for c in (b"A", b"B", b"C")]


def test_those_who_wait_are_woken_first_come_first(box: Box) -> None:
    reader, writer = box.pipe()
    children = [box.fork() for _ in range(4)]
    for child in children:
        assert child.read(reader, 2) == BLOCKED
    box.write(writer, b"aabbcc")
    queue = [tid for tid in box.k.run_queue if tid != box.task.tid]
    assert queue == [child.task.tid for child in children]
    assert [child.again() for child in children] == [2, 2, 2, BLOCKED]
    assert [child.peek(2) for child in children[:3]] == [b"aa", b"bb", b"cc"]


def test_who_writes_for_nobody_gets_sigpipe_and_epipe(box: Box) -> None:
    reader, writer = box.pipe()
    child = box.fork()
    box.close(reader)
    assert child.write(writer, b"x") == 1  # the child itself could read it
    child.close(reader)
    assert child.call("write", writer, BAD, 0) == 0
    assert not has_signal(child, SIGPIPE)
    assert child.write(writer, b"x") == -EPIPE
    assert has_signal(child, SIGPIPE)


def test_a_writer_that_waits_hears_that_the_reader_is_gone(box: Box) -> None:
    reader, writer = box.pipe()
    first, second = box.fork(), box.fork()
    for process in (first, second):
        process.close(reader)
    assert first.write(writer, b"x" * (CAPACITY + 100)) == BLOCKED
    assert second.write(writer, b"y") == BLOCKED
    box.close(reader)
    assert first.again() == CAPACITY  # what it could write, it did
    assert has_signal(first, SIGPIPE)
    assert second.again() == -EPIPE
    assert has_signal(second, SIGPIPE)


def test_o_nonblock_belongs_to_the_open_file(box: Box) -> None:
    reader, writer = box.pipe(O_NONBLOCK)
    assert box.read(reader, 1) == -EAGAIN
    assert box.write(writer, b"x" * (CAPACITY + 1)) == CAPACITY
    assert box.write(writer, b"x") == -EAGAIN
    assert box.fcntl(reader, F_GETFL) == O_NONBLOCK
    assert box.fcntl(writer, F_GETFL) == O_NONBLOCK | O_WRONLY
    assert box.fcntl(writer, F_GETPIPE_SZ) == CAPACITY
    assert box.fcntl(0, F_GETPIPE_SZ) == -EBADF


def test_packets_are_read_one_at_a_time_and_cut_to_fit(box: Box) -> None:
    reader, writer = box.pipe(O_DIRECT)
    for packet in (b"first", b"second", b"third"):
        box.write(writer, packet)
    assert [box.read(reader, 3), box.read(reader, 100), box.read(reader, 100)] == [b"fir", b"second", b"third"]


@pytest.mark.parametrize(
    ("address", "flags", "error"), [(MEMORY, 1, EINVAL), (BAD, 1, EINVAL), (BAD, 0, EFAULT), (MEMORY, 0o2000, EINVAL)]
)
def test_pipe2_refuses(box: Box, address: int, flags: int, error: int) -> None:
    assert box.call("pipe2", address, flags) == -error
    assert len(box.k.pipes) == 0
    assert box.open("/dev/null") == 3


def test_pipe2_marks_both_ends(box: Box) -> None:
    reader, writer = box.pipe(O_CLOEXEC)
    assert [box.fcntl(fd, 1) for fd in (reader, writer)] == [1, 1]


def test_a_pipe_takes_one_frame_for_each_page_in_it_and_gives_them_back(box: Box) -> None:
    reader, writer = box.pipe()
    assert list(fs.frames_in_use(box.k)) == []
    box.write(writer, b"x" * 9000)
    assert len(list(fs.frames_in_use(box.k))) == 3
    box.read(reader, 100)
    assert len(list(fs.frames_in_use(box.k))) == 3
    box.read(reader, 9000)
    assert list(fs.frames_in_use(box.k)) == []
    box.write(writer, b"y" * 100)
    used = box.k.frames.used
    box.close(reader)
    box.close(writer)
    assert box.k.frames.used == used - 1


def test_a_pipe_that_finds_no_frame_is_out_of_memory_and_nothing_is_lost() -> None:
    box = Box(memory=2 << 20)
    reader, writer = box.pipe()
    box.poke(b"z" * 100)
    hold = []
    while box.k.frames.used < box.k.frames.total - 1:
        hold.append(box.k.frames.alloc())
    box.poke(b"y" * 5000)
    assert box.write(writer, b"x" * 8192) in (-ENOMEM, 4096)
    while box.k.frames.used < box.k.frames.total:
        hold.append(box.k.frames.alloc())
    full = len(list(fs.frames_in_use(box.k)))
    assert box.call("write", writer, MEMORY, 4096) == -ENOMEM
    assert len(list(fs.frames_in_use(box.k))) == full
    for ppn in hold:
        box.k.frames.release(ppn)
    assert box.call("write", writer, MEMORY, 4096) == 4096
    assert len(box.read(reader, 20_000)) == full * 4096 + 4096


def test_a_snapshot_has_what_is_in_a_pipe(box: Box) -> None:
    from kernel import snapshot

    reader, writer = box.pipe()
    box.write(writer, b"before")
    state = snapshot.take(box.k)
    assert box.read(reader, 3) == b"bef"
    box.write(writer, b" and after")
    box.close(writer)
    snapshot.restore(box.k, state)
    box.task = box.k.tasks[box.task.tid]
    assert box.write(writer, b"!") == 1
    assert box.read(reader, 100) == b"before!"
