"""Counts of what the guest did: deterministic, part of a snapshot, and printed by `--stats`."""

from __future__ import annotations

from kernel.table import Record

#: Numbers of unknown system calls that are counted one by one; the rest count under OTHERS: a program could try all.
MOST_UNKNOWN = 64
OTHERS = -1
FAULT_KINDS = ("demand", "stack", "file", "shared", "cow-copy", "cow-reuse", "protection")


class Stats(Record):
    """`traps` by cause, `faults` by kind (events.PageFault), `unknown_syscalls` by number; the rest are counts."""

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
    )

    def __init__(self) -> None:
        self.traps: dict[int, int] = {}
        self.faults: dict[str, int] = dict.fromkeys(FAULT_KINDS, 0)
        self.unknown_syscalls: dict[int, int] = {}
        self.syscalls = self.forks = self.execs = self.exits = self.reaps = self.switches = self.signals = 0

    def count_unknown(self, number: int) -> None:
        """Counts a system call that isn't there."""
        counts = self.unknown_syscalls
        key = number if number in counts or len(counts) < MOST_UNKNOWN else OTHERS
        counts[key] = counts.get(key, 0) + 1
