"""--mount as a person uses it; tests/kernel/fs/test_mount.py has everything that must not be possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forkyard.conftest import PROGRAMS, Forkyard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "file").write_text("from the host\n")
    (tmp_path / "secret").write_text("not for the guest\n")
    return tmp_path / "shown"


def test_a_directory_is_shown(forkyard: Forkyard, folder: Path) -> None:
    assert forkyard("run", "--mount", folder, PROGRAMS / "cat.s", "/mnt/file").out == "from the host\n"
    assert forkyard("run", "--mount", f"{folder}:/a/b", PROGRAMS / "cat.s", "/a/b/file").out == "from the host\n"


def test_nothing_else_is(forkyard: Forkyard, folder: Path) -> None:
    (folder / "link").symlink_to("../secret")
    for path in ("/mnt/../secret", "/mnt/link", str(folder.parent / "secret")):
        result = forkyard("run", "--mount", folder, PROGRAMS / "cat.s", path)
        assert result.status
        assert "not for the guest" not in result.out


def test_without_rw_the_host_keeps_its_files_as_they_are(forkyard: Forkyard, folder: Path) -> None:
    assert forkyard("run", "--mount", folder, PROGRAMS / "sh.s", "-c", "echo changed > /mnt/file").status
    assert (folder / "file").read_text() == "from the host\n"


def test_with_rw_what_was_written_is_there_after_the_run(forkyard: Forkyard, folder: Path) -> None:
    result = forkyard("run", "--mount", f"{folder}:/mnt:rw", PROGRAMS / "sh.s", "-c", "echo changed > /mnt/file")
    assert (result.status, result.err) == (0, "")
    assert (folder / "file").read_text() == "changed\n"


@pytest.mark.parametrize("name", ["nothing", "secret"])
def test_what_is_no_directory_is_one_clear_error(forkyard: Forkyard, folder: Path, name: str) -> None:
    result = forkyard("run", "--mount", folder.parent / name, PROGRAMS / "hello.s")
    assert result.status == 2
    assert result.out == ""
    assert len(result.err.splitlines()) == 1
    assert str(folder.parent / name) in result.err
