"""/dev and the console: what a program says comes out at once, and what it hears comes from the machine's door."""

from __future__ import annotations

import pytest

from kernel.door import Door
from kernel.errno import EACCES, EAGAIN, EFAULT, ENOSPC
from kernel.fs.constants import O_NONBLOCK, O_RDWR, O_WRONLY
from kernel.wait_queues import CONSOLE
from tests.kernel.fs.box import BAD, BLOCKED, MEMORY, Box


class Typist(Door):
    """Somebody at a terminal, who types when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.typed = b""
        self.closed = False

    def ready(self) -> bool:
        return bool(self.typed) or self.closed

    def take(self, size: int) -> bytes:
        data, self.typed = self.typed[:size], self.typed[size:]
        return data


def test_one_and_two_are_standard_output_and_error(box: Box) -> None:
    assert box.write(1, b"to out\n") == 7
    assert box.write(2, b"to err\n") == 7
    assert (box.out, box.err) == (b"to out\n", b"to err\n")


def test_output_comes_out_when_it_is_written_not_later(box: Box) -> None:
    box.write(1, b"a")
    assert box.out == b"a"
    box.write(1, b"b")
    assert box.out == b"ab"


@pytest.mark.parametrize("path", ["/dev/console", "/dev/tty"])
def test_the_console_has_a_name(path: str) -> None:
    box = Box(stdin=b"abc")
    fd = box.open(path, O_RDWR)
    assert box.write(fd, b"hello") == 5
    assert box.out == b"hello"
    assert box.read(fd, 10) == b"abc"


def test_input_is_read_in_pieces_and_ends() -> None:
    box = Box(stdin=b"one\ntwo\n")
    assert [box.read(0, 3), box.read(0, 100), box.read(0, 100), box.read(0, 1)] == [b"one", b"\ntwo\n", b"", b""]


def test_a_child_goes_on_where_its_parent_stopped_reading() -> None:
    box = Box(stdin=b"one\ntwo\n")
    box.read(0, 4)
    assert box.fork().read(0, 4) == b"two\n"


def test_who_waits_for_input_sleeps_until_there_is_some() -> None:
    door = Typist()
    box = Box(door=door)
    assert box.read(0, 10) == BLOCKED
    assert box.k.wait_queues.waiting(CONSOLE) == [box.task.tid]
    door.typed = b"hi\n"
    box.k.wake(CONSOLE)
    assert box.again() == 3
    assert box.peek(3) == b"hi\n"


def test_nobody_sleeps_who_does_not_want_to() -> None:
    door = Typist()
    box = Box(door=door)
    fd = box.open("/dev/console", O_NONBLOCK)
    assert box.read(fd, 10) == -EAGAIN
    assert box.read(0, 0) == b""
    door.closed = True
    assert box.read(fd, 10) == b""


def test_null_swallows_without_looking_and_gives_nothing(box: Box) -> None:
    fd = box.open("/dev/null", O_RDWR)
    assert box.call("write", fd, BAD, 100) == 100
    assert box.call("read", fd, BAD, 100) == 0


def test_zero_gives_zeros_and_swallows(box: Box) -> None:
    fd = box.open("/dev/zero", O_RDWR)
    box.poke(b"x" * 300)
    assert box.read(fd, 200) == bytes(200)
    assert box.peek(201)[200:] == b"x"
    assert box.call("write", fd, BAD, 100) == 100
    assert box.call("read", fd, BAD, 100) == -EFAULT
    assert box.call("read", fd, box.edge() - 10, 100) == 10


def test_full_is_full(box: Box) -> None:
    fd = box.open("/dev/full", O_RDWR)
    assert box.write(fd, b"x") == -ENOSPC
    assert box.read(fd, 4) == bytes(4)


def test_random_is_the_same_in_every_run_and_never_the_same_twice() -> None:
    def numbers(name: str) -> list[bytes]:
        box = Box()
        fd = box.open(name)
        return [box.read(fd, 16), box.read(fd, 16), box.read(box.open(name), 16)]

    first = numbers("/dev/urandom")
    assert first == numbers("/dev/random")
    assert len(set(first)) == 3


def test_writing_from_bad_memory_says_so_or_says_how_far_it_came(box: Box) -> None:
    assert box.call("write", 1, BAD, 5) == -EFAULT
    box.poke(b"0123456789", box.edge() - 10)
    assert box.call("write", 1, box.edge() - 10, 50) == 10
    assert box.out == b"0123456789"
    assert box.call("write", 1, BAD, 0) == 0


def test_writev_says_it_in_one_piece(box: Box) -> None:
    pieces = [(box.poke(b"Hello, ", MEMORY + 100), 7), (BAD, 0), (box.poke(b"world\n", MEMORY + 200), 6)]
    table = b"".join(at.to_bytes(8, "little") + size.to_bytes(8, "little") for at, size in pieces)
    assert box.call("writev", 1, box.poke(table), 3) == 13
    assert box.out == b"Hello, world\n"


def test_devices_belong_to_root_but_everybody_may_use_them(box: Box) -> None:
    assert box.stat("/dev/null") == (0o020666, 1, 0)
    assert box.raw_stat("/dev/null")[6] == 0x103
    assert box.open("/dev/mine", 0o100 | O_WRONLY) == -EACCES
    assert box.unlink("/dev/null") == -EACCES


def test_a_long_line_comes_out_whole(box: Box) -> None:
    text = b"".join(b"%07d\n" % i for i in range(100_000))
    assert box.write(1, text) == 800_000
    assert box.out == text
