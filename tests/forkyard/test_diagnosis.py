"""From the facts of a death to the sentence for a person. (tests/forkyard/crashes/ has whole messages of real runs.)"""

from __future__ import annotations

import pytest

from forkyard.diagnosis import diagnose
from forkyard.fault import Fault, Region, signal_name
from forkyard.symbols import Symbols

STACK = Region(0x3FFFFDE000, 0x3FFFFFF000, "rw-", "[stack]")
REGIONS = (
    Region(0x10000, 0x11000, "r-x", "/bin/p"),
    Region(0x11000, 0x12000, "r--", "/bin/p"),
    Region(0x12000, 0x13000, "rw-", "/bin/p"),
    Region(0x13000, 0x14000, "rw-", "[heap]"),
    STACK,
)


def fault(access: str, address: int, pc: int = 0x10100, sp: int = 0x3FFFFFE000, **facts: object) -> Fault:
    x = [0, 0x10200, sp] + [0] * 29
    base = {
        "pid": 2, "name": "p", "signal": 11, "access": access, "illegal": False, "misaligned": False, "pc": pc,
        "address": address, "word": None, "x": tuple(x), "regions": REGIONS,
        "symbols": Symbols(b""), "sender": 0, "note": "",
    }  # fmt: skip
    return Fault(**{**base, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (fault("load", 0), "Reading through a null pointer"),
        (fault("store", 16), "Writing through a null pointer: there never is any memory at address 0 + 16."),
        (fault("load", (1 << 64) - 14), "The address is -14: that looks like an error code"),
        (fault("load", 0x123456789A), "tried to read from 0x123456789a, where nothing is mapped"),
        (fault("load", 0x14008), "8 bytes past the end of [heap]"),
        (fault("load", 1 << 63), "is no address that a program can have"),
        (fault("store", 0x10100), "wrote into the machine code"),
        (fault("store", 0x11010), "wrote into the constants"),
        (fault("fetch", 0, pc=0), "It jumped to address 0x0"),
        (fault("fetch", 0, pc=0, x=(0,) * 32), "nobody called it, so there is nobody to return to"),
        (fault("fetch", 0x12000, pc=0x12000), "jumped into the variables"),
        (fault("fetch", 0x13000, pc=0x13000), "jumped into the heap"),
        (fault("fetch", 0x3FFFFFE000, pc=0x3FFFFFE000), "jumped into the stack"),
        (fault("fetch", 0x5000000, pc=0x5000000), "It jumped to 0x5000000, where nothing is mapped"),
        (fault("fetch", 0x10102, misaligned=True), "no multiple of 4"),
        (fault("store", STACK.start - 8, sp=STACK.start - 16), "The stack is full"),
        (fault("store", 0x12001, misaligned=True), "An atomic instruction needs an aligned address"),
        (fault("", 0x10100, illegal=True, word=0), "a word of zeros"),
        (fault("", 0x10100, illegal=True, word=1, source=".byte 1"), "The data of `.byte` stands in the way"),
        (fault("", 0x10100, illegal=True, word=1, source="x: .word 1 # x"), "The data of `.word` stands in the way"),
        (fault("", 0x10100, illegal=True, word=0x4501, source="c.li a0, 0"), "a compressed (16-bit) instruction"),
        (fault("", 0x10100, illegal=True, word=0x4501), "a compressed (16-bit) instruction"),
        (fault("", 0x10100, illegal=True, word=0x02007053), "a floating-point instruction"),
        (fault("", 0x10100, illegal=True, word=0x7F), "is no instruction of this machine"),
        (fault("", 0x10100, signal=5), "a breakpoint"),
        (fault("", 0, signal=13), "a pipe that nobody reads"),
        (fault("", 0, signal=15, sender=7), "Process 7 sent it SIGTERM"),
        (fault("", 0, signal=15, sender=2), "It sent itself SIGTERM"),
        (fault("", 0, signal=9, note="The machine ran out of memory."), "ran out of memory"),
    ],
)
def test_each_case_has_its_sentence(case: Fault, says: str) -> None:
    assert says in diagnose(case)


def test_signals_have_their_names() -> None:
    assert [signal_name(n) for n in (1, 9, 11, 13, 17, 31, 34)] == [
        "SIGHUP", "SIGKILL", "SIGSEGV", "SIGPIPE", "SIGCHLD", "SIGSYS", "SIGRTMIN+2",
    ]  # fmt: skip
