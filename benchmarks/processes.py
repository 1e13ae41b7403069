"""Many processes: does each cost the same when there are ten times as many, and is everything given back?

    python benchmarks/processes.py [--engine auto] [--quick]

Processor time of this host. 10,000 processes alive at once (`--memory 2G --max-procs 20000`), 100,000 one after the
other; a cost per process that grows by more than a quarter from the smaller number to the larger is too much, and
so are frames, pids or rows of tables that are left at the end.
Limits of single costs, scaled to the machine that they are for (host.py): fork + exit + wait of a small process 300 µs,
getpid 5 µs, a context switch through a pipe 40 µs.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

import forkyard
from benchmarks.host import REFERENCE, loop_rate
from forkyard import session
from kernel.check import check_end
from kernel.config import Config
from kernel.door import Door

GUEST = TOP / "benchmarks" / "guests" / "many.s"
GROWTH = 1.25
SCALES = {"alive": (1_000, 10_000), "row": (1_000, 10_000, 100_000)}
SINGLE = {
    "row": (3_000, 1, 300.0),
    "getpid": (100_000, 1, 5.0),
    "switch": (5_000, 2, 40.0),
}  # times, parts, limit in µs


class Cost(NamedTuple):
    """One run: µs of processor time for each, frames that were in use at most and at the end, MiB of the host."""

    each: float
    frames: int
    left: int
    host: int


def run(program: bytes, what: str, count: int, engine: str) -> Cost:
    """A machine in which `count` of them happen; raises what the checker finds when it has ended."""
    config = Config(memory=2 << 30, max_procs=20_000, engine=engine)
    kernel = session.start(config, Door(), "many", program, [what, str(count)])
    begin = time.process_time()
    outcome = kernel.run()
    spent = time.process_time() - begin
    if (outcome.kind, outcome.status) != ("exited", 0):
        raise SystemExit(f"{what} {count}: {outcome}")
    check_end(kernel)
    left = kernel.frames.used - len(kernel.page_cache.frames())
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return Cost(spent / count * 1e6, kernel.frames.most, left, host)


def growth(program: bytes, what: str, counts: tuple[int, ...], engine: str) -> bool:
    """Prints what each number costs; does it stay what it is for the smallest?"""
    costs = [run(program, what, count, engine) for count in counts]
    for count, cost in zip(counts, costs, strict=True):
        ratio = cost.each / costs[0].each
        print(f"{what:<8}{count:>9,}{cost.each:>10.1f} µs each ({ratio:.2f})", end="")
        print(f"{cost.frames:>9,} frames at most, {cost.left} left; host {cost.host} MiB")
    return costs[-1].each <= costs[0].each * GROWTH and not any(cost.left for cost in costs)


def single(program: bytes, what: str, engine: str) -> bool:
    """Prints the cost of one, scaled to the reference machine; is it within its limit?"""
    count, parts, limit = SINGLE[what]
    scale = loop_rate() / REFERENCE
    each = min(run(program, what, count, engine).each for _ in range(3)) / parts
    print(f"{what:<8}{each:>19.1f} µs here, {each * scale:.1f} µs scaled (limit {limit:.0f})")
    return each * scale <= limit


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--quick", action="store_true", help="only up to 10,000")
    options = parser.parse_args()
    program = forkyard.assemble(GUEST)
    run(program, "row", 200, options.engine)  # what is loaded and compiled once is no process's cost
    good = True
    for what, counts in SCALES.items():
        counts = tuple(count for count in counts if count <= 10_000) if options.quick else counts
        good &= growth(program, what, counts, options.engine)
    for what in SINGLE:
        good &= single(program, what, options.engine)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
