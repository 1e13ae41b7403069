"""/bin: every program is there by name, and is made when somebody first looks at it."""

from __future__ import annotations

import pytest

from kernel.errno import EACCES, EIO, ENOENT, EROFS, ETXTBSY, SysError
from kernel.fs import api as fs
from kernel.fs.constants import O_CREAT, O_RDWR, O_TRUNC, O_WRONLY
from tests.kernel.fs.box import Box, Programs


@pytest.fixture
def programs() -> Programs:
    return Programs(
        hello=b"\x7fELF" + bytes(range(256)) * 40,
        sh=b"\x7fELFsh",
        bad=ValueError("bad.s:3: no such thing\n    addd a0"),
    )


def test_names_are_there_and_nothing_is_made_for_them(programs: Programs) -> None:
    box = Box(programs)
    assert box.listing("/bin") == [b"bad", b"hello", b"sh"]
    assert box.access("/bin/hello", 5) == 0
    assert programs.loads == []


@pytest.mark.parametrize("look", ["open", "stat", "exec"])
def test_the_first_look_makes_the_program_and_no_other(programs: Programs, look: str) -> None:
    box = Box(programs)
    if look == "open":
        assert box.open("/bin/hello") == 3
    elif look == "stat":
        assert box.stat("/bin/hello") == (0o100755, 1, 10244)
    else:
        inode = fs.resolve(box.k, box.task, b"/bin/hello")
        assert fs.executable(box.k, box.task.cred, inode).size == 10244
    assert programs.loads == ["hello"]


def test_a_program_is_made_once(programs: Programs) -> None:
    box = Box(programs)
    for _ in range(3):
        fd = box.open("/bin/hello")
        assert box.read(fd, 8) == b"\x7fELF\0\1\2\3"
        box.close(fd)
    assert programs.loads == ["hello"]


def test_its_bytes_are_what_was_made(programs: Programs) -> None:
    box = Box(programs)
    fd = box.open("/bin/hello")
    assert box.read(fd, 100_000) == programs.programs["hello"]
    assert box.read(fd, 1) == b""
    box.lseek(fd, -5, 2)
    assert box.read(fd, 100) == bytes(range(251, 256))
    assert fs.read_inode(box.k, fs.resolve(box.k, box.task, b"/bin/hello"), 10242, 10) == b"\xfe\xff"


def test_a_program_that_cannot_be_made_is_an_error_of_its_file_and_a_message(programs: Programs) -> None:
    box = Box(programs)
    assert box.open("/bin/bad") == -EIO
    assert box.stat("/bin/bad") == -EIO
    assert box.err == 2 * b"forkyard: /bin/bad can't be made: bad.s:3: no such thing\nforkyard:     addd a0\n"
    with pytest.raises(SysError):
        fs.executable(box.k, box.task.cred, fs.resolve(box.k, box.task, b"/bin/bad"))
    assert box.open("/bin/sh") == 3


def test_nobody_changes_what_is_in_bin(programs: Programs) -> None:
    box = Box(programs)
    assert box.open("/bin/hello", O_WRONLY) == -EROFS
    assert box.open("/bin/hello", O_RDWR) == -EROFS
    assert box.open("/bin/hello", O_TRUNC) == -EROFS
    assert box.open("/bin/new", O_CREAT) == -EROFS
    assert box.unlink("/bin/hello") == -EROFS
    assert box.unlink("/bin/nothing") == -EROFS
    assert box.mkdir("/bin/dir") == -EROFS
    assert box.mkdir("/bin/hello") == -17
    assert box.access("/bin/hello", 2) == -EROFS
    assert box.open("/bin/nothing") == -ENOENT


def test_cached_pages_of_programs_give_way_when_memory_is_short(programs: Programs) -> None:
    box = Box(Programs(big=bytes(1 << 20)), memory=4 << 20)
    fd = box.open("/bin/big")
    box.call("read", fd, 0x10_0000, 1 << 18)
    used = box.k.frames.used
    while box.open("/tmp/fill", O_CREAT | O_WRONLY | 0o2000) > 0 and box.write(3, b"") == -9:
        if box.k.frames.used == box.k.frames.total or box.write(4, b"x" * 8192) < 0:
            break
    assert box.k.frames.used >= used
    box.check()


def test_only_files_that_may_be_executed_are_executed(programs: Programs) -> None:
    box = Box(programs)
    box.open("/tmp/data", O_CREAT, 0o644)
    box.open("/tmp/mine", O_CREAT, 0o700)
    for path in (b"/tmp/data", b"/tmp", b"/dev/null"):
        with pytest.raises(SysError) as caught:
            fs.executable(box.k, box.task.cred, fs.resolve(box.k, box.task, path))
        assert caught.value.errno == EACCES
    assert fs.executable(box.k, box.task.cred, fs.resolve(box.k, box.task, b"/tmp/mine")).size == 0


def test_a_file_is_not_run_while_it_is_written_nor_written_while_it_runs(programs: Programs) -> None:
    box = Box(programs)
    fd = box.open("/tmp/mine", O_CREAT | O_WRONLY, 0o700)
    inode = fs.resolve(box.k, box.task, b"/tmp/mine")
    with pytest.raises(SysError) as caught:
        fs.executable(box.k, box.task.cred, inode)
    assert caught.value.errno == ETXTBSY
    box.close(fd)
    assert fs.executable(box.k, box.task.cred, inode).size == 0
    fs.hold_inode(box.k, inode)
    box.k.mms[box.task.mm].exe = inode
    for flags in (O_WRONLY, O_RDWR, O_TRUNC):
        assert box.open("/tmp/mine", flags) == -ETXTBSY
    assert box.open("/tmp/mine") == fd
    assert box.unlink("/tmp/mine") == 0


def test_names_that_no_file_can_have_are_left_out() -> None:
    box = Box(Programs(**{"..": b"", "a/b": b"", "": b"", "nul\0": b"", "ok": b"", "x" * 256: b""}))
    assert box.listing("/bin") == [b"ok"]
