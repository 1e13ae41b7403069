"""Ctrl-C, Ctrl-\\ and Ctrl-Z at a terminal reach the machine's foreground process group."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forkyard.terminal import at_terminal

SPIN = """
    .globl _start
_start:
    li a0, 1
    la a1, go
    li a2, 3
    li a7, 64
    ecall
1:  j 1b
go: .ascii "go\\n"
"""
HANDLE = """
    .globl _start
_start:
    la t0, handler
    la t1, act
    sd t0, 0(t1)
    li a0, {signal}
    mv a1, t1
    li a2, 0
    li a3, 8
    li a7, 134
    ecall
    li a0, 1
    la a1, go
    li a2, 3
    li a7, 64
    ecall
1:  {wait}
    j 1b
handler:
    {handler}
    .data
    .balign 8
act: .zero 24
none: .dword 0
go: .ascii "go\\n"
"""
EXIT = "li a0, 42\n li a7, 94\n ecall"
SUSPEND = "la a0, none\n li a1, 8\n li a7, 133\n ecall"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "program.s"


def test_control_c_ends_a_program_by_sigint(source: Path) -> None:
    source.write_text(SPIN)
    shown, status = at_terminal(["run", str(source)], [(b"go\r\n", b"\x03")])
    assert status == 130
    assert b"SIGINT" in shown


def test_control_backslash_ends_it_by_sigquit(source: Path) -> None:
    source.write_text(SPIN)
    assert at_terminal(["run", str(source)], [(b"go\r\n", b"\x1c")])[1] == 131


@pytest.mark.parametrize("wait", ["nop", SUSPEND], ids=["busy", "waiting"])
def test_a_handler_gets_control_c(source: Path, wait: str) -> None:
    source.write_text(HANDLE.format(signal=2, wait=wait, handler=EXIT))
    assert at_terminal(["run", str(source)], [(b"go\r\n", b"\x03")])[1] == 42


def test_a_handler_gets_control_z(source: Path) -> None:
    source.write_text(HANDLE.format(signal=20, wait=SUSPEND, handler=EXIT))
    assert at_terminal(["run", str(source)], [(b"go\r\n", b"\x1a")])[1] == 42


def test_control_c_interrupts_sleep_and_reading() -> None:
    assert at_terminal(["run", "programs/cat.s"], [(b"", b"hi\n"), (b"hi\r\nhi\r\n", b"\x03")])[1] == 130
    assert at_terminal(["run", "programs/sleep.s", "100"], [(b"", b"\x03")], pause=1.0)[1] == 130


def test_three_times_in_a_row_stop_a_machine_that_ignores_it(source: Path) -> None:
    source.write_text(HANDLE.format(signal=2, wait="nop", handler="ret"))
    keys = [(b"go\r\n", b"\x03"), *[(b"^C", b"\x03")] * 20]  # (presses in quick succession may count as one)
    shown, status = at_terminal(["run", str(source)], keys, pause=0.4)
    assert status == 130
    assert b"forkyard: interrupted after" in shown


def test_control_d_ends_the_input() -> None:
    shown, status = at_terminal(["run", "programs/wc.s"], [(b"", b"one two\n"), (b"one two\r\n", b"\x04")])
    assert status == 0
    assert b"1" in shown and b"2" in shown and b"8" in shown


def test_a_program_can_ask_for_every_key_without_echo(source: Path) -> None:
    """TCGETS, ICANON and ECHO off, TCSETS, then a read of one key that needs no Enter."""
    source.write_text("""
    .globl _start
_start:
    li a0, 0
    li a1, 0x5401
    la a2, settings
    li a7, 29
    ecall
    bnez a0, bad
    la t0, settings
    lw t1, 12(t0)
    andi t1, t1, ~10
    sw t1, 12(t0)
    li a0, 0
    li a1, 0x5402
    la a2, settings
    li a7, 29
    ecall
    bnez a0, bad
    li a0, 1
    la a1, go
    li a2, 3
    li a7, 64
    ecall
    li a0, 0
    la a1, key
    li a2, 100
    li a7, 63
    ecall
    lbu a0, key
    li a7, 94
    ecall
bad:
    li a0, 1
    li a7, 94
    ecall
    .data
go: .ascii "go\\n"
key: .byte 0
    .balign 8
settings: .zero 36
    .zero 100
""")
    shown, status = at_terminal(["run", str(source)], [(b"go\r\n", b"x")])
    assert (status, shown.count(b"x")) == (ord("x"), 0)
