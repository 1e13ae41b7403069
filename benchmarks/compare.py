"""How fast guest programs run here, on qemu-riscv64, on qemu-system-riscv64 and natively.

    python benchmarks/compare.py [--rounds N] [--seconds S] [--against MACHINE,...] [--write] [KERNEL...]

Runs are interleaved: each round runs every machine once, so that a slow moment of the host hits all of them. With
--write the tables and a plot go into docs/performance.md.

- Steady state: a kernel runs with one unit of work and with many, so many that qemu-riscv64 takes S seconds for them;
  the difference is what the work took, without start-up, and with forkyard's translations cached by a run before.
  CPU time of the process, user and system. Compiling: what the process that translates took in that first run.
- Whole process: from the command to its end, on the clock, with a cache that is empty or filled by a run before.
- Costs: CPU time of one system call, fork, fault or switch, from the same kind of difference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.guests import CALLS, CLASSIC, FLAT, MEMORY, SEVEN, Builder
from benchmarks.machines import Machines
from benchmarks.report import Steady, Whole, geometric_mean, write

SETS = {"the seven kernels": SEVEN, "more memory": MEMORY, "the classics": CLASSIC}
#: Units of work from which a service's cost shows.
ENOUGH = {"getpid": 100, "forks": 1000, "execs": 20, "faults": 20, "pingpong": 50, "switches": 20}
#: What qemu-riscv64 shall take for a whole process, in seconds.
WHOLE = (1.0, 3.0)


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
    compiling = machines.run("forkyard", kernel, units + 1).helpers  # fills its cache
    for _ in range(rounds):
        outputs = set()
        for name in names:
            few, many = machines.run(name, kernel, 1), machines.run(name, kernel, units + 1)
            taken[name].append(max(many.cpu - few.cpu, 1e-6))
            outputs.add(many.output.replace(b"\r", b""))
        if len(outputs) != 1:
            raise SystemExit(f"{kernel}: the machines disagree: {outputs}")
    return Steady(kernel, units, taken, compiling)


def whole(machines: Machines, kernel: str, units: int, rounds: int) -> Whole:
    """Interleaved rounds of whole processes: qemu-riscv64, forkyard with a filled cache, and with an empty one."""
    result = Whole(kernel, [], [], [])
    machines.run("forkyard", kernel, units)
    for _ in range(rounds):
        result.qemu.append(machines.run("qemu-riscv64", kernel, units).wall)
        result.warm.append(machines.run("forkyard", kernel, units).wall)
        with machines.empty_cache():
            result.cold.append(machines.run("forkyard", kernel, units).wall)
    return result


def say(result: Steady) -> None:
    """One line to watch."""
    others = [name for name in result.seconds if name != "forkyard"]
    own = median(result.seconds["forkyard"])
    ratios = "  ".join(f"{name} {result.ratio(name):5.2f}" for name in others)
    print(f"{result.kernel:<12} {result.units:>7} units  {own:6.2f} s  times as fast as: {ratios}", flush=True)


def measure_sets(machines: Machines, options: argparse.Namespace, names: list[str]) -> dict[str, list[Steady]]:
    """Steady state of all kernels that were asked for, set by set."""
    found = {}
    for title, kernels in SETS.items():
        results = found[title] = []
        for kernel in kernels:
            if not options.kernels or kernel in options.kernels:
                units = calibrate(machines, kernel, options.seconds)
                results.append(steady(machines, kernel, units, options.rounds, names))
                say(results[-1])
        for name in names[1:] if len(results) > 1 else []:
            mean = geometric_mean([result.ratio(name) for result in results])
            print(f"{title}: {mean:.2f} times as fast as {name} in the geometric mean")
    return found


def measure_costs(machines: Machines, rounds: int, names: list[str]) -> list[Steady]:
    """What the kernel of each machine takes for its services."""
    here = [name for name in names if name != "qemu-system-riscv64"]  # no operating system there
    found = []
    for kernel, each in CALLS.items():
        units = ENOUGH[kernel]
        found.append(steady(machines, kernel, units, rounds, here))
        own = median(found[-1].seconds["forkyard"]) / (units * each)
        print(f"{kernel:<12} {own * 1e6:8.1f} µs each", flush=True)
    return found


def measure_whole(machines: Machines, rounds: int) -> dict[float, list[Whole]]:
    """Whole processes of the seven kernels, and (under 0) the flat program."""
    found: dict[float, list[Whole]] = {}
    for seconds in WHOLE:
        found[seconds] = [whole(machines, k, calibrate(machines, k, seconds), rounds) for k in SEVEN]
        for kind in ("warm", "cold"):
            mean = geometric_mean([result.ratio(kind) for result in found[seconds]])
            print(f"whole process of {seconds:g} s, {kind}: {mean:.2f} times as fast as qemu-riscv64", flush=True)
    found[0] = [whole(machines, FLAT, 1, rounds)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="what qemu-riscv64 shall take for a kernel")
    parser.add_argument("--against", help="only these machines, with commas between")
    parser.add_argument("--write", action="store_true", help="measure all, and write docs/performance.md")
    parser.add_argument("kernels", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machines = Machines(Builder(Path(folder, "build")), Path(folder, "cache"))
        wanted = options.against.split(",") if options.against else machines.names
        names = [name for name in machines.names if name == "forkyard" or name in wanted]
        sets = measure_sets(machines, options, names)
        if options.write:
            costs = measure_costs(machines, options.rounds, names)
            write(sets, costs, measure_whole(machines, options.rounds), options.rounds, names)


if __name__ == "__main__":
    main()
