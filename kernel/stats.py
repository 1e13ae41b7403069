"""Counts of what the guest did: deterministic, part of a snapshot, and printed by `--stats`."""

from __future__ import annotations

from kernel.table import Record

#: Numbers of unknown system calls that are counted one by one; the rest count under OTHERS: a program could try all.
MOST_UNKNOWN = 64
OTHERS = -1
FAULT_KINDS = ("demand", "stack", "file", "shared", "cow-copy", "cow-reuse", "table", "protection")
#: When memory's work is done: in fork, in page faults, when address spaces are given back, in other system calls.
PHASES = ("fork", "fault", "release", "call")
#: What that work is: page faults; page table entries copied; frames copied; tables made or copied; entries of tables
#: that were write-protected or closed as a whole; counts of frames changed; flushes of the TLB, whole or of one page.
WORK = ("faults", "entries", "frames", "tables", "swept", "counts", "flushes", "page flushes")


class Stats(Record):
    """`traps` by cause, `faults` by kind (events.PageFault), `unknown_syscalls` by number; the rest are counts.

    `work` says what memory management did, by phase (`phase` is the current one) and kind.
    """

    __slots__ = (
        "traps",
        "faults",
        "syscalls",
        "unknown_syscalls",
        "forks",
        "execs",
        "exits",
        "reaps",
        "switches",
        "signals",
        "work",
        "phase",
    )

    def __init__(self) -> None:
        self.traps: dict[int, int] = {}
        self.faults: dict[str, int] = dict.fromkeys(FAULT_KINDS, 0)
        self.unknown_syscalls: dict[int, int] = {}
        self.syscalls = self.forks = self.execs = self.exits = self.reaps = self.switches = self.signals = 0
        self.work: dict[str, dict[str, int]] = {phase: dict.fromkeys(WORK, 0) for phase in PHASES}
        self.phase = "call"

    def pay(self, kind: str, number: int) -> None:
        """Counts memory's work in the current phase."""
        self.work[self.phase][kind] += number

    def enter(self, phase: str) -> str:
        """Work counts for `phase` from now on; returns the phase to go back to with `enter`."""
        before, self.phase = self.phase, phase
        return before

    def count_unknown(self, number: int) -> None:
        """Counts a system call that isn't there."""
        counts = self.unknown_syscalls
        key = number if number in counts or len(counts) < MOST_UNKNOWN else OTHERS
        counts[key] = counts.get(key, 0) + 1
