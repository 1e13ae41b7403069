"""Many processes at once and one after the other: linear work, and everything given back.

The full numbers, and times, are those of benchmarks/processes.py; these are its smaller twins.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import forkyard
from forkyard import session
from kernel.check import check_end
from kernel.config import Config
from kernel.door import Door
from kernel.kernel import Kernel

GUEST = Path(__file__).resolve().parents[2] / "benchmarks" / "guests" / "many.s"


@cache
def program() -> bytes:
    return forkyard.assemble(GUEST)


def machine(what: str, count: int, **options: Any) -> Kernel:
    config = Config(memory=64 << 20, engine="python", **{"max_procs": 5000, **options})
    return session.start(config, Door(), "many", program(), [what, str(count)])


def run(k: Kernel) -> None:
    """Runs to the end: the program has met no error, and nothing is left."""
    outcome = k.run()
    assert (outcome.kind, outcome.status) == ("exited", 0)
    check_end(k)


def lines_of(what: str, count: int) -> int:
    """How many lines of Python run it takes: counted work, which no other load on this host changes."""
    k, lines = machine(what, count), 0

    def line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += 1
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        k.run()
    finally:
        sys.settrace(before)
    return lines


def test_a_thousand_processes_live_at_once_and_leave_nothing() -> None:
    k = machine("alive", 1000)
    run(k)
    assert k.frames.most > 1000, "each had a page table of its own"
    assert k.stats.forks == 1001


def test_five_thousand_processes_one_after_the_other_leave_nothing() -> None:
    k = machine("row", 5000)
    run(k)
    assert k.frames.most < 40
    assert k.stats.reaps == 5001


@pytest.mark.parametrize("what", ["alive", "row"])
def test_a_process_costs_the_same_work_however_many_there_are(what: str) -> None:
    start = lines_of(what, 1)
    few, many = ((lines_of(what, count) - start) / (count - 1) for count in (60, 480))
    assert many < few * 1.1, f"{few:.0f} lines of Python for each of 60, {many:.0f} for each of 480"


def test_pids_wrap_around_under_ten_times_as_many_processes_as_there_are_numbers() -> None:
    run(machine("row", 3000, pid_max=310))


@pytest.mark.nightly
@pytest.mark.parametrize(("what", "count"), [("alive", 10_000), ("row", 100_000)])
def test_as_many_as_were_promised(what: str, count: int) -> None:
    run(machine(what, count, memory=2 << 30, max_procs=20_000))
