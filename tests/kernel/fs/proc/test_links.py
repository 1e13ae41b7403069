"""exe, cwd, root, fd/N: what they say, and that they lead to the file itself."""

from __future__ import annotations

from errno import EACCES, ENOENT, ENOTDIR

from kernel import credentials
from kernel.fs.constants import O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR, O_WRONLY
from kernel.fs.path import walk
from tests.kernel.fs.box import Box


def target(box: Box, path: str) -> bytes:
    """What the link says to the process of the box."""
    box.k.current = box.task.tid
    inode = walk(box.k, box.task, b"/proc/" + path.encode(), follow=False).inode
    assert inode is not None
    text = box.k.inodes.peek(inode).target
    box.k.current = 0
    return text


def test_self_is_the_one_who_asks(box: Box) -> None:
    child = box.fork()
    assert (target(box, "self"), target(child, "self")) == (b"1", b"2")
    assert target(child, "thread-self") == b"2/task/2"


def test_a_descriptors_link_says_the_path_as_it_is_now(box: Box) -> None:
    fd = box.open("/tmp/file", O_CREAT | O_RDWR)
    box.write(fd, b"text")
    assert target(box, f"self/fd/{fd}") == b"/tmp/file"
    box.unlink("/tmp/file")
    assert target(box, f"self/fd/{fd}") == b"/tmp/file (deleted)"
    again = box.open(f"/proc/self/fd/{fd}", O_RDWR)
    assert box.read(again, 10) == b"text"  # an offset of its own, the same file


def test_pipes_and_eventfds_say_what_they_are(box: Box) -> None:
    end, _ = box.pipe()
    inode = box.k.files.peek(box.k.fdtables.peek(box.task.fdtable).slots[end][0]).inode
    assert target(box, f"self/fd/{end}") == b"pipe:[%d]" % inode
    event = box.call("eventfd2", 0, 0)
    assert target(box, f"self/fd/{event}") == b"anon_inode:[eventfd]"


def test_a_pipe_can_be_opened_by_its_link(box: Box) -> None:
    reader, writer = box.pipe()
    other = box.open(f"/proc/self/fd/{reader}", O_WRONLY)
    box.close(writer)
    assert box.write(other, b"still") == 5
    assert box.read(reader, 10) == b"still"


def test_a_pipe_is_opened_by_its_link_without_waiting_for_the_other_side(box: Box) -> None:
    reader, writer = box.pipe()
    box.close(writer)
    assert box.open(f"/proc/self/fd/{reader}", O_RDONLY) >= 0
    assert box.read(reader, 1) == b""


def test_the_mode_of_a_descriptors_link_tells_how_it_is_open(box: Box) -> None:
    modes = [box.stat(f"/proc/self/fd/{fd}", follow=False)[0] for fd in (0, 1)]
    assert modes == [0o120500, 0o120300]


def test_cwd_and_root_lead_to_directories(box: Box) -> None:
    box.mkdir("/tmp/d")
    child = box.fork()
    child.chdir("/tmp/d")
    assert target(box, "2/cwd") == b"/tmp/d"
    assert box.chdir("/proc/2/cwd") == 0 and box.getcwd() == b"/tmp/d\0"
    assert box.open("/proc/2/root/tmp/d", O_DIRECTORY) >= 0
    box.unlink("/tmp/d", 0x200)
    assert target(box, "2/cwd") == b"/tmp/d (deleted)"


def test_links_of_who_is_gone_or_has_none_lead_nowhere(box: Box) -> None:
    assert box.open("/proc/self/exe") == -ENOENT  # the test's process has no program
    child = box.fork()
    child.exit()
    assert [box.open(f"/proc/2/{name}") for name in ("cwd", "root", "exe")] == [-ENOENT] * 3
    assert box.open("/proc/2/fd/0") == -EACCES
    assert box.open("/proc/self/fd/0/x", O_RDONLY) == -ENOTDIR
    assert box.open("/proc/self/fd/77") == -ENOENT


def test_other_users_processes_cant_be_looked_into(box: Box) -> None:
    child = box.fork()
    credentials.commit(box.k, child.task, box.task.cred._replace(uid=1, euid=1, suid=1))
    private = ("maps", "smaps", "pagemap", "environ", "cwd", "fd", "frames")
    assert [box.open(f"/proc/2/{name}") for name in private] == [-EACCES] * len(private)
    assert box.open("/proc/2/stat") >= 0
    assert box.raw_stat("/proc/2")[4] == 1


def test_readlink_says_the_same_and_nothing_of_who_is_gone(box: Box) -> None:
    child = box.fork()
    assert box.readlink("/proc/self") == b"1"
    assert box.readlink("/proc/2/cwd") == b"/"
    assert box.readlink("/proc/self/fd/0") == b"/dev/console"
    child.exit()
    assert box.readlink("/proc/2/cwd") == -ENOENT


def test_a_rename_is_seen_in_the_link(box: Box) -> None:
    fd = box.open("/tmp/old", O_CREAT | O_RDWR)
    assert box.rename("/tmp/old", "/tmp/new") == 0
    assert box.readlink(f"/proc/self/fd/{fd}") == b"/tmp/new"


def test_a_file_with_two_names_is_called_as_it_was_opened_last(box: Box) -> None:
    fd = box.open("/tmp/one", O_CREAT | O_RDWR)
    assert box.link("/tmp/one", "/tmp/two") == 0
    assert box.open("/tmp/one") >= 0
    assert box.readlink(f"/proc/self/fd/{fd}") == b"/tmp/one"
    box.unlink("/tmp/one")
    assert box.readlink(f"/proc/self/fd/{fd}") == b"/tmp/one (deleted)"
    assert box.readlink(f"/proc/self/fd/{box.open('/tmp/two')}") == b"/tmp/two"


def test_a_memfd_is_called_as_its_maker_said(box: Box) -> None:
    fd = box.call("memfd_create", box.string("mine"), 0)
    assert box.readlink(f"/proc/self/fd/{fd}") == b"/memfd:mine (deleted)"
