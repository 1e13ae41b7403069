"""What fork costs this host, under each policy, for processes of several sizes.

    python benchmarks/fork.py [--kib 16,1024,65536] [--stride 4] [--rounds 15]
        [--policies cow,shared-tables,eager] [--engine auto]

For each size one machine per policy stands ready with that much memory touched; they take turns, so that a slow moment
hits all of them. Medians of this process's CPU time, in µs, and the ratio to `cow`. Two limits, for the default policy:
the system call costs with 1 GiB touched at most 1.2 times what it costs with 1 MiB; fork + exit + wait with 64 MiB is
faster than on this host's own Linux with pages of 4 KiB (huge pages off; needs a C compiler).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

import forkyard
from forkyard import session
from kernel.config import Config
from kernel.door import Door
from kernel.syscalls import table

GUESTS = TOP / "benchmarks" / "guests"
CLONE = 220
MIB = 1024  # KiB
WHAT = {
    "e": "fork + exit + wait",
    "x": "fork + exec + exit + wait",
    "r": "fork, child reads all",
    "w": "fork, child writes all",
    "p": "fork + exit, parent writes all",
    "b": "fork, parent writes all, kill",
}


class Paused(Exception):
    """The guest has done what it was told, and waits for the next command."""


class Commands(Door):
    """Standard input that is given a byte at a time; the machine's run ends where it would wait for more."""

    def ready(self) -> bool:
        return bool(self._source)

    def wait(self, timeout: int | None, for_input: bool) -> int | None:
        raise Paused

    def say(self, text: bytes) -> None:
        self._source += text


class Bench:
    """A machine whose only program stands ready to fork, with `kib` KiB touched."""

    def __init__(self, program: bytes, policy: str, kib: int, stride: int, engine: str) -> None:
        self.door = Commands()
        times = {"eager": 2}.get(policy, 1) + 1
        config = Config(memory=(kib * times + 64 * MIB) << 10, fork=policy, engine=engine)
        self.kernel = session.start(config, self.door, "fork_costs", program, [str(kib), str(stride)])
        self._go()

    def run(self, command: str, clock: Callable[[], float] = time.process_time) -> float:
        """Seconds for one command, by `clock`."""
        self.door.say(command.encode())
        begin = clock()
        self._go()
        return clock() - begin

    def _go(self) -> None:
        try:
            self.kernel.run()
        except Paused:
            return
        raise RuntimeError("the guest has ended")


class CloneTimer:
    """Takes the time of the system call clone alone, while it is installed."""

    def __init__(self) -> None:
        self.taken = 0.0
        self.row = table.TABLE[CLONE]

    def __enter__(self) -> CloneTimer:
        table.TABLE[CLONE] = self.row._replace(handler=self._call)
        return self

    def __exit__(self, *error: object) -> None:
        table.TABLE[CLONE] = self.row

    def _call(self, *arguments: int) -> int | None:
        begin = time.process_time()
        try:
            return self.row.handler(*arguments)
        finally:
            self.taken = time.process_time() - begin


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def measure(program: bytes, kib: int, options: argparse.Namespace) -> dict[tuple[str, str], float]:
    """(policy, command) → median seconds; command "fork" is the system call alone."""
    policies = [policy for policy in options.policies if policy != "eager" or kib <= 64 * MIB]
    benches = {policy: Bench(program, policy, kib, options.stride, options.engine) for policy in policies}
    times: dict[tuple[str, str], list[float]] = {}
    for command in ("fork", *WHAT):
        heavy = command in "rwpb" and kib > 64 * MIB
        for _ in range(3 if heavy else options.rounds):
            for policy, bench in benches.items():
                if command == "fork":
                    with CloneTimer() as timer:
                        bench.run("e")
                    times.setdefault((policy, command), []).append(timer.taken)
                else:
                    times.setdefault((policy, command), []).append(bench.run(command))
    return {key: statistics.median(taken) for key, taken in times.items()}


def native(mib: int) -> float | None:
    """Median µs of fork + exit + wait on this host; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/fork_host"
        subprocess.run([compiler, "-O1", "-o", program, GUESTS / "fork_host.c"], check=True)
        return float(subprocess.run([program, str(mib), "21"], check=True, capture_output=True, text=True).stdout)


def show(kib: int, found: dict[tuple[str, str], float], policies: list[str]) -> None:
    size = f"{kib // MIB} MiB" if kib >= MIB else f"{kib} KiB"
    print(f"\n{size + ' touched':<35}" + "".join(f"{p:>24}" for p in policies))
    for command, what in {"fork": "fork, the system call alone", **WHAT}.items():
        cells = []
        for policy in policies:
            taken, base = found.get((policy, command)), found.get(("cow", command))
            ratio = f"({taken / base:5.2f})" if taken and base else ""
            cells.append(f"{taken * 1e6:>14,.0f} {ratio:<9}" if taken else f"{'-':>24}")
        print(f"  {what:<33}" + "".join(cells))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kib", type=numbers, default=[16, MIB, 64 * MIB])
    parser.add_argument("--stride", type=int, default=4, help="KiB from one touched page to the next")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--policies", type=lambda text: text.split(","), default=["cow", "shared-tables", "eager"])
    parser.add_argument("--engine", default="auto")
    options = parser.parse_args()
    program = forkyard.assemble(GUESTS / "fork_costs.s")
    for kib in options.kib:
        show(kib, measure(program, kib, options), options.policies)
    missed = [limit(program, options) for limit in (constant, faster_than_host)]
    return int(any(missed))


def constant(program: bytes, options: argparse.Namespace) -> bool:
    """Does the system call cost more than 1.2 times as much with 1 GiB touched as with 1 MiB, side by side?"""
    policy = Config().fork
    benches = [Bench(program, policy, kib, 4, options.engine) for kib in (MIB, 1024 * MIB)]
    times: list[list[float]] = [[], []]
    for _ in range(options.rounds * 3):
        for taken, bench in zip(times, benches, strict=True):
            with CloneTimer() as timer:
                bench.run("e")
            taken.append(timer.taken)
    small, large = map(statistics.median, times)
    print(f"\nfork, {policy}: {small * 1e6:.0f} µs with 1 MiB, {large * 1e6:.0f} µs with 1 GiB touched:", end=" ")
    print(f"{large / small:.2f} times (limit 1.2)")
    return large > 1.2 * small


def faster_than_host(program: bytes, options: argparse.Namespace) -> bool:
    """Does fork + exit + wait with 64 MiB take longer than on this host's own Linux? Not known without a C compiler."""
    bench = Bench(program, Config().fork, 64 * MIB, 4, options.engine)
    ours, theirs = [], []
    for _ in range(5):
        host = native(64)
        if host is None:
            return False
        theirs.append(host)
        ours += [bench.run("e", time.perf_counter) * 1e6 for _ in range(options.rounds)]
    print(f"fork + exit + wait with 64 MiB: {statistics.median(ours):.0f} µs;", end=" ")
    print(f"on this host's Linux, with 4 KiB pages, {statistics.median(theirs):.0f} µs")
    return statistics.median(ours) > statistics.median(theirs)


if __name__ == "__main__":
    sys.exit(main())
