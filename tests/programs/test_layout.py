"""Can a student read the samples? What of that can be checked by machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.programs import samples
from tests.programs.samples import PROGRAMS

LIBRARY = sorted(PROGRAMS.glob("lib/*.s"))
SOURCES = sorted([*PROGRAMS.glob("*.s"), *PROGRAMS.glob("*/*.s"), *PROGRAMS.glob("*/*.inc")])


def opening_comment(path: Path) -> str:
    lines = path.read_text().splitlines()
    return "\n".join(lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))])


@pytest.mark.parametrize("name", samples.names())
def test_a_sample_begins_with_what_it_is_and_how_to_run_it(name: str) -> None:
    comment = opening_comment(PROGRAMS / f"{name}.s")
    assert comment.startswith(f"# {name}: ")
    assert re.search(r"forkyard (run|trace) ", comment)


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.name)
def test_each_function_of_the_library_says_what_it_takes_and_gives(path: Path) -> None:
    text = path.read_text()
    globals_ = re.findall(r"^ +\.globl (\w+)$", text, re.MULTILINE)
    functions = [name for name in globals_ if name not in ("environ", "signal_table")]
    assert functions
    assert [name for name in functions if f"\n# {name}(" not in text] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PROGRAMS)))
def test_lines_are_short_and_without_tabs(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert "\t" not in line and len(line) <= 110 and line == line.rstrip(), f"line {number}: {line!r}"
