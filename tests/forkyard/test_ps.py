"""`forkyard ps` and `forkyard pstree`: the processes of a run, seen from outside at one moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from forkyard.cli import main

FAMILY = """
        .globl _start
_start: li      a0, 17
        li      a1, 0
        li      a7, 220         # clone: a child
        ecall
        beqz    a0, child
        li      a0, 17
        li      a7, 220         # and another
        ecall
        beqz    a0, other
1:      li      a0, -1
        li      a1, 0
        li      a2, 0
        li      a3, 0
        li      a7, 260
        ecall
        bgtz    a0, 1b
        li      a0, 0
        li      a7, 93
        ecall
child:  li      t0, {length}
2:      addi    t0, t0, -1
        bnez    t0, 2b
other:  li      a0, 3
        li      a7, 93
        ecall
"""


@pytest.fixture
def family(tmp_path: Path) -> str:
    path = tmp_path / "family.s"
    path.write_text(FAMILY.format(length=1000))
    return str(path)


def test_the_table_is_of_the_moment_with_most_processes(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ps", family]) == 0
    head, names, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("after ") and names.split()[:5] == ["PID", "PPID", "PGID", "SID", "S"]
    fields = [row.split() for row in rows]
    assert [field[:2] for field in fields] == [["1", "0"], ["2", "1"], ["3", "2"], ["4", "2"]]
    assert [field[4] for field in fields].count("Z") == 1
    assert rows[2].endswith("[family.s] <defunct>")


def test_the_tree_has_everybody_below_their_parent(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pstree", family]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "1 init",
        "`- 2 family.s",
        "   |- 3 family.s <defunct>",
        "   `- 4 family.s",
    ]


def test_a_moment_can_be_named(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pstree", "--at", "0", family]) == 0
    assert capsys.readouterr().out == "after 0 instructions:\n1 init\n"


def test_a_moment_after_the_end_is_an_error(family: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["ps", "--at", "100_000_000", family]) != 0
    found = capfd.readouterr()
    assert found.out == "" and "nobody is left: the program ended after" in found.err


def test_a_vfork_childs_memory_is_marked_as_its_parents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "borrower.s"
    path.write_text(FAMILY.format(length=1000).replace("li      a0, 17", "li      a0, 0x4111", 1))
    assert main(["ps", "--at", "500", str(path)]) == 0
    out = capsys.readouterr().out
    assert " D " in out and "(in the memory of 2)" in out
