"""Named pipes, seals, chroot, statx, statfs, times of access: what is not compared with Linux call by call."""

from __future__ import annotations

from struct import pack, unpack

from kernel.errno import EACCES, EBUSY, EINVAL, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM, ESPIPE
from kernel.fs import naming
from kernel.fs.constants import (
    F_ADD_SEALS,
    F_GET_SEALS,
    F_SEAL_EXEC,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    O_CREAT,
    O_DIRECTORY,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_RDWR,
    O_TMPFILE_BIT,
    O_WRONLY,
)
from tests.kernel.fs.box import BLOCKED, MEMORY, Box

WALL_CLOCK = 1_767_225_600
SECOND = 1_000_000_000


# ---- named pipes


def test_opening_a_fifo_waits_for_the_other_side(box: Box) -> None:
    box.mknod("/tmp/p", 0o010600)
    other = box.fork()
    assert box.open("/tmp/p", O_RDONLY) == BLOCKED
    assert other.open("/tmp/p", O_WRONLY) == 3
    assert box.again() == 3
    assert other.write(3, b"through it") == 10
    assert box.read(3, 100) == b"through it"
    assert other.close(3) == 0
    assert box.read(3, 100) == b""
    assert box.close(3) == 0
    assert len(box.k.pipes) == 0, "nothing of the pipe is left, but its name"
    assert box.open("/tmp/p", O_RDWR) == 3, "which can be opened again"


def test_a_writer_that_waited_goes_on_even_if_the_reader_has_gone_again(box: Box) -> None:
    """fifo_open() counts who has ever come."""
    box.mknod("/tmp/p", 0o010600)
    other = box.fork()
    assert box.open("/tmp/p", O_WRONLY) == BLOCKED
    assert other.open("/tmp/p", O_RDONLY) == 3
    assert other.close(3) == 0
    assert box.again() == 3


def test_a_signal_ends_the_wait_for_the_other_side(box: Box) -> None:
    box.mknod("/tmp/p", 0o010600)
    child = box.fork()
    assert child.open("/tmp/p", O_RDONLY) == BLOCKED
    assert box.call("kill", child.task.tgid, 9) == 0
    child.task.attention = True
    from kernel import signals

    signals.deliver(box.k, child.task)
    assert len(box.k.pipes) == 0


def test_a_fifo_is_opened_without_waiting(box: Box) -> None:
    box.mknod("/tmp/p", 0o010600)
    assert box.open("/tmp/p", O_WRONLY | O_NONBLOCK) == -ENXIO
    assert box.open("/tmp/p", O_PATH) == 3
    assert box.open("/tmp/p", O_RDONLY | O_NONBLOCK) == 4
    assert box.open("/tmp/p", O_WRONLY | O_NONBLOCK) == 5
    assert box.pread(4, 1, 0) == -ESPIPE
    assert box.unlink("/tmp/p") == 0
    assert box.write(5, b"still a pipe") == 12


def test_special_files_without_anybody_behind_them(box: Box) -> None:
    assert box.mknod("/tmp/s", 0o140600) == 0
    assert box.open("/tmp/s") == -ENXIO
    assert box.mknod("/tmp/d", 0o020600, 0x103) == -EPERM, "a device needs CAP_MKNOD"
    root = Box(root=True)
    assert root.mknod("/tmp/null", 0o020666, 0x103) == 0
    assert root.write(root.open("/tmp/null", O_WRONLY), b"gone") == 4
    assert root.mknod("/tmp/none", 0o020666, 0x1234) == 0
    assert root.open("/tmp/none") == -ENXIO


# ---- seals


def memfd(box: Box, flags: int = 2) -> int:
    fd = box.call("memfd_create", box.string("name"), flags)
    assert isinstance(fd, int)
    return fd


def test_a_sealed_file_does_not_change_any_more(box: Box) -> None:
    fd = memfd(box)
    box.write(fd, b"x" * 5000)
    assert box.fcntl(fd, F_GET_SEALS) == 0
    assert box.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0
    assert (box.ftruncate(fd, 4999), box.ftruncate(fd, 5001), box.ftruncate(fd, 5000)) == (-EPERM, -EPERM, 0)
    assert box.pwrite(fd, b"yy", 4999) == -EPERM
    assert box.pwrite(fd, b"yy", 4998) == 2
    assert box.fallocate(fd, 0, 5000, 10) == -EPERM
    assert box.fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0
    assert box.pwrite(fd, b"z", 0) == -EPERM
    assert box.fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC) == -EPERM
    assert box.fcntl(fd, F_GET_SEALS) == 15


def test_a_write_up_to_where_the_seal_begins_is_cut_at_a_page(box: Box) -> None:
    fd = memfd(box)
    box.ftruncate(fd, 8192)
    box.fcntl(fd, F_ADD_SEALS, F_SEAL_GROW)
    assert box.pwrite(fd, b"w" * 5000, 4096) == 4096
    assert box.pwrite(fd, b"w", 8192) == -EPERM


def test_seals_and_mappings(box: Box) -> None:
    fd = memfd(box)
    box.ftruncate(fd, 4096)
    address = box.call("mmap", 0, 4096, 3, 1, fd, 0)
    assert box.fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -EBUSY
    assert box.fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0
    assert box.call("mmap", 0, 4096, 3, 1, fd, 0) == -EPERM
    assert box.call("munmap", address, 4096) == 0
    assert box.fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0
    readable = box.call("mmap", 0, 4096, 1, 1, fd, 0)
    assert readable > 0
    assert box.call("mprotect", readable, 4096, 3) == -EACCES
    assert box.call("mmap", 0, 4096, 3, 2, fd, 0) > 0, "a private mapping is nobody else's business"


def test_what_may_be_sealed(box: Box) -> None:
    plain, plain_file = memfd(box, 0), box.open("/tmp/f", O_CREAT | O_RDWR)
    assert box.fcntl(plain, F_GET_SEALS) == F_SEAL_SEAL
    assert box.fcntl(plain, F_ADD_SEALS, F_SEAL_GROW) == -EPERM
    assert box.fcntl(plain_file, F_GET_SEALS) == F_SEAL_SEAL
    assert box.fcntl(box.open("/dev/null"), F_GET_SEALS) == -EINVAL
    assert box.fcntl(box.open("/tmp"), F_GET_SEALS) == -EINVAL
    assert box.fcntl(memfd(box), F_ADD_SEALS, 64) == -EINVAL
    never = memfd(box, 8)
    assert box.fcntl(never, F_GET_SEALS) == F_SEAL_EXEC
    assert box.call("fchmod", never, 0o755) == -EPERM
    assert box.call("fchmod", never, 0o600) == 0


# ---- chroot


def test_chroot_is_where_paths_begin_and_dots_end() -> None:
    box = Box(root=True)
    box.mkdir("/tmp/jail")
    box.open("/tmp/jail/f", O_CREAT)
    assert box.call("chroot", box.string("/tmp/jail/f")) == -ENOTDIR
    assert box.call("chroot", box.string("/tmp/jail")) == 0
    assert box.getcwd() == b"(unreachable)/\0"
    assert box.listing("/") == [b"f"]
    assert box.stat("/../../f") == box.stat("/f")
    assert box.open("/tmp") == -ENOENT
    box.symlink("/f", "/link")
    assert box.open("/link") > 0
    assert box.chdir("/") == 0
    assert box.getcwd() == b"/\0"
    child = box.fork()
    assert child.listing("/") == [b"f", b"link"]
    assert Box().call("chroot", box.string("/tmp")) < 0


def test_chroot_is_roots() -> None:
    box = Box()
    assert box.call("chroot", box.string("/tmp")) == -EPERM


# ---- what stat and its kin show


def test_reading_moves_the_time_of_access_once_after_each_change(box: Box) -> None:
    """relatime, as Linux mounts by default."""
    fd = box.open("/tmp/f", O_CREAT | O_RDWR)
    box.write(fd, b"data")

    def times() -> list[int]:
        return [seconds - WALL_CLOCK for seconds in box.raw_stat("/tmp/f")[12:18:2]]

    box.k.machine.clock += 5 * SECOND
    box.pread(fd, 4, 0)
    assert times() == [5, 0, 0]
    box.k.machine.clock += 5 * SECOND
    box.pread(fd, 4, 0)
    assert times() == [5, 0, 0], "it was read since it was written"
    box.write(fd, b"more")
    box.pread(fd, 4, 0)
    assert times() == [10, 10, 10]
    box.k.machine.clock += 90_000 * SECOND
    box.pread(fd, 4, 0)
    assert times() == [90_010, 10, 10], "once a day it moves in any case"


def test_times_are_set(box: Box) -> None:
    box.open("/tmp/f", O_CREAT)

    def utimens(*words: int) -> object:
        at = box.poke(pack("<4q", *words), MEMORY + 4096) if words else 0
        return box.call("utimensat", -100, box.string("/tmp/f"), at, 0)

    now, omit = (1 << 30) - 1, (1 << 30) - 2
    assert utimens(12, 34, -5, 6) == 0
    assert box.raw_stat("/tmp/f")[12:16] == (12, 34, -5, 6)
    assert utimens(0, omit, 77, 0) == 0
    assert box.raw_stat("/tmp/f")[12:16] == (12, 34, 77, 0)
    assert utimens(0, omit, 0, omit) == 0
    assert utimens(0, now, 0, omit) == 0
    assert box.raw_stat("/tmp/f")[12] == WALL_CLOCK
    assert utimens(0, SECOND, 0, 0) == -EINVAL
    assert utimens() == 0


def test_others_files_are_touched_only_by_who_may_write_them() -> None:
    box = Box(root=True)
    box.open("/tmp/f", O_CREAT, 0o666)
    box.chmod("/tmp/f", 0o666)
    box.become(1000)
    path = box.string("/tmp/f")
    assert box.call("utimensat", -100, path, 0, 0) == 0
    assert box.call("utimensat", -100, path, box.poke(bytes(32), MEMORY + 4096), 0) == -EPERM
    box.become(0)
    box.chmod("/tmp/f", 0o644)
    box.become(1000)
    assert box.call("utimensat", -100, box.string("/tmp/f"), 0, 0) == -EACCES


def test_statx_says_what_stat_says(box: Box) -> None:
    fd = box.open("/tmp/f", O_CREAT | O_RDWR, 0o640)
    box.write(fd, b"x" * 5000)
    assert box.call("statx", -100, box.string("/tmp/f"), 0, 0x7FF, MEMORY) == 0
    data = box.peek(256)
    mask, size_of_block, _, links, uid, gid, mode = unpack("<IIQIIIH", data[:30])
    inode, size, blocks = unpack("<3Q", data[32:56])
    stat = box.raw_stat("/tmp/f")
    assert mask & 0x7FF == 0x7FF
    assert (size_of_block, links, uid, gid, mode) == (stat[9], stat[3], stat[4], stat[5], stat[2])
    assert (inode, size, blocks) == (stat[1], stat[8], stat[11])
    assert unpack("<qI", data[112:124]) == stat[14:16], "stx_mtime"
    assert box.call("statx", -100, box.string("/tmp/f"), 0x6000, 0, MEMORY) == -EINVAL
    assert box.call("statx", -100, box.string("/tmp/f"), 0, 1 << 31, MEMORY) == -EINVAL


def test_statfs_counts_what_is_free(box: Box) -> None:
    assert box.call("statfs", box.string("/tmp"), MEMORY) == 0
    kind, size, blocks, free = unpack("<4Q", box.peek(32))
    assert (kind, size, blocks) == (0x01021994, 4096, box.k.machine.ram.frames)
    box.write(box.open("/tmp/f", O_CREAT | O_RDWR), b"x" * 40960)
    assert box.call("fstatfs", box.open("/tmp"), MEMORY) == 0
    assert unpack("<4Q", box.peek(32))[3] <= free - 10
    assert box.call("statfs", box.string("/bin"), MEMORY) == 0
    assert unpack("<Q", box.peek(8, MEMORY + 80))[0] & 1, "read-only"


# ---- names


def test_a_file_without_a_name_gets_one_if_it_may() -> None:
    box = Box(root=True)  # CAP_DAC_READ_SEARCH: linkat's AT_EMPTY_PATH
    how = O_TMPFILE_BIT | O_DIRECTORY | O_RDWR
    fd, never = box.open("/tmp", how, 0o600), box.open("/tmp", how | 0o200, 0o600)
    assert box.listing("/tmp") == []
    first, second = box._two("", "/tmp/named")
    assert box.call("linkat", never, first, -100, second, 0x1000) == -ENOENT
    assert box.call("linkat", fd, first, -100, second, 0x1000) == 0
    assert box.stat("/tmp/named")[1] == 1
    assert box.open("/tmp", O_TMPFILE_BIT | O_DIRECTORY) == -EINVAL


def test_open_files_are_known_by_the_name_they_have_now(box: Box) -> None:
    box.mkdir("/tmp/d")
    assert box.open("/tmp/x", O_CREAT) == 3
    inode = box.raw_stat("/tmp/x")[1]
    assert naming.name_of(box.k, inode) == b"/tmp/x"
    box.rename("/tmp/x", "/tmp/d/y")
    assert naming.name_of(box.k, inode) == b"/tmp/d/y"
    box.rename("/tmp/d", "/tmp/e")
    assert naming.name_of(box.k, inode) == b"/tmp/e/y"
    box.unlink("/tmp/e/y")
    assert naming.name_of(box.k, inode) == b"/tmp/e/y (deleted)"


def test_a_renamed_directory_leads_up_to_its_new_place(box: Box) -> None:
    for name in ("/tmp/a", "/tmp/a/b", "/tmp/c"):
        box.mkdir(name)
    box.chdir("/tmp/a/b")
    assert box.rename("/tmp/a/b", "/tmp/c/b") == 0
    assert box.getcwd() == b"/tmp/c/b\0"
    assert box.unlink("/tmp/a", 0x200) == 0
    assert box.stat("..") == box.stat("/tmp/c")
    assert box.rename("/tmp/c", "/tmp/c/b/c") == -EINVAL
    assert box.rename("/bin", "/bin2") == -EBUSY


def test_close_range_closes_or_marks(box: Box) -> None:
    for _ in range(6):
        box.open("/dev/null")
    assert box.call("close_range", 4, 5, 0) == 0
    assert box.call("close_range", 6, (1 << 32) - 1, 4) == 0
    assert [box.fcntl(fd, 1) for fd in range(3, 9)] == [0, -9, -9, 1, 1, 1]
    assert box.call("close_range", 5, 4, 0) == -EINVAL
    assert box.call("close_range", 4, 5, 1) == -EINVAL


def test_links_are_followed_only_so_far(box: Box) -> None:
    box.symlink("loop", "/tmp/loop")
    assert box.chmod("/tmp/loop", 0o600) == -ELOOP
    assert box.readlink("/tmp/loop") == b"loop"
    assert box.readlink("/tmp/loop", 2) == b"lo"
