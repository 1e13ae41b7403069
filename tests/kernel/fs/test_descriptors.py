"""Descriptors: what they share, what they do not, and how many there can be."""

from __future__ import annotations

import pytest

from kernel.errno import EBADF, EINVAL, EMFILE, ENFILE, ENOTTY, ESPIPE
from kernel.fs import api as fs
from kernel.fs.constants import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_EXCL,
    O_LARGEFILE,
    O_NONBLOCK,
    O_PATH,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from tests.kernel.fs.box import MEMORY, Box


def make(box: Box, content: bytes = b"0123456789", path: str = "/tmp/file") -> int:
    fd: int = box.open(path, O_CREAT | O_RDWR | O_TRUNC)
    box.write(fd, content)
    box.lseek(fd, 0, 0)
    return fd


def test_a_parent_and_its_child_share_one_offset(box: Box) -> None:
    fd = make(box)
    child = box.fork()
    assert child.read(fd, 3) == b"012"
    assert box.read(fd, 3) == b"345"
    child.lseek(fd, 8, 0)
    assert box.read(fd, 3) == b"89"


def test_closing_in_the_child_leaves_the_parents_descriptor_open(box: Box) -> None:
    fd = make(box)
    child = box.fork()
    assert child.close(fd) == 0
    assert child.read(fd, 1) == -EBADF
    assert box.read(fd, 1) == b"0"


def test_a_child_that_ends_gives_back_what_it_had_open(box: Box) -> None:
    fd = make(box)
    child = box.fork()
    child.pipe()
    files = len(box.k.files)
    child.exit()
    assert len(box.k.files) == files - 2
    assert len(box.k.pipes) == 0
    assert box.read(fd, 1) == b"0"


def test_two_opens_have_two_offsets_and_a_dup_has_none_of_its_own(box: Box) -> None:
    fd, other = make(box), box.open("/tmp/file")
    twin = box.dup(fd)
    assert box.read(fd, 4) == b"0123"
    assert box.read(twin, 4) == b"4567"
    assert box.read(other, 4) == b"0123"


def test_descriptors_are_the_lowest_that_are_free(box: Box) -> None:
    fds = [make(box, path=f"/tmp/{i}") for i in range(4)]
    assert fds == [3, 4, 5, 6]
    box.close(0)
    box.close(4)
    assert [box.dup(3), box.open("/dev/null"), box.dup(3)] == [0, 4, 7]


def test_dup3_replaces_what_was_there(box: Box) -> None:
    fd = make(box)
    assert box.call("dup3", fd, 1, 0) == 1
    assert box.write(1, b"to the file") == 11
    assert box.out == b""
    assert box.call("dup3", fd, 900, O_CLOEXEC) == 900
    assert box.fcntl(900, F_GETFD) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((3, 3, 0), EINVAL),
        ((99, 99, 0), EINVAL),
        ((99, 98, 0), EBADF),
        ((3, 1024, 0), EBADF),
        ((3, -1, 0), EBADF),
        ((3, 4, O_NONBLOCK), EINVAL),
        ((99, 1024, O_CLOEXEC | 1), EINVAL),
    ],
)
def test_dup3_refuses_in_the_order_of_linux(box: Box, arguments: tuple[int, ...], error: int) -> None:
    assert make(box) == 3
    assert box.call("dup3", *arguments) == -error


def test_exec_closes_what_was_marked_and_nothing_else(box: Box) -> None:
    keep, marked = make(box), box.open("/tmp/file", O_CLOEXEC)
    box.fcntl(1, F_SETFD, 1)
    fs.close_on_exec(box.k, box.task.fdtable)
    assert [box.read(fd, 1) for fd in (keep, marked)] == [b"0", -EBADF]
    assert box.write(1, b"x") == -EBADF
    assert box.write(2, b"x") == 1


def test_close_on_exec_belongs_to_the_descriptor_not_to_the_file(box: Box) -> None:
    fd = box.open("/dev/null", O_CLOEXEC)
    assert [box.fcntl(fd, F_GETFD), box.fcntl(box.dup(fd), F_GETFD)] == [1, 0]
    assert box.fcntl(box.fcntl(fd, F_DUPFD_CLOEXEC, 0), F_GETFD) == 1
    assert box.fcntl(fd, F_SETFD, 0) == 0
    assert box.fcntl(fd, F_GETFD) == 0


def test_fcntl_shows_the_flags_that_stay_and_changes_those_that_may(box: Box) -> None:
    fd = box.open("/tmp/file", O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC)
    assert box.fcntl(fd, F_GETFL) == O_WRONLY | O_APPEND | O_LARGEFILE
    assert box.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_CREAT) == 0
    assert box.fcntl(fd, F_GETFL) == O_WRONLY | O_NONBLOCK | O_LARGEFILE


@pytest.mark.parametrize(
    ("fd", "command", "argument", "error"),
    [
        (99, F_GETFD, 0, EBADF),
        (0, F_DUPFD, 1024, EINVAL),
        (0, F_DUPFD, -1, EINVAL),
        (0, 77, 0, EINVAL),
        (99, 77, 0, EBADF),
    ],
)
def test_fcntl_refuses(box: Box, fd: int, command: int, argument: int, error: int) -> None:
    assert box.fcntl(fd, command, argument) == -error


def test_a_process_has_1024_descriptors_and_no_more(box: Box) -> None:
    fd, got = box.open("/dev/null"), 3
    while (result := box.dup(fd)) >= 0:
        got = result
    assert (got, result) == (1023, -EMFILE)
    assert box.open("/dev/null") == -EMFILE
    assert box.open("/nothing/there") == -EMFILE  # the descriptor is looked for first
    assert box.call("pipe2", MEMORY, 0) == -EMFILE
    assert box.fcntl(fd, F_DUPFD, 0) == -EMFILE
    box.close(7)
    assert box.call("pipe2", MEMORY, 0) == -EMFILE  # two are needed
    assert box.open("/dev/null") == 7


def test_the_machine_has_a_bound_for_open_files_of_all_processes() -> None:
    def fill(box: Box) -> int:
        while (result := box.open("/dev/null")) >= 0:
            pass
        return int(result)

    box = Box(memory=101 << 20)
    while fill(box) == -EMFILE:
        box = box.fork()
        for fd in range(1024):
            box.close(fd)
    assert fill(box) == -ENFILE
    assert len(box.k.files) == 101 * 256 * 4 // 10  # four for ten frames, as Linux has one for ten KiB
    box.close(0)
    assert box.call("pipe2", MEMORY, 0) == -ENFILE  # two are needed
    assert box.open("/dev/null") == 0
    assert box.open("/nothing/there") == -ENFILE


def test_a_descriptor_with_o_path_can_only_name_a_file(box: Box) -> None:
    fd = box.open("/tmp", O_PATH)
    assert box.open("x", O_CREAT, dirfd=fd) > 0
    assert box.read(fd, 1) == -EBADF
    assert box.write(fd, b"x") == -EBADF
    assert box.fcntl(fd, F_SETFL, 0) == -EBADF
    assert box.call("fstat", fd, MEMORY) == 0
    assert box.call("fchdir", fd) == 0
    assert box.fcntl(fd, F_GETFL) == O_PATH


@pytest.mark.parametrize(
    "call", ["read", "write", "readv", "writev", "lseek", "close", "fstat", "getdents64", "ioctl", "ftruncate"]
)
def test_a_bad_descriptor_is_found_before_a_bad_pointer(box: Box, call: str) -> None:
    for fd in (3, 1024, -1, 1 << 31):
        assert box.call(call, fd, 8, 1) == -EBADF


def test_reading_what_is_open_for_writing_and_the_other_way_round_is_ebadf(box: Box) -> None:
    make(box)
    reader, writer = box.open("/tmp/file"), box.open("/tmp/file", O_WRONLY)
    neither = box.open("/tmp/file", 3)
    assert [box.write(reader, b"x"), box.read(writer, 1)] == [-EBADF, -EBADF]
    assert [box.write(neither, b"x"), box.read(neither, 1)] == [-EBADF, -EBADF]
    assert box.call("write", reader, 8, 0) == -EBADF
    assert [box.write(0, b"x"), box.read(1, 1)] == [-EBADF, -EBADF]


def test_the_upper_half_of_a_descriptor_argument_is_not_looked_at(box: Box) -> None:
    fd = make(box)
    assert box.call("read", fd | 7 << 32, MEMORY, 1) == 1


@pytest.mark.parametrize("path", ["/tmp/file", "/dev/null", "/tmp"])
def test_ioctl_knows_no_commands(box: Box, path: str) -> None:
    make(box)
    assert box.call("ioctl", box.open(path), 0x5401, MEMORY) == -ENOTTY


def test_pipes_and_the_console_have_no_offset(box: Box) -> None:
    reader, writer = box.pipe()
    assert [box.lseek(fd, 0, 1) for fd in (reader, writer, 0, 1, 2)] == [-ESPIPE] * 5
    assert [box.lseek(fd, 0, 99) for fd in (reader, 0)] == [-EINVAL] * 2
    assert box.lseek(box.open("/dev/null"), 77, 0) == 0
