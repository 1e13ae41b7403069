"""Directories of the host: what programs see of them, what they can't reach, and what is written back."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from kernel.errno import (
    EACCES,
    EBUSY,
    EEXIST,
    EISDIR,
    ELOOP,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EOPNOTSUPP,
    EPERM,
    EROFS,
    EXDEV,
)
from kernel.fs import api as fs
from kernel.fs.constants import O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDWR, O_TRUNC, O_WRONLY
from kernel.fs.host_dir import HostDir
from kernel.fs.mounts import MountError
from tests.kernel.fs.box import Box


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory to show, and beside it what must never be seen."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("the key")
    shown = tmp_path / "shown"
    (shown / "sub" / "deep").mkdir(parents=True)
    (shown / "text").write_text("some text\n")
    (shown / "sub" / "big").write_bytes(bytes(i % 256 for i in range(20_000)))
    return shown


def show(host: Path | HostDir, writable: bool = False, guest: str = "/data") -> Box:
    return Box(mounts=[(host if isinstance(host, HostDir) else str(host), guest, writable)])


def content(box: Box, path: str, size: int = 100_000) -> object:
    fd = box.open(path)
    if fd < 0:
        return fd
    data = box.read(fd, size)
    box.close(fd)
    return data


# ---- seeing


def test_files_of_the_host_are_read(host: Path) -> None:
    box = show(host)
    assert content(box, "/data/text") == b"some text\n"
    assert content(box, "/data/sub/big") == (host / "sub" / "big").read_bytes()
    assert content(box, "/data/nothing") == -ENOENT
    assert content(box, "/data/text/x") == -ENOTDIR


def test_directories_are_listed_in_an_order_of_their_own(host: Path) -> None:
    for name in ("zebra", "apple", "Mango"):
        (host / name).touch()
    box = show(host)
    fd = box.open("/data", O_DIRECTORY)
    names = [name for *_, name in box.dirents(fd)]
    assert names == [b".", b"..", b"Mango", b"apple", b"sub", b"text", b"zebra"]
    assert box.dirents(fd) == 0
    (host / "new").touch()
    (host / "apple").unlink()
    assert box.listing("/data") == [b"Mango", b"new", b"sub", b"text", b"zebra"]


def test_stat_tells_type_size_and_mode_and_nothing_that_differs_between_hosts(host: Path) -> None:
    os.chmod(host / "text", 0o4755)
    first, second = show(host), show(host)
    os.utime(host / "text", (1, 1))
    assert first.stat("/data/text") == (0o100755, 1, 10)
    assert first.raw_stat("/data/text") == second.raw_stat("/data/text")
    assert first.raw_stat("/data/text")[4:6] == (1000, 1000)
    assert first.raw_stat("/data")[0] != first.raw_stat("/")[0]


@pytest.mark.parametrize("guest", ["/data", "/mnt/a/b", "/tmp", "/tmp/in", "//x//y/"])
def test_a_mount_appears_where_it_was_asked_for(host: Path, guest: str) -> None:
    box = show(host, guest=guest)
    assert content(box, guest + "/text") == b"some text\n"
    assert box.chdir(guest + "/sub/deep") == 0
    assert box.getcwd() == os.path.normpath(guest).replace("//", "/").encode() + b"/sub/deep\0"
    assert box.chdir("../../..") == 0
    assert box.getcwd() == os.path.dirname(os.path.normpath(guest)).replace("//", "/").encode() + b"\0"


def test_a_mount_may_lie_in_another(host: Path, tmp_path: Path) -> None:
    box = Box(mounts=[(str(host), "/data", False), (str(tmp_path / "secret"), "/data/sub/key", False)])
    assert content(box, "/data/sub/key/key") == b"the key"
    assert box.listing("/data/sub") == [b"big", b"deep", b"key"]
    assert content(box, "/data/sub/key/../big", 3) == b"\0\1\2"


@pytest.mark.parametrize(
    "guest", ["data", "", "/", "/..", "/a/../b", "/./.", "/bin", "/dev/", "/x\0y", "/" + "n" * 256]
)
def test_a_place_that_makes_no_sense_is_refused_with_a_reason(host: Path, guest: str) -> None:
    with pytest.raises(MountError, match="can't mount at"):
        show(host, guest=guest)


@pytest.mark.parametrize("name", ["text", "nothing", "sub/nothing"])
def test_what_is_no_directory_is_refused_with_a_reason(host: Path, name: str) -> None:
    with pytest.raises(MountError, match="can't mount"):
        show(host / name)


# ---- not leaving


@pytest.mark.parametrize(
    "path",
    [
        "/data/../secret/key",
        "/data/sub/../../secret/key",
        "/data/../../../../../../../../etc/passwd",
        "/data/sub/deep/../../../../etc/passwd",
        "/data/./..//./secret/key",
        "/secret/key",
        "/etc/passwd",
    ],
)
def test_dots_do_not_lead_out(host: Path, path: str) -> None:
    assert content(show(host), path) == -ENOENT


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../secret/key", "../../../../../../../../../../etc/passwd", "{host}/../secret/key"]
)
def test_symbolic_links_do_not_lead_out(host: Path, target: str) -> None:
    (host / "link").symlink_to(target.format(host=host))
    (host / "sub" / "link").symlink_to("../link")
    box = show(host)
    assert content(box, "/data/link") == -ENOENT
    assert content(box, "/data/sub/link") == -ENOENT
    assert box.stat("/data/link") == -ENOENT
    assert box.open("/data/link", O_NOFOLLOW) == -ELOOP


def test_links_to_directories_outside_lead_nowhere(host: Path, tmp_path: Path) -> None:
    (host / "out").symlink_to(tmp_path / "secret")
    (host / "up").symlink_to("../secret")
    (host / "root").symlink_to("/")
    box = show(host)
    assert content(box, "/data/out/key") == -ENOENT
    assert content(box, "/data/up/key") == -ENOENT
    assert content(box, "/data/root" + str(tmp_path) + "/secret/key") == -ENOENT
    assert box.listing("/data/root") == [b"bin", b"data", b"dev", b"proc", b"tmp"]  # the machine's own root


def test_links_are_followed_as_paths_of_the_machine(host: Path) -> None:
    (host / "inside").symlink_to("sub/big")
    (host / "absolute").symlink_to("/data/sub/big")
    (host / "tmp").symlink_to("/tmp/mine")
    (host / "loop").symlink_to("loop")
    box = show(host)
    big = (host / "sub" / "big").read_bytes()
    assert content(box, "/data/inside") == content(box, "/data/absolute") == big
    assert content(box, "/data/loop") == -ELOOP
    fd = box.open("/tmp/mine", O_CREAT | O_WRONLY)
    box.write(fd, b"the machine's")
    assert content(box, "/data/tmp") == b"the machine's"


def test_a_directory_swapped_for_a_link_while_it_is_open_leads_nowhere(host: Path, tmp_path: Path) -> None:
    (host / "sub" / "key").write_text("harmless")
    box = show(host, writable=True)
    fd, directory = box.open("/data/sub/key"), box.open("/data/sub", O_DIRECTORY)
    assert box.chdir("/data/sub") == 0
    (host / "sub").rename(host / "moved")
    (host / "sub").symlink_to(tmp_path / "secret")
    assert box.read(fd, 100) in (-ENOTDIR, -ELOOP)  # the host's answer to O_NOFOLLOW on a link to a directory
    assert box.open("key", dirfd=directory) in (-ENOENT, -ELOOP)
    assert content(box, "key") in (-ENOENT, -ELOOP)
    assert content(box, "/data/sub/key") == -ENOENT
    made = box.open("key2", O_CREAT | O_WRONLY, dirfd=directory)
    box.write(made, b"x") if made >= 0 else None
    fs.flush(box.k)
    assert (tmp_path / "secret" / "key").read_text() == "the key"
    assert os.listdir(tmp_path / "secret") == ["key"]


def test_no_moment_of_a_swap_lets_anything_out(host: Path, tmp_path: Path) -> None:
    """Somebody on the host swaps a directory for a link and back all the time, while a program walks through it."""
    (host / "sub" / "key").write_text("harmless")
    (host / "link").symlink_to(tmp_path / "secret")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            os.rename(host / "sub", host / "away")
            os.rename(host / "link", host / "sub")
            os.rename(host / "sub", host / "link")
            os.rename(host / "away", host / "sub")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        box = show(host)
        seen = {bytes(data) if isinstance(data := content(box, "/data/sub/key"), bytes) else data for _ in range(300)}
    finally:
        over.set()
        thread.join()
    assert seen <= {b"harmless", -ENOENT, -ENOTDIR, -ELOOP, -EACCES}


def test_a_file_swapped_for_a_link_is_not_followed(host: Path, tmp_path: Path) -> None:
    box = show(host, writable=True)
    fd = box.open("/data/text", O_RDWR)
    assert box.write(fd, b"changed") == 7
    big = box.open("/data/sub/big")
    (host / "text").unlink()
    (host / "text").symlink_to(tmp_path / "secret" / "key")
    (host / "sub" / "big").unlink()
    (host / "sub" / "big").symlink_to(tmp_path / "secret" / "key")
    assert box.read(big, 10) == -EACCES
    assert [message.partition(" in ")[0] for message in fs.flush(box.k)] == ["'text'"]
    assert (tmp_path / "secret" / "key").read_text() == "the key"


def test_the_mounted_directory_itself_swapped_for_another_is_gone(host: Path, tmp_path: Path) -> None:
    box = show(host)
    host.rename(tmp_path / "elsewhere")
    host.symlink_to(tmp_path / "secret")
    assert content(box, "/data/key") in (-ENOENT, -ENOTDIR, -ELOOP)
    host.unlink()
    (tmp_path / "secret").rename(host)
    assert content(box, "/data/key") == -ENOENT


def test_special_files_are_shown_but_never_opened(host: Path) -> None:
    os.mkfifo(host / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(host / "socket"))
    box = show(host)
    for flags in (0, O_WRONLY, O_RDWR):
        assert box.open("/data/fifo", flags) in (-EACCES, -EROFS)
        assert box.open("/data/socket", flags) in (-ENXIO, -EROFS)
    assert box.stat("/data/fifo")[0] >> 12 == 0o1
    assert box.stat("/data/socket")[0] >> 12 == 0o14


def test_a_file_swapped_for_a_fifo_is_not_waited_for(host: Path) -> None:
    box = show(host)
    fd = box.open("/data/text")
    (host / "text").unlink()
    os.mkfifo(host / "text")
    assert box.read(fd, 10) == -EACCES


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"\x1b[31m", b"-rf", b" ", b"n" * 255, "имя".encode()])
def test_any_name_that_a_host_file_can_have_is_a_name_here(host: Path, name: bytes) -> None:
    with open(os.fsencode(host) + b"/" + name, "wb") as file:
        file.write(b"found")
    box = show(host)
    assert name in box.listing("/data")
    fd = box.open(b"/data/" + name)
    assert box.read(fd, 10) == b"found"


def test_a_name_too_long_for_any_file_is_answered_here(host: Path) -> None:
    box = show(host)
    assert box.open("/data/" + "n" * 256) == -36
    assert box.open("/data/" + "n" * 255) == -ENOENT


def test_what_the_host_does_not_let_us_read_can_not_be_read(host: Path) -> None:
    class Locked(HostDir):
        def read(self, parts: tuple[bytes, ...], offset: int, size: int) -> bytes:
            raise PermissionError(13, "not yours")

    (host / "private").write_text("x")
    os.chmod(host / "private", 0)
    assert content(show(host), "/data/private") == -EACCES
    box = show(Locked(str(host)))
    assert content(box, "/data/text") == -EACCES


def test_nothing_of_the_host_stays_open(host: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    box = show(host, writable=True)
    fds = [box.open("/data/text"), box.open("/data/sub", O_DIRECTORY), box.open("/data/sub/big", O_RDWR)]
    box.read(fds[0], 5)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_changes_on_the_host_is_seen_by_the_next_open(host: Path) -> None:
    box = show(host)
    assert content(box, "/data/text") == b"some text\n"
    (host / "text").write_text("other text, longer\n")
    assert content(box, "/data/text") == b"other text, longer\n"
    (host / "text").unlink()
    assert content(box, "/data/text") == -ENOENT
    (host / "text").mkdir()
    (host / "text" / "x").write_text("in a directory now")
    assert content(box, "/data/text/x") == b"in a directory now"


# ---- writing


def test_a_mount_is_read_only_unless_said(host: Path) -> None:
    box = show(host)
    assert box.open("/data/text", O_WRONLY) == -EROFS
    assert box.open("/data/text", O_TRUNC) == -EROFS
    assert box.open("/data/new", O_CREAT) == -EROFS
    assert box.open("/data/text", O_CREAT | O_EXCL) == -EEXIST
    assert box.open("/data/text", O_CREAT) == 3
    assert box.open("/data/sub", O_WRONLY) == -EISDIR
    assert box.mkdir("/data/dir") == -EROFS
    assert box.unlink("/data/text") == -EROFS
    assert box.unlink("/data/sub/deep", 0x200) == -EROFS
    assert box.access("/data/text", 2) == -EROFS
    assert fs.flush(box.k) == []
    assert sorted(os.listdir(host)) == ["sub", "text"]


def test_writes_stay_in_the_machine_until_they_are_flushed(host: Path) -> None:
    box = show(host, writable=True)
    fd = box.open("/data/text", O_RDWR)
    assert box.write(fd, b"SOME") == 4
    assert content(box, "/data/text") == b"SOME text\n"
    assert (host / "text").read_text() == "some text\n"
    assert fs.flush(box.k) == []
    assert (host / "text").read_text() == "SOME text\n"


def test_everything_that_was_done_is_done_to_the_host(host: Path) -> None:
    box = show(host, writable=True)
    box.mkdir("/data/made", 0o750)
    box.mkdir("/data/made/below")
    fd = box.open("/data/made/below/file", O_CREAT | O_WRONLY, 0o600)
    box.write(fd, b"x" * 10_000)
    box.lseek(fd, 20_000, 0)
    box.write(fd, b"end")
    fd = box.open("/data/sub/big", O_WRONLY | O_APPEND)
    box.write(fd, b"appended")
    box.open("/data/empty", O_CREAT)
    assert box.unlink("/data/text") == 0
    assert box.unlink("/data/sub/deep", 0x200) == 0
    big = (host / "sub" / "big").read_bytes()
    assert fs.flush(box.k) == []
    assert (host / "made" / "below" / "file").read_bytes() == b"x" * 10_000 + bytes(10_000) + b"end"
    assert (host / "made").stat().st_mode & 0o777 == 0o750
    assert (host / "sub" / "big").read_bytes() == big + b"appended"
    assert (host / "empty").read_bytes() == b""
    assert sorted(os.listdir(host)) == ["empty", "made", "sub"]
    assert os.listdir(host / "sub") == ["big"]


def test_names_that_move_on_a_mount(host: Path) -> None:
    """What was made in the machine moves; what the host has is copied by mv, which EXDEV asks for."""
    box = show(host, writable=True)
    box.mkdir("/data/made")
    fd = box.open("/data/made/new", O_CREAT | O_WRONLY, 0o600)
    box.write(fd, b"new")
    assert box.rename("/data/made", "/data/moved") == 0
    assert box.rename("/data/moved/new", "/data/text") == 0, "in place of a file of the host"
    assert box.rename("/data/sub", "/data/other") == -EXDEV
    assert box.rename("/data/sub/big", "/data/moved/big") == -EXDEV
    assert box.rename("/data/sub/big", "/data/text", 2) == -EXDEV
    assert box.rename("/tmp", "/data/tmp") == -EXDEV
    assert box.symlink("../text", "/data/sub/link") == 0
    assert fs.flush(box.k) == []
    assert (host / "text").read_bytes() == b"new"
    assert sorted(os.listdir(host)) == ["moved", "sub", "text"]
    assert os.readlink(host / "sub" / "link") == "../text"
    assert os.listdir(host / "moved") == []


def test_what_a_mount_can_not_carry_out_is_refused(host: Path) -> None:
    box = show(host, writable=True)
    assert box.link("/data/text", "/data/again") == -EPERM
    assert box.mknod("/data/fifo", 0o010600) == -EPERM
    assert box.open("/data", 0o20200002) == -EOPNOTSUPP
    assert box.chmod("/data/text", 0o600) == -EPERM
    assert box.chown("/data/text", -1, 5) == -EPERM
    assert box.chown("/data/text", -1, -1) == 0
    box.close(box.open("/data/mine", O_CREAT))
    assert box.chmod("/data/mine", 0o600) == 0
    assert box.link("/data/mine", "/data/again") == -EPERM
    assert fs.flush(box.k) == []
    assert sorted(os.listdir(host)) == ["mine", "sub", "text"]
    assert (host / "mine").stat().st_mode & 0o777 == 0o600


def test_a_file_cut_and_grown_again_has_zeros_where_it_was_cut(host: Path) -> None:
    box = show(host, writable=True)
    fd = box.open("/data/sub/big", O_RDWR)
    assert box.ftruncate(fd, 5000) == 0
    assert box.ftruncate(fd, 15_000) == 0
    expected = (host / "sub" / "big").read_bytes()[:5000] + bytes(10_000)
    assert content(box, "/data/sub/big") == expected
    assert fs.flush(box.k) == []
    assert (host / "sub" / "big").read_bytes() == expected


def test_names_taken_and_used_again(host: Path) -> None:
    box = show(host, writable=True)
    assert box.unlink("/data/text") == 0
    assert content(box, "/data/text") == -ENOENT
    assert box.listing("/data") == [b"sub"]
    assert box.mkdir("/data/text") == 0
    assert box.open("/data/text/inner", O_CREAT) > 0
    assert box.unlink("/data/sub", 0x200) == -39
    assert box.unlink("/data/sub/big") == 0
    assert box.unlink("/data/sub/deep", 0x200) == 0
    assert box.unlink("/data/sub", 0x200) == 0
    assert box.open("/data/sub", O_CREAT) > 0
    assert fs.flush(box.k) == []
    assert (host / "text").is_dir()
    assert (host / "text" / "inner").is_file()
    assert (host / "sub").is_file()


def test_the_place_of_a_mount_is_not_removed(host: Path) -> None:
    assert show(host, guest="/data").unlink("/data", 0x200) == -EBUSY
    assert show(host, guest="/tmp/data").unlink("/tmp/data", 0x200) == -EBUSY


def test_a_file_made_and_removed_again_never_was(host: Path) -> None:
    box = show(host, writable=True)
    for _ in range(3):
        box.close(box.open("/data/temporary", O_CREAT | O_WRONLY))
        box.unlink("/data/temporary")
    assert fs.flush(box.k) == []
    assert sorted(os.listdir(host)) == ["sub", "text"]


def test_what_the_host_removes_before_the_flush_is_no_harm(host: Path) -> None:
    box = show(host, writable=True)
    box.unlink("/data/text")
    (host / "text").unlink()
    assert fs.flush(box.k) == []


def test_what_cannot_be_written_back_is_said(host: Path) -> None:
    box = show(host, writable=True)
    box.write(box.open("/data/text", O_WRONLY), b"x")
    box.mkdir("/data/dir")
    (host / "text").unlink()
    (host / "dir").write_text("a file is in the way")
    messages = fs.flush(box.k)
    assert len(messages) == 2
    assert any(message.startswith("'text' in the mounted") for message in messages)
    assert any(message.startswith("'dir' in the mounted") for message in messages)


def test_written_pages_are_kept_when_memory_is_short(host: Path) -> None:
    (host / "huge").write_bytes(b"h" * (6 << 20))
    box = Box(mounts=[(str(host), "/data", True)], memory=4 << 20)
    fd = box.open("/data/sub/big", O_RDWR)
    box.write(fd, b"KEPT")
    huge = box.open("/data/huge")
    total = 0
    while count := box.call("read", huge, 0x10_0000, 1 << 18):
        assert count > 0
        total += count
    assert total == 6 << 20  # more than there is memory: clean pages give way
    box.lseek(fd, 0, 0)
    assert box.read(fd, 4) == b"KEPT"
