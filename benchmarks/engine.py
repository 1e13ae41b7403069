"""How many guest instructions per second an engine runs, on loops with loads and stores through the MMU.

    python benchmarks/engine.py [python|llvm] [ROUNDS]

A bare `while` loop of CPython runs in turn with each, as the measure of this machine: the figure is also given for one
on which that loop does 25 million rounds per second. The limit is 6 million instructions per second there (python).
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

import forkyard
from benchmarks.host import REFERENCE, loop_rate
from kernel.config import Config

GUESTS = (TOP / "benchmarks" / "guests" / "loads_stores.s", TOP / "programs" / "sieve.s", TOP / "programs" / "matmul.s")
LIMIT = {"python": 6.0, "llvm": 0.0}


def speed(guest: Path, engine: str) -> float:
    """Instructions per second of one run, boot and assembly apart."""
    kernel = forkyard.boot(guest, config=Config(engine=engine))
    begin = time.perf_counter()
    kernel.run()
    return kernel.machine.retired / (time.perf_counter() - begin)


def main() -> int:
    engine = sys.argv[1] if len(sys.argv) > 1 else "python"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    missed = False
    for guest in GUESTS:
        pairs = [(speed(guest, engine), loop_rate()) for _ in range(rounds)]
        scaled = statistics.median(fast / rate * REFERENCE for fast, rate in pairs) / 1e6
        here = statistics.median(fast for fast, _ in pairs) / 1e6
        print(
            f"{guest.stem:<14} {here:8.1f} MIPS here, {scaled:8.1f} at {REFERENCE / 1e6:.0f} million rounds per second"
        )
        missed |= scaled < LIMIT[engine]
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
