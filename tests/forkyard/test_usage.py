"""Wrong use of the command line: one message that says what to write instead, and exit status 2."""

from __future__ import annotations

import pytest

from forkyard.arguments import Mount, Parser, add_machine_options, parse_run, size
from forkyard.cli import COMMANDS
from tests.forkyard.conftest import Forkyard


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no command was named"),
        (["runn"], "Did you mean run?"),
        (["hello.s"], "forkyard run hello.s"),
        (["run"], "no FILE to run was named"),
        (["run", "--stats"], "no FILE to run was named"),
        (["run", "--memory", "lots", "x.s"], "'lots' is no size"),
        (["run", "--memory", "1K", "x.s"], "between 1M and 64G"),
        (["run", "--memory", "9999999999999999999999G", "x.s"], "between 1M and 64G"),
        (["run", "--memory", "-1", "x.s"], "--memory"),
        (["run", "--max-insns", "0", "x.s"], "out of range"),
        (["run", "--max-insns", "many", "x.s"], "no whole number"),
        (["run", "--quantum", "63", "x.s"], "out of range: 64"),
        (["run", "--sched", "fair", "x.s"], "invalid choice: 'fair'"),
        (["run", "--engine", "fast", "x.s"], "invalid choice: 'fast'"),
        (["run", "--fork", "never", "x.s"], "never"),
        (["run", "--mount", ":/x", "x.s"], "HOSTDIR:GUESTDIR:rw"),
        (["run", "--mount", "a:b", "x.s"], "absolute path"),
        (["run", "--mount", "a:/b:rx", "x.s"], "HOSTDIR:GUESTDIR:rw"),
        (["run", "--env", "NAME", "x.s"], "NAME=VALUE"),
        (["run", "--unknown", "x.s"], "--unknown"),
        (["run", "--mem", "64M", "x.s"], "--mem"),
        (["trace", "--only", "syscalls", "x.s"], "'syscalls' is no kind of event"),
        (["trace", "--only", "", "x.s"], "choose from syscall,fault,process,sched,signal,insn"),
        (["trace", "--format", "xml", "x.s"], "invalid choice: 'xml'"),
        (["asm"], "FILE"),
        (["disasm"], "FILE"),
        (["disasm", "a", "b"], "unrecognized arguments: b"),
        (["new"], "NAME"),
        (["new", ""], "a program needs a name"),
        (["asm", "programs/hello.s", "-o", "a\0b", "--listing", "c"], "null byte"),
    ],
)
def test_wrong_use_is_one_message_and_exit_status_2(forkyard: Forkyard, words: list[str], says: str) -> None:
    result = forkyard(*words)
    assert result.status == 2
    assert result.out == ""
    assert says in result.err
    assert all(line.startswith("forkyard:") for line in result.err.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(forkyard: Forkyard, command: str) -> None:
    result = forkyard(command, "--help")
    assert result.status == 0
    assert "example:\n  forkyard " in result.out
    assert result.err == ""


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_names_every_command(forkyard: Forkyard, words: list[str]) -> None:
    result = forkyard(*words)
    assert result.status == 0
    assert all(f"\n  {name} " in result.out for name in COMMANDS)


def test_version(forkyard: Forkyard) -> None:
    assert forkyard("--version").out.startswith("forkyard 0.")


def parse(*words: str) -> tuple[object, ...]:
    parser = Parser("run", "FILE", "about", "example")
    add_machine_options(parser)
    return parse_run(words, parser)


def test_what_follows_file_is_the_programs() -> None:
    options, file, rest = parse("--seed", "7", "--stats", "p.s", "--memory", "1", "--", "-x")
    assert (file, rest) == ("p.s", ["--memory", "1", "--", "-x"])
    assert (options.seed, options.stats) == (7, True)  # type: ignore[attr-defined]


def test_a_file_may_begin_with_a_dash_after_two_dashes() -> None:
    _, file, rest = parse("--seed=7", "--", "-p.s", "x")
    assert (file, rest) == ("-p.s", ["x"])


def test_mounts() -> None:
    options = parse("--mount", "a", "--mount", "b:/g", "--mount", "c:/h:rw", "p.s")[0]
    assert options.mount == [  # type: ignore[attr-defined]
        Mount("a", "/mnt", False),
        Mount("b", "/g", False),
        Mount("c", "/h", True),
    ]


@pytest.mark.parametrize(
    ("text", "value"), [("64M", 64 << 20), ("1g", 1 << 30), ("2048KiB", 2 << 20), ("1048576", 1 << 20)]
)
def test_sizes(text: str, value: int) -> None:
    assert size(text) == value
