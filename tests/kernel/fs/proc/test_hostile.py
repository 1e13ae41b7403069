"""What should not be done in /proc, answered as the Linux answers on which these were tried."""

from __future__ import annotations

from errno import EACCES, EEXIST, EINVAL, EISDIR, ENOENT, EPERM, ESRCH

import pytest

from kernel.fs.constants import O_CREAT, O_DIRECTORY, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY, SEEK_END, SEEK_SET
from kernel.fs.proc import content
from kernel.pids import Pids
from tests.kernel.fs.box import MEMORY, Box

AT_REMOVEDIR = 0x200
FAR = 1 << 62


@pytest.mark.parametrize("path", ["/proc/foo", "/proc/self/foo", "/proc/01", "/proc/0", "/proc/99999999999999999999"])
def test_nothing_can_be_made(box: Box, path: str) -> None:
    assert box.open(path, O_CREAT | O_RDWR) == -ENOENT
    assert box.mkdir(path) == -ENOENT
    assert box.open(path) == -ENOENT


def test_what_is_there_is_there(box: Box) -> None:
    assert box.open("/proc/self/stat", O_CREAT | O_EXCL) == -EEXIST
    assert box.mkdir("/proc/self") == -EEXIST


def test_nothing_can_be_removed(box: Box) -> None:
    assert box.unlink("/proc/self") == -EACCES
    assert box.unlink("/proc/self/stat") == -EPERM
    assert box.unlink("/proc/self/task", AT_REMOVEDIR) == -EPERM
    assert box.unlink("/proc/1", AT_REMOVEDIR) == -EACCES


def test_what_is_for_reading_cant_be_opened_for_writing(box: Box) -> None:
    assert box.open("/proc/self/stat", O_WRONLY) == -EACCES
    assert box.open("/proc/self/comm", O_WRONLY | O_TRUNC) >= 0
    assert box.open("/proc/self", O_RDWR) == -EISDIR


def test_offsets_far_behind_the_end_find_nothing(box: Box) -> None:
    fd = box.open("/proc/self/stat")
    assert box.lseek(fd, FAR, SEEK_SET) == FAR
    assert box.read(fd, 10) == b""
    assert box.lseek(fd, 0, SEEK_END) == -EINVAL
    assert box.lseek(fd, -1, SEEK_SET) == -EINVAL


def test_a_file_read_in_pieces_is_of_one_moment(box: Box) -> None:
    fd = box.open("/proc/1/status")
    first = box.read(fd, 20)
    box.k.groups[1].comm = box.k.tasks[1].comm = b"renamed"
    rest = b"".join(iter(lambda: box.read(fd, 7), b""))
    assert (first + rest).startswith(b"Name:\ttest\n") and (first + rest).endswith(b"\n")
    assert box.lseek(fd, 0, SEEK_SET) == 0
    assert box.read(fd, 14) == b"Name:\trenamed\n"


def test_files_that_are_open_many_times_cost_the_host_no_more_than_a_few(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "_MOST_KEPT", 100_000)
    for page in range(256):
        box.poke(b"x", MEMORY + page * 4096)
    fds = [box.open("/proc/self/frames") for _ in range(20)]
    begin = [box.read(fd, 100) for fd in fds]
    kept = [box.k.files.peek(i).view for i in box.k.files.ids()]
    assert sum(view is not None for view in kept) > 1
    assert sum(len(view[1]) for view in kept if view) < 100_000
    whole = [first + box.read(fd, 65536) for fd, first in zip(fds, begin, strict=True)]
    assert len(set(whole)) == 1 and whole[0].count(b"\n") > 256


def test_a_process_that_is_gone_is_gone_for_who_has_its_files_open(box: Box) -> None:
    child = box.fork()
    pid = child.task.tid
    fds = [box.open(f"/proc/{pid}/{name}") for name in ("stat", "maps", "cmdline")]
    directory = box.open(f"/proc/{pid}", O_DIRECTORY)
    assert box.chdir(f"/proc/{pid}") == 0
    child.exit()
    assert box.call("wait4", -1, 0, 0, 0) == pid
    assert [box.read(fd, 10) for fd in fds] == [-ESRCH] * 3
    assert box.getcwd() == -ENOENT
    assert [box.open(path) for path in ("stat", ".", "..", f"/proc/{pid}")] == [-ESRCH, -ESRCH, -ESRCH, -ENOENT]
    assert box.open("stat", dirfd=directory) == -ESRCH
    assert box.dirents(directory) == -ENOENT


def test_a_number_used_again_is_another_process(box: Box) -> None:
    child = box.fork()
    pid = child.task.tid
    fd = box.open(f"/proc/{pid}/stat")
    child.exit()
    assert box.call("wait4", -1, 0, 0, 0) == pid
    box.k.pids._next = pid
    assert box.fork().task.tid == pid
    assert box.read(fd, 10) == -ESRCH
    assert box.read(box.open(f"/proc/{pid}/stat"), 4) == b"2 (t"


def test_a_listing_goes_on_where_it_was_while_processes_come_and_go(box: Box) -> None:
    children = [box.fork() for _ in range(40)]
    fd, seen = box.open("/proc", O_DIRECTORY), []
    while entries := box.dirents(fd, 120):
        seen += [int(name) for *_, name in entries if name.isdigit()]
        if children and len(seen) > 5:
            children.pop(0).exit()  # a zombie is still there
            box.call("wait4", -1, 0, 1, 0)
            box.fork()
    assert seen == sorted(set(seen))
    assert {child.task.tid for child in children[-10:]} <= set(seen)


def test_inodes_of_proc_fill_no_table(box: Box) -> None:
    before = len(box.k.inodes)
    for _ in range(50):
        child = box.fork()
        box.close(box.open(f"/proc/{child.task.tid}/stat"))
        child.exit()
        box.call("wait4", -1, MEMORY, 0, 0)
    assert len(box.k.inodes) == before
    assert not box.k.inodes._touched or max(box.k.inodes._touched) < 1 << 62


def test_a_snapshot_keeps_what_a_reader_has_begun_to_read(box: Box) -> None:
    fd = box.open("/proc/self/stat")
    assert box.read(fd, 3) == b"1 ("
    state = box.k.snapshot()
    first = box.read(fd, 100)
    box.k.restore(state)
    box.task = box.k.tasks[1]
    assert box.read(fd, 100) == first


def test_a_listing_ends_where_there_are_few_pids() -> None:
    pids = Pids(310)
    assert [pids.alloc() for _ in range(3)] == [1, 2, 3]
    pids.release(2)
    assert [pids.next_taken(number) for number in (0, 1, 2, 3, 4, 309, 5000)] == [1, 1, 3, 3, None, None, None]


def test_a_listing_finds_pids_far_apart() -> None:
    pids = Pids(1 << 22)
    pids.alloc()
    pids._next = 3_000_000
    assert pids.alloc() == 3_000_000
    assert pids.next_taken(2) == 3_000_000 and pids.next_taken(3_000_001) is None
