"""forkyard forklab: does it tell the truth about each policy, and leave the program's output alone?"""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

from forkyard.lab.model import COSTS
from kernel.stats import WORK
from tests.forkyard.conftest import PROGRAMS, TOP, Forkyard

ORDER = ["eager", "cow", "shared-tables", "vfork"]


def rows(text: str) -> dict[str, list[int]]:
    """The first row of each name: a number for each policy, in ORDER."""
    found: dict[str, list[int]] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(.{32})((?: +[\d,]+){4})", line)
        if match:
            found.setdefault(match[1].rstrip(), [int(n.replace(",", "")) for n in match[2].split()])
    return found


def guest_part(text: str) -> str:
    return text.partition("host time")[0]


def test_the_programs_output_comes_once_and_the_table_says_what_each_policy_did(forkyard: Forkyard) -> None:
    result = forkyard("forklab", PROGRAMS / "fatfork.s")
    out = (PROGRAMS / "fatfork.out").read_text()
    assert result.status == 0
    assert result.out.startswith(out) and result.out.count(out.splitlines()[0]) == 1
    table = rows(result.out)
    eager, cow, shared, vfork = range(4)
    frames, entries = table["frames copied"], table["page table entries copied"]
    assert frames[eager] > 16384 and frames[cow] == frames[shared] == 2 and frames[vfork] == 0
    assert entries[cow] > 16384 > 1000 > entries[shared] and entries[vfork] == 0
    assert table["  in fork"][shared] < table["  in fork"][cow] / 10
    assert len(set(table["the program's instructions"][:3])) == 1, "a program can't tell the policies apart"


def test_counts_are_the_same_each_time(forkyard: Forkyard) -> None:
    first, second = (forkyard("forklab", PROGRAMS / "family.s").out for _ in range(2))
    assert guest_part(first) == guest_part(second)


def test_the_runs_read_the_same_input_and_the_status_is_the_programs(tmp_path: Path) -> None:
    source = tmp_path / "status.s"
    source.write_text(
        "    .globl _start\n_start: li a0, 17\n    li a1, 0\n    li a7, 220\n    ecall\n    li a0, 0\n"
        "    la a1, byte\n    li a2, 1\n    li a7, 63\n    ecall\n    lbu a0, byte\n    li a7, 94\n    ecall\n"
        "    .bss\nbyte: .zero 1\n"
    )
    command = [sys.executable, "-m", "forkyard", "forklab", str(source)]
    result = subprocess.run(command, input=b"**", capture_output=True, cwd=TOP, timeout=60, check=False)
    assert result.returncode == 42, "parent and child take a byte each, in every run"
    assert b"did something else" not in result.stdout


def test_a_program_that_vfork_changes_is_named(forkyard: Forkyard) -> None:
    result = forkyard("forklab", "--fork", "cow", PROGRAMS / "05_cow.s")
    assert result.out.startswith((PROGRAMS / "05_cow.out").read_text())
    assert "vfork: the program did something else than under cow: its output was another." in result.out
    assert "eager: the program" not in result.out


def test_a_program_that_does_not_fork_has_nothing_to_compare(forkyard: Forkyard) -> None:
    result = forkyard("forklab", PROGRAMS / "hello.s")
    assert "never forks: nothing to compare" in result.out


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_the_picture_has_a_bar_for_each_policy(forkyard: Forkyard, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"lab.{suffix}"
    assert forkyard("forklab", "-o", out, PROGRAMS / "family.s").status == 0
    text = out.read_text(encoding="utf-8")
    svg = text[text.index("<svg") : text.index("</svg>") + 6]
    picture = xml.etree.ElementTree.fromstring(svg)
    words = [element.text for element in picture.iter() if element.text]
    assert [word for word in words if word in ORDER] == ORDER
    assert suffix == "svg" or "page table entries copied" in text


def test_a_picture_of_another_kind_is_refused(forkyard: Forkyard, tmp_path: Path) -> None:
    result = forkyard("forklab", "-o", tmp_path / "lab.png", PROGRAMS / "hello.s")
    assert result.status == 2 and ".svg or .html" in result.err
    assert forkyard("forklab", "-o", tmp_path / "no" / "lab.svg", PROGRAMS / "hello.s").status == 2


def test_the_model_has_a_cost_for_every_kind_of_work() -> None:
    assert set(COSTS) == set(WORK)
