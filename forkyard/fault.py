"""The facts about one death, taken from the machine while the process's memory is still there. No words yet."""

from __future__ import annotations

from typing import NamedTuple

from forkyard.symbols import Symbols

# signal(7), by number
_NAMES = (
    "0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU "
    "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
)
SIGNAL_NAMES = tuple(_NAMES.split())


def signal_name(number: int) -> str:
    """SIGSEGV for 11; SIGRTMIN+n from 32 on."""
    return f"SIG{SIGNAL_NAMES[number]}" if 0 < number < 32 else f"SIGRTMIN+{number - 32}"


class Region(NamedTuple):
    """One mapping of the dead process: [start, end), permissions such as "rw-", and [stack], [heap] or a file."""

    start: int
    end: int
    permissions: str
    name: str


class Fault(NamedTuple):
    """One death. `access` is "fetch", "load", "store" or "" where no memory access led to it."""

    pid: int
    name: str
    signal: int
    access: str
    illegal: bool
    misaligned: bool
    pc: int
    address: int
    word: int | None
    x: tuple[int, ...]
    regions: tuple[Region, ...]
    symbols: Symbols
    sender: int
    note: str
    source: str = ""  # the line of the source that the pc is at, where its file is at hand

    def region(self, address: int) -> Region | None:
        """The mapping that holds the address."""
        for region in self.regions:
            if region.start <= address < region.end:
                return region
        return None

    def stack(self) -> Region | None:
        """The stack's mapping."""
        for region in self.regions:
            if region.name == "[stack]":
                return region
        return None
