"""forkyard trace: what a person sees of fork, copy-on-write, exec, exit and wait."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.forkyard.conftest import PROGRAMS, Forkyard, Result

LINE = re.compile(r" *(\d+) +(\d+)  (\w+) +(\S.*)")


def rows(text: str) -> list[tuple[int, int, str, str]]:
    """(retired, task, kind, what) of each line but the header."""
    found = []
    for line in text.splitlines()[1:]:
        match = LINE.fullmatch(line)
        assert match, line
        found.append((int(match[1]), int(match[2]), match[3], match[4]))
    return found


@pytest.fixture
def trace(forkyard: Forkyard, tmp_path: Path) -> tuple[Result, list[tuple[int, int, str, str]]]:
    result = forkyard("trace", "-o", tmp_path / "trace", PROGRAMS / "family.s")
    return result, rows((tmp_path / "trace").read_text())


def test_the_programs_output_is_untouched(trace: tuple[Result, list[tuple[int, int, str, str]]]) -> None:
    assert trace[0] == (0, (PROGRAMS / "family.out").read_text(), "")


def test_the_life_of_a_process_is_there_in_order(trace: tuple[Result, list[tuple[int, int, str, str]]]) -> None:
    story = [what for _, task, kind, what in trace[1] if kind == "process"]
    wanted = [
        r"fork: child 2, \d+ frames shared \(flags 0x11\)",
        r'exec "/bin/family" \["/bin/family"\]',
        r"fork: child 3, .*",
        r"fork: child 4, .*",
        r'exec "/bin/echo" .*',
        r"process 4 ended: exit 0; a zombie until its parent waits",
        r"process 4 reaped: exit 0; its pid is free",
        r"process 3 ended: exit 42; .*",
        r"process 3 reaped: exit 42; .*",
        r"process 2 ended: exit 0; .*",
        r"process 2 reaped: .*",
        r"process 1 ended: exit 0; .*",
    ]
    assert len(story) == len(wanted)
    assert all(re.fullmatch(pattern, what) for pattern, what in zip(wanted, story, strict=True)), story


def test_a_copy_on_write_names_the_variable_and_both_frames(
    trace: tuple[Result, list[tuple[int, int, str, str]]],
) -> None:
    copies = [what for _, _, kind, what in trace[1] if what.startswith("cow-copy") and "(value)" in what]
    pattern = r"cow-copy: store to 0x\w+ \(value\) at pc 0x\w+ \(child\+0x\w+\): frame (0x\w+) -> (0x\w+)"
    match = re.fullmatch(pattern, copies[0])
    assert match
    assert match[1] != match[2]


def test_counts_never_go_back(trace: tuple[Result, list[tuple[int, int, str, str]]]) -> None:
    counts = [count for count, *_ in trace[1]]
    assert counts == sorted(counts)


def test_every_default_kind_but_insn_is_there(forkyard: Forkyard, tmp_path: Path) -> None:
    forkyard("trace", "-o", tmp_path / "trace", PROGRAMS / "wild.s")
    kinds = {kind for _, _, kind, _ in rows((tmp_path / "trace").read_text())}
    assert kinds == {"syscall", "fault", "process", "sched", "signal"}


def test_only_what_was_asked_for(forkyard: Forkyard, tmp_path: Path) -> None:
    forkyard("trace", "--only", "sched,process", "-o", tmp_path / "trace", PROGRAMS / "family.s")
    assert {kind for _, _, kind, _ in rows((tmp_path / "trace").read_text())} == {"sched", "process"}


def test_every_instruction_with_what_it_changed(forkyard: Forkyard, tmp_path: Path) -> None:
    source = tmp_path / "a.s"
    source.write_text(
        "    .data\nx:  .dword 7\n    .text\n    .globl _start\n_start:\n    la a0, x\n    li t0, 9\n    sd t0, 0(a0)\n"
        "    ld t0, 0(a0)\n    li a0, 0\n    li a7, 93\n    ecall\n"
    )
    forkyard("trace", "--only", "insn", "-o", tmp_path / "trace", source)
    own = [what for _, task, _, what in rows((tmp_path / "trace").read_text()) if task == 2][
        -7:
    ]  # an ecall does not retire
    assert re.fullmatch(r"\w+ <_start\+0xc>: +sd +t0, 0\(a0\) +\[0x\w+\] 0x7 -> 0x9", own[3])
    assert re.fullmatch(r"\w+ <_start\+0x8>: +addi +t0, zero, 9 +t0 0x0 -> 0x9", own[2])
    assert re.fullmatch(r"\w+ <_start\+0x10>: +ld +t0, 0\(a0\)", own[4]), "what did not change is not shown"


def test_json_lines_have_the_fields_of_the_events(forkyard: Forkyard, tmp_path: Path) -> None:
    out = tmp_path / "trace"
    forkyard("trace", "--format", "jsonl", "--only", "process,syscall", "-o", out, PROGRAMS / "family.s")
    events = [json.loads(line) for line in out.read_text().splitlines()]
    forks = [event for event in events if event["event"] == "Fork"]
    assert [event["child"] for event in forks] == [2, 3, 4]
    assert set(forks[0]) == {"event", "kind", "at", "tid", "child", "flags", "shared"}
    assert {event["kind"] for event in events} == {"process", "syscall"}


def test_on_stderr_the_trace_and_the_programs_own_words_are_in_order(forkyard: Forkyard) -> None:
    result = forkyard("trace", "--only", "syscall", PROGRAMS / "hello.s")
    assert result.out == "Hello from a process!\n"
    assert result.err.startswith("     retired  task  kind")
    assert "write(fd=1, buf=" in result.err
    assert "write -> 22" in result.err


def test_the_exit_status_is_the_programs(forkyard: Forkyard, tmp_path: Path) -> None:
    assert forkyard("trace", "-o", tmp_path / "trace", PROGRAMS / "false.s").status == 1


@pytest.mark.parametrize("out", ["no/such/folder/trace", "."])
def test_a_place_that_cannot_be_written(forkyard: Forkyard, tmp_path: Path, out: str) -> None:
    result = forkyard("trace", "-o", tmp_path / out, PROGRAMS / "hello.s")
    assert result.status == 2
    assert "cannot be written" in result.err
