"""Job control in programs/sh.s: a person at a terminal stops jobs, looks at them, and lets them go on."""

from __future__ import annotations

import re

from tests.forkyard.terminal import at_terminal

SHELL = ["run", "programs/sh.s", "-i"]
C, Z = b"\x03", b"\x1a"
PROMPT = b"\r\n$ "
TYPED_AT_ONCE = 0.2  # s: the program that has just been started reads by then


def at_shell(*keys: tuple[bytes, bytes]) -> tuple[str, int]:
    """What was shown, with single newlines, and the exit status."""
    shown, status = at_terminal(SHELL, [(b"$ ", keys[0][1]), *keys[1:]], pause=TYPED_AT_ONCE)
    return shown.decode().replace("\r\n", "\n"), status


def test_control_z_stops_a_pipeline_and_fg_lets_it_go_on() -> None:
    shown, status = at_shell(
        (b"", b"cat | cat\n"),
        (b"\r\n", b"one\n"),
        (b"one\r\none\r\n", Z),
        (PROMPT, b"echo $?\n"),
        (b"148", b"jobs\n"),
        (PROMPT, b"fg\n"),
        (b"cat | cat\r\n", b"two\n"),
        (b"two\r\ntwo\r\n", b"\x04"),
        (b"$ ", b"jobs; exit 5\n"),
    )
    assert status == 5
    assert shown.count("[1]+  Stopped                 cat | cat\n") == 2
    assert shown.split("two\ntwo\n")[1] == "$ jobs; exit 5\n"


def test_control_c_ends_the_job_and_the_rest_of_its_line_but_not_the_shell() -> None:
    shown, status = at_shell((b"", b"(echo go; sleep 100) | cat; echo never\n"), (b"go\r\n", C), (PROMPT, b"exit $?\n"))
    assert status == 130
    assert "\nnever" not in shown


def test_control_c_at_the_prompt_forgets_the_line() -> None:
    shown, status = at_shell((b"", b"echo ab"), (b"echo ab", C), (PROMPT, b"echo $?\n"), (b"130", b"exit 3\n"))
    assert status == 3
    assert "\nab" not in shown


def test_bg_lets_a_job_go_on_without_the_terminal() -> None:
    shown, status = at_shell(
        (b"", b"(echo go; sleep 1; exit 3)\n"),
        (b"go\r\n", Z),
        (PROMPT, b"bg\n"),
        (PROMPT, b"wait\n"),
        (PROMPT, b"jobs; fg\n"),
        (PROMPT, b"exit\n"),
    )
    assert "[1]+  Stopped                 (echo go; sleep 1; exit 3)\n" in shown
    assert "[1]+  Running                 (echo go; sleep 1; exit 3) &\n" in shown
    assert shown.endswith("$ jobs; fg\nsh: fg: no such job\n$ exit\n")
    assert status == 1


def test_a_job_in_the_background_is_told_of_before_the_next_prompt() -> None:
    shown, _ = at_shell(
        (b"", b"(exit 3) & true & sleep 100 & wait $!; :\n"),
        (b"[3]", C),
        (PROMPT, b"kill -9 $!\n"),
        (PROMPT, b"sleep 1\n"),
        (PROMPT, b"exit\n"),
    )
    assert re.findall(r"^\[\d\].  .*", shown, re.MULTILINE) == [
        "[1]   Exit 3                  (exit 3)",
        "[2]-  Done                    true",
        "[3]+  SIGKILL                 sleep 100",
    ]


def test_who_reads_in_the_background_is_stopped_until_fg() -> None:
    _, status = at_shell(
        (b"", b"cat &\n"),
        (PROMPT, b"sleep 1\n"),
        (b"[1]+  Stopped                 cat\r\n$ ", b"fg\n"),
        (b"cat\r\n", b"hi\n"),
        (b"hi\r\nhi\r\n", b"\x04"),
        (b"$ ", b"exit 4\n"),
    )
    assert status == 4


def test_of_several_jobs_the_one_that_stopped_last_comes_first() -> None:
    shown, _ = at_shell(
        (b"", b"(echo go; sleep 101)\n"),
        (b"go\r\n", Z),
        (PROMPT, b"(echo go; sleep 102)\n"),
        (b"go\r\n", Z),
        (PROMPT, b"sleep 103 &\n"),
        (PROMPT, b"jobs\n"),
        (b"103 &\r\n$ ", b"fg %1\n"),
        (b"101)\r\n", C),
        (PROMPT, b"fg\n"),
        (b"102)\r\n", C),
        (PROMPT, b"fg\n"),
        (b"103\r\n", C),
        (PROMPT, b"exit\n"),
    )
    listed = "[1]-  Stopped                 (echo go; sleep 101)\n[2]+  Stopped                 (echo go; sleep 102)\n"
    assert f"{listed}[3]   Running                 sleep 103 &\n" in shown


def test_a_shell_in_the_shell_gives_the_terminal_back() -> None:
    _, status = at_shell(
        (b"", b"sh -i\n"),
        (b"$ ", b"(echo go; sleep 100)\n"),
        (b"go\r\n", C),
        (PROMPT, b"exit 6\n"),
        (PROMPT, b"cat\n"),
        (b"cat\r\n", b"mine\n"),
        (b"mine\r\nmine\r\n", C),
        (PROMPT, b"exit 7\n"),
    )
    assert status == 7


def test_a_program_that_takes_the_shell_s_place_finds_signals_as_usual() -> None:
    _, status = at_shell(
        (b"", b"exec nosuch\n"),
        (PROMPT, b"(echo go; sleep 100)\n"),
        (b"go\r\n", C),
        (PROMPT, b"exec cat\n"),
        (b"exec cat\r\n", b"x\n"),
        (b"x\r\nx\r\n", C),
    )
    assert status == 130


def test_a_command_is_shown_as_it_was_typed() -> None:
    command = "! (echo go; echo 'a  b' | sleep 100 >/dev/null 2>&1; a && b || c <d >>e 12>f; g & h)"
    shown, _ = at_shell((b"", command.encode() + b"\n"), (b"go\r\n", Z), (PROMPT, b"jobs; exit\n"))
    assert f"Stopped                 {command[2:]}\n" in shown
