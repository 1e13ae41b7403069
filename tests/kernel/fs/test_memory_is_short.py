"""File data lies in the machine's RAM: when that is full, so is the disk, and every frame is accounted for."""

from __future__ import annotations

import pytest

from kernel.errno import EINVAL, ENOMEM, ENOSPC
from kernel.fs import inode
from kernel.fs.constants import O_APPEND, O_CREAT, O_RDWR, O_WRONLY
from tests.kernel.fs.box import MEMORY, Box, Programs


@pytest.fixture
def small() -> Box:
    box = Box(Programs(tool=b"t" * 100_000), memory=2 << 20)
    box.poke(b"d" * 65536)
    box.string("x")
    return box


def fill(box: Box, fd: int) -> int:
    """Writes until there is no more room; returns how much went in."""
    total = 0
    while (count := box.call("write", fd, MEMORY, 65536)) > 0:
        total += count
    assert count == -ENOSPC
    return total


def test_a_file_takes_frames_and_gives_them_back(small: Box) -> None:
    used = small.k.frames.used
    fd = small.open("/tmp/file", O_CREAT | O_RDWR)
    assert small.call("write", fd, MEMORY, 10_000) == 10_000
    assert small.k.frames.used == used + 3
    small.ftruncate(fd, 4096)
    assert small.k.frames.used == used + 1
    small.unlink("/tmp/file")
    small.close(fd)
    assert small.k.frames.used == used


def test_a_hole_takes_none(small: Box) -> None:
    used = small.k.frames.used
    fd = small.open("/tmp/file", O_CREAT | O_RDWR)
    assert small.ftruncate(fd, 1 << 40) == 0
    small.lseek(fd, (1 << 40) - 5, 0)
    assert small.read(fd, 100) == bytes(5)
    assert small.k.frames.used == used
    small.call("lseek", fd, 1 << 50, 0)
    assert small.call("write", fd, MEMORY, 1) == 1
    assert small.k.frames.used == used + 1
    assert small.lseek(fd, 0, 2) == (1 << 50) + 1


def test_a_full_disk_says_how_much_went_in_and_then_that_it_is_full(small: Box) -> None:
    fd = small.open("/tmp/file", O_CREAT | O_WRONLY | O_APPEND)
    total = fill(small, fd)
    assert total % 4096 == 0
    assert small.lseek(fd, 0, 2) == total
    assert small.k.frames.used == small.k.frames.total
    assert small.call("write", fd, MEMORY, 1) == -ENOSPC
    small.check()
    small.unlink("/tmp/file")
    small.close(fd)
    assert fill(small, small.open("/tmp/again", O_CREAT | O_WRONLY)) == total


def test_a_full_machine_still_reads_closes_and_removes(small: Box) -> None:
    reader, writer = small.pipe()
    fd = small.open("/tmp/file", O_CREAT | O_RDWR)
    fill(small, fd)
    assert small.call("write", writer, MEMORY, 100) == -ENOMEM
    assert small.lseek(fd, 5, 0) == 5
    assert small.call("read", fd, MEMORY, 4096) == 4096
    assert small.call("write", 1, MEMORY, 5) == 5
    assert small.call("read", small.open("/bin/tool"), MEMORY, 5000) == -ENOMEM
    assert small.unlink("/tmp/file") == 0
    assert small.close(fd) == 0
    assert small.call("write", writer, MEMORY, 100) == 100
    assert small.call("read", reader, MEMORY, 100) == 100


def test_a_read_into_memory_that_can_not_be_had_stops_before_it(small: Box) -> None:
    fd = small.open("/tmp/file", O_CREAT | O_RDWR)
    small.call("write", fd, MEMORY, 20_000)
    small.lseek(fd, 0, 0)
    other = small.open("/tmp/fill", O_CREAT | O_WRONLY)
    fill(small, other)
    fresh = MEMORY + 0x20_0000  # nobody has touched this page, and there is no frame for it
    assert small.call("read", fd, fresh, 100) == -ENOMEM
    assert small.lseek(fd, 0, 1) == 0
    assert small.call("read", fd, MEMORY + 65536 - 100, 5000) == 100
    assert small.lseek(fd, 0, 1) == 100


def test_programs_make_room_for_data(small: Box) -> None:
    tool = small.open("/bin/tool")
    while small.call("read", tool, MEMORY, 65536) > 0:
        pass
    cached = len(small.k.page_cache.frames())
    assert cached == 25
    fd = small.open("/tmp/file", O_CREAT | O_RDWR)
    fill(small, fd)
    file = small.k.files.peek(small.k.fdtables.peek(small.task.fdtable).slots[fd][0]).inode
    assert {inode for inode, _, _ in small.k.page_cache.frames()} == {file}
    small.unlink("/tmp/file")
    small.close(fd)
    small.lseek(tool, 0, 0)
    assert small.read(tool, 100) == b"t" * 100


def test_the_number_of_files_is_bounded_too() -> None:
    box = Box()
    limit, made = inode.limit(box.k), 0
    while len(box.k.inodes) < limit:
        box.k.inodes.add(inode.Inode(0o100644, 1))
        made += 1
    assert box.open("/tmp/one", O_CREAT) == -ENOSPC
    assert box.mkdir("/tmp/one") == -ENOSPC
    assert box.call("pipe2", MEMORY, 0) == -23
    for inode_id in box.k.inodes.ids()[-made:]:
        box.k.inodes.remove(inode_id)
    assert box.open("/tmp/one", O_CREAT) == 3


def test_the_last_offset_is_the_end(small: Box) -> None:
    fd = small.open("/tmp/file", O_CREAT | O_RDWR)
    assert small.lseek(fd, (1 << 63) - 1, 0) == (1 << 63) - 1
    assert small.call("write", fd, MEMORY, 0) == 0
    assert small.call("write", fd, MEMORY, 1) == -EINVAL
    small.lseek(fd, (1 << 63) - 2, 0)
    assert small.call("write", fd, MEMORY, 1) == 1
