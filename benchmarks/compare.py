"""How fast guest programs run here, on qemu-riscv64, on qemu-system-riscv64 and natively.

    python benchmarks/compare.py [--rounds N] [--seconds S] [--against MACHINE,...] [KERNEL…]

Runs are interleaved: each round runs every machine once, so that a slow moment of the host hits all of them.

Steady state: a kernel runs with little work and with much, so much that qemu-riscv64 takes S seconds for it; the
difference is what the work itself took, without start-up, and with forkyard's translations cached by a run before.
Times are CPU time of the process, user and system.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.guests import CLASSIC, MEMORY, SEVEN, Builder
from benchmarks.machines import Machines

SETS = {"the seven kernels": SEVEN, "more memory": MEMORY, "the classics": CLASSIC}


class Steady(NamedTuple):
    """A kernel's figures: units of work, and for each machine the seconds that they took, one for each round."""

    kernel: str
    units: int
    seconds: dict[str, list[float]]

    def ratio(self, machine: str) -> float:
        """How many times as fast as `machine` forkyard is: of the medians."""
        return statistics.median(self.seconds[machine]) / statistics.median(self.seconds["forkyard"])


def calibrate(machines: Machines, kernel: str, seconds: float) -> int:
    """Units of work that take qemu-riscv64 (or, without it, this host) about so many seconds."""
    reference = next(name for name in ("qemu-riscv64", "native") if name in machines.names)
    base = machines.run(reference, kernel, 1).cpu
    units = 8
    while (spent := machines.run(reference, kernel, units).cpu - base) < min(0.1, seconds / 4):
        units *= 4
    return max(2, round(units * seconds / spent))


def steady(machines: Machines, kernel: str, units: int, rounds: int, names: list[str]) -> Steady:
    """Interleaved rounds of the least work and of `units` more; the outputs must be the same everywhere."""
    taken: dict[str, list[float]] = {name: [] for name in names}
    machines.run("forkyard", kernel, units + 1)  # fills its cache
    for _ in range(rounds):
        outputs = set()
        for name in names:
            few, many = machines.run(name, kernel, 1), machines.run(name, kernel, units + 1)
            taken[name].append(max(many.cpu - few.cpu, 1e-6))
            outputs.add(many.output.replace(b"\r", b""))
        if len(outputs) != 1:
            raise SystemExit(f"{kernel}: the machines disagree: {outputs}")
    return Steady(kernel, units, taken)


def geometric_mean(values: list[float]) -> float:
    """The n-th root of the product."""
    return math.exp(sum(map(math.log, values)) / len(values))


def say(result: Steady) -> None:
    """One line to watch."""
    others = [name for name in result.seconds if name != "forkyard"]
    own = statistics.median(result.seconds["forkyard"])
    ratios = "  ".join(f"{name} {result.ratio(name):5.2f}" for name in others)
    print(f"{result.kernel:<12} {result.units:>7} units  {own:6.2f} s  times as fast as: {ratios}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="what qemu-riscv64 shall take for a kernel")
    parser.add_argument("--against", help="only these machines, with commas between")
    parser.add_argument("kernels", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machines = Machines(Builder(Path(folder, "build")), Path(folder, "cache"))
        wanted = options.against.split(",") if options.against else machines.names
        names = [name for name in machines.names if name == "forkyard" or name in wanted]
        for title, kernels in SETS.items():
            chosen = [k for k in kernels if not options.kernels or k in options.kernels]
            results = []
            for kernel in chosen:
                units = calibrate(machines, kernel, options.seconds)
                results.append(steady(machines, kernel, units, options.rounds, names))
                say(results[-1])
            for name in names[1:] if len(results) > 1 else []:
                mean = geometric_mean([result.ratio(name) for result in results])
                print(f"{title}: {mean:.2f} times as fast as {name} in the geometric mean")


if __name__ == "__main__":
    main()
