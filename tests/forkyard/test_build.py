"""What is assembled is remembered, and never out of date."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forkyard import build
from tests.forkyard.conftest import TOP, Forkyard

PROGRAM = """
    .include "number.inc"
    .globl _start
_start:
    li a0, NUMBER
    li a7, 93
    ecall
"""


@pytest.fixture
def assembled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The sources that were really assembled, in order."""
    names: list[str] = []
    really = build._assemble

    def spy(sources: list[str], library: str) -> bytes:
        names.extend(Path(source).name for source in sources)
        return really(sources, library)

    monkeypatch.setattr(build, "_assemble", spy)
    monkeypatch.setenv("FORKYARD_CACHE", str(tmp_path / "cache"))
    return names


def test_what_has_not_changed_is_assembled_once(forkyard: Forkyard, tmp_path: Path, assembled: list[str]) -> None:
    (tmp_path / "a.s").write_text(PROGRAM.replace('.include "number.inc"', ".equ NUMBER, 5"))
    assert [forkyard("run", tmp_path / "a.s").status for _ in range(2)] == [5, 5]
    assert sorted(assembled) == ["a.s", "init.s"]


def test_an_included_file_that_changed_counts(forkyard: Forkyard, tmp_path: Path, assembled: list[str]) -> None:
    (tmp_path / "a.s").write_text(PROGRAM)
    for number in (1, 2):
        (tmp_path / "number.inc").write_text('    .include "deeper.inc"\n')
        (tmp_path / "deeper.inc").write_text(f"    .equ NUMBER, {number}\n")
        assert forkyard("run", tmp_path / "a.s").status == number


def test_a_file_that_now_comes_first_on_the_include_path_counts(
    forkyard: Forkyard, tmp_path: Path, assembled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.s").write_text(PROGRAM.replace("number.inc", "syscalls.inc").replace("NUMBER", "SYS_exit"))
    assert forkyard("run", tmp_path / "a.s").status == 93
    assert forkyard("run", tmp_path / "a.s").status == 93
    assert assembled.count("a.s") == 1


@pytest.mark.parametrize("name", ["/dev/zero", "fifo", "large"])
def test_a_name_that_is_no_plain_file_is_not_read(
    forkyard: Forkyard, tmp_path: Path, assembled: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even in a comment: what may have no end must not decide under which name the result is kept."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(bytes(1001))
    monkeypatch.setattr(build, "LARGEST_INCLUDED", 1000)
    (tmp_path / "a.s").write_text(PROGRAM.replace('.include "number.inc"', f'.equ NUMBER, 5 # .include "{name}"'))
    assert [forkyard("run", tmp_path / "a.s").status for _ in range(2)] == [5, 5]
    assert assembled.count("a.s") == 2


def test_an_included_pipe_is_an_error_of_its_line(forkyard: Forkyard, tmp_path: Path, assembled: list[str]) -> None:
    os.mkfifo(tmp_path / "number.inc")
    (tmp_path / "a.s").write_text(PROGRAM)
    result = forkyard("run", tmp_path / "a.s")
    assert result.status == 1
    assert "a.s:2:" in result.err
    assert "is no plain file" in result.err


@pytest.mark.parametrize(
    "unclear",
    [
        '.macro get what file\n    .\\what "\\file"\n    .endm\n    get include number.inc',
        '.macro get file\n    .include "\\file"\n    .endm\n    get number.inc',
        '.macro get what\n    \\what "number.inc"\n    .endm\n    get .include',
    ],
)
def test_where_the_text_does_not_tell_what_is_included_nothing_is_kept(
    forkyard: Forkyard, tmp_path: Path, assembled: list[str], unclear: str
) -> None:
    (tmp_path / "a.s").write_text(PROGRAM.replace('.include "number.inc"', unclear))
    for number in (1, 2):
        (tmp_path / "number.inc").write_text(f"    .equ NUMBER, {number}\n")
        assert forkyard("run", tmp_path / "a.s").status == number
    assert assembled.count("a.s") == 2


def test_the_c_preprocessors_files_are_never_kept(forkyard: Forkyard, tmp_path: Path, assembled: list[str]) -> None:
    (tmp_path / "a.S").write_text('#include "n.h"\n' + PROGRAM.replace('.include "number.inc"', ""))
    for number in (1, 2):
        (tmp_path / "n.h").write_text(f"#define NUMBER {number}\n")
        assert forkyard("run", tmp_path / "a.S").status == number


def test_a_damaged_entry_is_made_anew(forkyard: Forkyard, tmp_path: Path, assembled: list[str]) -> None:
    hello = TOP / "programs" / "hello.s"
    assert forkyard("run", hello).status == 0
    for entry in (tmp_path / "cache").iterdir():
        entry.write_bytes(entry.read_bytes()[:-100])
    assert forkyard("run", hello) == (0, "Hello from a process!\n", "")
    assert assembled.count("hello.s") == 2


def test_everything_works_without_a_cache(forkyard: Forkyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORKYARD_CACHE", "")
    assert forkyard("run", TOP / "programs" / "hello.s").status == 0


def test_warnings_are_shown_and_stop_nothing(forkyard: Forkyard, tmp_path: Path) -> None:
    (tmp_path / "a.s").write_text(
        '    .warning "take care"\n' + PROGRAM.replace('.include "number.inc"', ".equ NUMBER, 5")
    )
    result = forkyard("run", tmp_path / "a.s")
    assert result.status == 5
    assert "take care" in result.err
