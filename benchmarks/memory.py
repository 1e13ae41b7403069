"""How much memory does the host need for code that comes and goes? Does it end, or grow with every translation?

    python benchmarks/memory.py [--engine llvm] [--quick] [code | translations | regions | programs ...]

    code          1,000,000 times: map a page, write code there that was never there before, run it, unmap the page
    translations  100,000 times the same, with loops so hot that the worker never has nothing to translate
    regions       100,000 times the same with 500 loops in turn, whose translations are installed from the cache
    programs      10,000 forks and execs of as many different programs, each hot; the last 3000 of their files stay

Resident memory of the machine's process and of the one that translates for it, at ten steps; the machine's includes the
guest's RAM. Each case has a process of its own and an empty cache. What the second half adds to the highest of the
first is growth: more than 4 MiB of it, beside what the guest itself has come to use, is too much.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

import forkyard
from forkyard import cache, session
from kernel.config import Config
from kernel.door import Door
from kernel.kernel import Kernel

GUEST = TOP / "benchmarks" / "guests" / "new_code.s"
#: What the guest does, how often, how many rounds its loops make, and how many different ones there are.
CASES = {
    "code": ("code", 1_000_000, 16, 1 << 20),
    "translations": ("code", 100_000, 25_000, 1 << 20),
    "regions": ("code", 100_000, 25_000, 500),
    "programs": ("programs", 10_000, 25_000, 1 << 20),
}
STEPS = 10
GROWTH = 4 << 10  # KiB
PAGE = os.sysconf("SC_PAGE_SIZE")


class Size(NamedTuple):
    """KiB that are resident: of the machine's process, of that which is the guest's, of the translating process."""

    machine: int
    guest: int
    worker: int


def resident(pid: int) -> int:
    """KiB of a process that are in memory; 0 if there is none."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE >> 10
    except OSError:
        return 0


def children() -> list[int]:
    """The processes that this one has started."""
    me, found = os.getpid(), []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == me:
            found.append(int(path.parent.name))
    return found


class Steps(Door):
    """At each dot that the guest writes, says how much memory is in use."""

    kernel: Kernel

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.sizes: list[Size] = []
        self.begin = time.perf_counter()

    def emit(self, fd: int, data: bytes) -> None:
        for _ in data:
            self.sizes.append(size := self.now())
            stats = self.kernel.machine.stats
            print(
                f"{len(self.sizes) * self.rounds // STEPS:>11,}{size.machine:>12,}{size.guest:>12,}{size.worker:>12,}"
                f"{stats.get('regions', 0):>12,}{stats.get('regions_in_use', 0):>9,}"
                f"{time.perf_counter() - self.begin:>9.0f}",
                flush=True,
            )

    def now(self) -> Size:
        """What is resident."""
        return Size(resident(os.getpid()), self.kernel.frames.used * 4, sum(map(resident, children())))


def run(name: str, engine: str, part: int) -> bool:
    """One case, here; whether its memory stays bounded."""
    what, rounds, loops, different = CASES[name]
    rounds //= part
    print(f"{name}: {rounds:,} times\n{'':>11}{'machine KiB':>12}{'its guest':>12}{'worker':>12}", end="")
    print(f"{'translated':>12}{'in use':>9}{'s':>9}")
    door = Steps(rounds)
    config = Config(memory=256 << 20, engine=engine, objects=cache)
    words = [what, *map(str, (rounds, loops, different))]
    door.kernel = session.start(config, door, "new_code", forkyard.assemble(GUEST), words)
    outcome = door.kernel.run()
    if (outcome.kind, outcome.status) != ("exited", 0):
        raise SystemExit(f"{name}: {outcome}")
    growth = [grown([size.machine - size.guest for size in door.sizes]), grown([size.worker for size in door.sizes])]
    print(f"{'growth':>11}{growth[0]:>12,}{'':>12}{growth[1]:>12,}   (limit {GROWTH:,})")
    return part > 1 or max(growth) <= GROWTH


def grown(sizes: list[int]) -> int:
    """KiB that the second half adds to the most of the first."""
    return max(sizes[STEPS // 2 :]) - max(sizes[: STEPS // 2])


def apart(name: str, options: argparse.Namespace) -> bool:
    """The case in a process of its own, with a cache of its own."""
    command = [sys.executable, __file__, "--engine", options.engine, "--here", name, *["--quick"] * options.quick]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, env={**os.environ, "FORKYARD_CACHE": folder}, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("case", nargs="*", choices=[*CASES, []])
    parser.add_argument("--engine", default="llvm")
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of it: too short to come to rest, so not judged"
    )
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    cases = options.case or list(CASES)
    if options.here:
        return not run(cases[0], options.engine, 20 if options.quick else 1)
    results = [apart(name, options) for name in cases]  # all of them, whatever the first gives
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
