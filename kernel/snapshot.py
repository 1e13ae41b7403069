"""The whole machine as a value: take it at any pause of the run, put it back, and the run goes on identically.

A snapshot has the machine's (RAM by dirty pages, clock, count), the kernel's tables (rows that were reached since the
last one are copied, the others shared), and the queues and counters. What isn't in it: subscribers of events, the
provider of /bin, and what the door has put out already, which isn't said twice (door.py).

Take none while the kernel runs: from a subscriber of an event, say.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from kernel.stats import Stats

if TYPE_CHECKING:
    from kernel.kernel import Kernel, Outcome
    from vm.snapshot import Snapshot as MachineSnapshot

PROCESS_TABLES = ("tasks", "groups", "pgroups", "sessions", "pid_refs", "mms", "fs_structs", "sighands")
FILE_TABLES = ("fdtables", "files", "inodes", "pipes", "mounts", "eventfds", "locks", "sockets", "terminals")
TABLES = PROCESS_TABLES + FILE_TABLES
PARTS = ("frames", "page_cache", "pids", "users", "wait_queues", "door")
FIELDS = (
    "current",
    "last_ran",
    "slice_end",
    "schedule_state",
    "zombies",
    "joins",
    "asid_generation",
    "asid_next",
    "root_inode",
    "outcome",
)


class KernelSnapshot(NamedTuple):
    """Plain data. `tables`, `parts` and `fields` are in the order of TABLES, PARTS and FIELDS."""

    machine: MachineSnapshot
    tables: tuple[Any, ...]
    parts: tuple[Any, ...]
    fields: tuple[int | Outcome | None, ...]
    run_queue: tuple[int, ...]
    stats: tuple[Any, ...]


def take(k: Kernel) -> KernelSnapshot:
    """The state of everything. Costs what changed since the last one, and one entry for each live object."""
    return KernelSnapshot(
        k.machine.snapshot(),
        tuple(getattr(k, name).snapshot() for name in TABLES),
        tuple(getattr(k, name).snapshot() for name in PARTS),
        tuple(getattr(k, name) for name in FIELDS),
        tuple(k.run_queue),
        k.stats.freeze(),
    )


def restore(k: Kernel, snapshot: KernelSnapshot) -> None:
    """Back, or forth, to a snapshot of this kernel."""
    k.machine.restore(snapshot.machine)
    for name, data in zip(TABLES, snapshot.tables, strict=True):
        getattr(k, name).restore(data)
    for name, data in zip(PARTS, snapshot.parts, strict=True):
        getattr(k, name).restore(data)
    for name, value in zip(FIELDS, snapshot.fields, strict=True):
        setattr(k, name, value)
    k.run_queue = deque(snapshot.run_queue)
    k.stats = Stats.thaw(snapshot.stats)
