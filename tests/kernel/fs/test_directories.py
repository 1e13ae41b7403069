"""Directories, paths and struct stat, beyond what is compared with Linux call by call."""

from __future__ import annotations

import random

import pytest

from kernel.errno import EACCES, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, ERANGE
from kernel.fs.constants import AT_EMPTY_PATH, AT_FDCWD, O_CREAT, O_DIRECTORY, O_RDWR, O_WRONLY
from tests.kernel.fs.box import BAD, MEMORY, Box

WALL_CLOCK = 1_767_225_600


def test_the_tree_at_boot(box: Box) -> None:
    assert box.listing("/") == [b"bin", b"dev", b"proc", b"tmp"]
    assert box.listing("/tmp") == []
    assert box.listing("/dev") == [b"console", b"full", b"null", b"random", b"tty", b"urandom", b"zero"]
    assert [box.stat(path)[0] for path in ("/", "/bin", "/tmp", "/dev")] == [0o40755, 0o40755, 0o41777, 0o40755]
    assert [box.raw_stat(path)[4] for path in ("/", "/bin", "/tmp", "/dev")] == [1000, 0, 0, 0]
    assert box.open("/mine", O_CREAT) == 3
    assert box.open("/dev/mine", O_CREAT) == -EACCES
    assert box.getcwd() == b"/\0"


def test_struct_stat_has_every_field_where_the_header_has_it(box: Box) -> None:
    fd = box.open("/tmp/file", O_CREAT | O_RDWR, 0o640)
    box.write(fd, b"x" * 5000)
    (dev, ino, mode, nlink, uid, gid, rdev, pad, size, blksize, pad2, blocks, *times) = box.raw_stat("/tmp/file")
    assert (dev, mode, nlink, uid, gid, rdev, pad) == (1, 0o100640, 1, 1000, 1000, 0, 0)
    assert (size, blksize, pad2, blocks) == (5000, 4096, 0, 16)
    assert [seconds - WALL_CLOCK for seconds in times[0:6:2]] == [0, 0, 0]
    assert times[6:] == [0, 0]
    assert box.call("fstat", fd, MEMORY) == 0
    assert box.peek(16) == dev.to_bytes(8, "little") + ino.to_bytes(8, "little")


def test_times_are_the_machines_own(box: Box) -> None:
    fd = box.open("/tmp/file", O_CREAT | O_RDWR)
    box.k.machine.clock += 2_500_000_000
    box.write(fd, b"x")
    assert box.raw_stat("/tmp/file")[14:16] == (WALL_CLOCK + 2, 500_000_000)


def test_a_file_has_one_number_however_it_is_found(box: Box) -> None:
    fd = box.open("/tmp/a", O_CREAT)
    other = box.open("/tmp/b", O_CREAT)
    number = box.raw_stat("/tmp/../tmp/./a")[1]
    assert {name: ino for ino, _, _, name in box.dirents(box.open("/tmp"))}[b"a"] == number
    box.call("newfstatat", fd, box.string(""), MEMORY, AT_EMPTY_PATH)
    assert int.from_bytes(box.peek(16)[8:], "little") == number
    assert box.call("newfstatat", fd, box.string(""), MEMORY, 0) == -ENOENT
    assert box.call("newfstatat", AT_FDCWD, box.string(""), MEMORY, AT_EMPTY_PATH) == 0
    assert box.call("newfstatat", fd, box.string(""), MEMORY, 0x8000) == -EINVAL
    assert box.raw_stat("/tmp/b")[1] != number
    assert box.close(other) == 0


def test_a_relative_path_begins_at_a_directory_that_is_open(box: Box) -> None:
    box.mkdir("/tmp/d")
    directory, plain = box.open("/tmp/d", O_DIRECTORY), box.open("/tmp/f", O_CREAT)
    assert box.open("x", O_CREAT, dirfd=directory) == 5
    assert box.listing("/tmp/d") == [b"x"]
    assert box.open("x", dirfd=plain) == -ENOTDIR
    assert box.open("x", dirfd=77) == -9
    assert box.open("/tmp/f", dirfd=77) == 6
    assert box.open("", dirfd=77) == -ENOENT


def test_a_working_directory_that_was_removed_is_nowhere(box: Box) -> None:
    for name in ("/tmp/a", "/tmp/a/b", "/tmp/a/b/c"):
        box.mkdir(name)
    box.chdir("/tmp/a/b/c")
    for name in ("/tmp/a/b/c", "/tmp/a/b", "/tmp/a"):
        assert box.unlink(name, 0x200) == 0
    assert box.getcwd() == -ENOENT
    assert box.open("x", O_CREAT) == -ENOENT
    assert box.mkdir("x") == -ENOENT
    assert box.stat(".")[1] == 0
    assert box.stat("..")[1] == 0
    assert box.open("../../../f", O_CREAT) == 3  # `..` still leads up, as on Linux
    assert box.chdir("/") == 0
    assert box.listing("/tmp") == [b"f"]


def test_a_very_deep_directory_that_was_removed_is_let_go(box: Box) -> None:
    inodes = len(box.k.inodes)
    box.chdir("/tmp")
    for _ in range(3000):
        assert box.mkdir("d") == 0
        assert box.chdir("d") == 0
    assert box.getcwd() == -ENAMETOOLONG
    for _ in range(3000):
        assert box.call("unlinkat", AT_FDCWD, box.string("../d"), 0x200) == 0
        box.chdir("..")
    assert box.chdir("/") == 0
    assert len(box.k.inodes) == inodes


def test_getcwd_wants_room_for_the_nul_too(box: Box) -> None:
    box.mkdir("/tmp/d")
    box.chdir("/tmp/d")
    assert [box.call("getcwd", MEMORY, size) for size in (0, 6, 7, 8)] == [-ERANGE, -ERANGE, 7, 7]
    assert box.peek(7) == b"/tmp/d\0"
    assert box.call("getcwd", BAD, 6) == -ERANGE
    assert box.call("getcwd", BAD, 7) == -EFAULT


def test_a_child_has_its_own_working_directory(box: Box) -> None:
    child = box.fork()
    child.chdir("/tmp")
    assert (box.getcwd(), child.getcwd()) == (b"/\0", b"/tmp\0")


def test_a_file_lives_on_while_it_is_open(box: Box) -> None:
    fd = box.open("/tmp/file", O_CREAT | O_RDWR)
    box.write(fd, b"still here")
    used = box.k.frames.used
    assert box.unlink("/tmp/file") == 0
    box.lseek(fd, 0, 0)
    assert box.read(fd, 100) == b"still here"
    assert box.open("/tmp/file") == -ENOENT
    box.close(fd)
    assert box.k.frames.used == used - 1


def test_in_tmp_only_the_owner_removes(box: Box) -> None:
    box.open("/tmp/file", O_CREAT)
    inode_id = box.raw_stat("/tmp/file")[1]
    box.k.inodes[inode_id].uid = 0
    assert box.unlink("/tmp/file") == -EPERM


def test_a_listing_goes_on_where_it_was_whatever_is_made_and_removed_meanwhile(box: Box) -> None:
    for i in range(100):
        box.open(f"/tmp/f{i:02}", O_CREAT)
    fd = box.open("/tmp", O_DIRECTORY)
    seen = [name for *_, name in box.dirents(fd, 700)]
    for i in range(0, 100, 2):
        box.unlink(f"/tmp/f{i:02}")
    box.open("/tmp/late", O_CREAT)
    while entries := box.dirents(fd, 300):
        seen += [name for *_, name in entries]
    assert len(seen) == len(set(seen))
    assert {b"late", *(b"f%02d" % i for i in range(1, 100, 2))} <= set(seen)
    box.lseek(fd, 0, 0)
    assert box.dirents(fd)[0][3] == b"."


def test_offsets_of_a_listing_lead_back_to_its_entries(box: Box) -> None:
    for name in ("a", "b", "c"):
        box.open("/tmp/" + name, O_CREAT)
    fd = box.open("/tmp")
    entries = box.dirents(fd)
    assert [(kind, name) for *_, kind, name in entries] == [(4, b"."), (4, b".."), (8, b"a"), (8, b"b"), (8, b"c")]
    for index, (_, offset, _, _) in enumerate(entries):
        box.lseek(fd, offset, 0)
        assert (box.dirents(fd) or []) == entries[index + 1 :]


@pytest.mark.parametrize(("room", "result"), [(0, -EINVAL), (23, -EINVAL), (24, 24), (47, 24), (48, 48)])
def test_a_listing_needs_room_for_an_entry(box: Box, room: int, result: int) -> None:
    assert box.call("getdents64", box.open("/tmp"), MEMORY, room) == result


def test_a_listing_is_of_a_directory(box: Box) -> None:
    assert box.call("getdents64", 0, MEMORY, 100) == -ENOTDIR
    assert box.call("getdents64", box.open("/tmp"), BAD, 100) == -EFAULT


def test_paths_come_from_memory(box: Box) -> None:
    assert box.call("openat", AT_FDCWD, BAD, 0, 0) == -EFAULT
    assert box.call("openat", AT_FDCWD, box.poke(b"/tmp", box.edge() - 4), 0, 0) == -EFAULT
    assert box.call("openat", AT_FDCWD, box.poke(b"/tmp\0", box.edge() - 5), 0, 0) == 3
    assert box.call("openat", AT_FDCWD, box.poke(b"/" * 5000), 0, 0) == -ENAMETOOLONG
    assert box.call("chdir", BAD) == -EFAULT
    assert box.call("mkdirat", 99, BAD, 0) == -EFAULT
    assert box.call("unlinkat", 99, BAD, 1) == -EINVAL


def test_a_directory_with_something_in_it_stays(box: Box) -> None:
    box.mkdir("/tmp/d")
    box.open("/tmp/d/f", O_CREAT)
    assert box.unlink("/tmp/d", 0x200) == -ENOTEMPTY
    box.unlink("/tmp/d/f")
    assert box.unlink("/tmp/d", 0x200) == 0


def test_the_umask_takes_permissions_away(box: Box) -> None:
    box.k.fs_structs[box.task.fs].umask = 0o077
    box.open("/tmp/f", O_CREAT | O_WRONLY, 0o666)
    box.mkdir("/tmp/d", 0o777)
    assert (box.stat("/tmp/f")[0], box.stat("/tmp/d")[0]) == (0o100600, 0o40700)


@pytest.mark.parametrize("seed", range(5))
def test_hostile_arguments_are_answered_with_an_error(seed: int) -> None:
    """No call on files may end in anything but a number, whatever it is given."""
    from kernel.syscalls import table

    box, chance = Box(memory=8 << 20, stdin=b"some input"), random.Random(seed)
    box.string("/tmp/x", MEMORY)
    values = [0, 1, 2, 3, 4, 5, 64, 4095, 4096, MEMORY, MEMORY + 100, BAD, box.edge() - 3, 1 << 31, 1 << 38]
    values += [(1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 100, 0o102, 0o2000, 0o200000]
    modules = ("files", "paths", "pipes", "names", "attributes", "positioned", "copying", "identity", "memfd")
    names = sorted(c.name for c in table.TABLE.values() if c.handler.__module__.rpartition(".")[2] in modules)
    pipes = box.pipe(0o4000)
    box.string("/tmp/x", MEMORY)
    for _ in range(400):
        name = chance.choice(names)
        result = box.call(name, *(chance.choice([*values, chance.getrandbits(64), *pipes]) for _ in range(6)))
        if result == "blocked":
            break
        assert -133 < result < 1 << 63, name
        if not chance.randrange(20):
            box.string("/tmp/x", MEMORY)
