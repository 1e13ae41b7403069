"""Counts of what the guest did: deterministic, part of a snapshot, and printed by `--stats`."""

from __future__ import annotations

from kernel.table import Record

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
