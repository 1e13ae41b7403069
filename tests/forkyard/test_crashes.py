"""What a person reads when a program dies: whole messages of real runs, kept as files (NAME.s, NAME.err).

FORKYARD_ACCEPT=1 writes the files anew, to be read before they are committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.forkyard.conftest import TOP, Forkyard

CASES = sorted(Path(__file__).parent.glob("crashes/*.s"))


@pytest.mark.parametrize("source", CASES, ids=lambda path: path.stem)
def test_the_message_and_the_status(source: Path, forkyard: Forkyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    first = source.read_text().splitlines()[0]
    options = first.removeprefix("# options: ").split() if first.startswith("# options: ") else []
    result = forkyard("run", *options, source.relative_to(TOP))
    said = f"{result.err}exit status {result.status}\n"
    expected = source.with_suffix(".err")
    if os.environ.get("FORKYARD_ACCEPT"):
        expected.write_text(said)
    assert said == expected.read_text()
    assert result.out == ""
    assert all(line.startswith("forkyard: ") for line in result.err.splitlines())


def test_a_source_that_is_gone_costs_only_its_line(tmp_path: Path, forkyard: Forkyard) -> None:
    source = tmp_path / "null.s"
    source.write_bytes((Path(__file__).parent / "crashes" / "null_pointer.s").read_bytes())
    assert forkyard("asm", source, "-o", tmp_path / "null").status == 0
    source.unlink()
    result = forkyard("run", tmp_path / "null")
    assert result.status == 139
    assert "null.s:4" in result.err
    assert "source:" not in result.err


def test_a_source_that_is_a_pipe_is_not_read(tmp_path: Path, forkyard: Forkyard) -> None:
    source = tmp_path / "null.s"
    source.write_bytes((Path(__file__).parent / "crashes" / "null_pointer.s").read_bytes())
    assert forkyard("asm", source, "-o", tmp_path / "null").status == 0
    source.unlink()
    os.mkfifo(source)
    assert forkyard("run", tmp_path / "null").status == 139
