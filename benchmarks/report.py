"""The results of compare.py as docs/performance.md, with a plot."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.guests import CALLS
from benchmarks.machines import TOP, version

PAGE, PLOT = TOP / "docs" / "performance.md", TOP / "docs" / "performance.svg"
_COLOURS = {"qemu-riscv64": "#3b6ea5", "qemu-system-riscv64": "#7fb0d8", "native": "#b9b9b9"}


class Steady(NamedTuple):
    """A kernel's figures: units of work, and for each machine the seconds that they took, one for each round.

    `compiling`: seconds that forkyard's translations took, once, before all rounds.
    """

    kernel: str
    units: int
    seconds: dict[str, list[float]]
    compiling: float

    def ratio(self, machine: str) -> float:
        """How many times as fast as `machine` forkyard is: of the medians."""
        return median(self.seconds[machine]) / median(self.seconds["forkyard"])


class Whole(NamedTuple):
    """Seconds on the clock of a whole process: on qemu-riscv64, and here with a filled and with an empty cache."""

    kernel: str
    qemu: list[float]
    warm: list[float]
    cold: list[float]

    def ratio(self, kind: str) -> float:
        """How many times as fast as qemu-riscv64: kind is "warm" or "cold"."""
        return median(self.qemu) / median(self.warm if kind == "warm" else self.cold)


def geometric_mean(values: list[float]) -> float:
    """The n-th root of the product."""
    return math.exp(sum(map(math.log, values)) / len(values))


def write(
    sets: dict[str, list[Steady]],
    costs: list[Steady],
    wholes: dict[float, list[Whole]],
    rounds: int,
    names: list[str],
) -> None:
    """Write the page and its plot."""
    parts = [_head(rounds, names)]
    parts += [_steady(title, results, names[1:]) for title, results in sets.items()]
    parts += [_costs(costs), _wholes(wholes)]
    PAGE.write_text("\n".join(parts))
    PLOT.write_text(plot([result for results in sets.values() for result in results]))


def _head(rounds: int, names: list[str]) -> str:
    machine = f"{_processor()}, {os.cpu_count()} processors, {platform.system()} {platform.release().split('-')[0]}"
    versions = "\n".join(f"- {name}: {version(name)}" for name in names)
    return f"""# How fast it is

Written by `python benchmarks/compare.py --write`, which also says how each figure is taken. {rounds} rounds,
interleaved. A ratio above 1 means that forkyard is faster. Other work on the machine makes single figures uncertain
by a quarter.

- machine: {machine}, CPython {platform.python_version()}
{versions}

![times as fast as the other machines](performance.svg)
"""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def _steady(title: str, results: list[Steady], others: list[str]) -> str:
    heads = ["kernel", "median, s", "minimum, s", "compiling, s", *(f"over {name}" for name in others)]
    rows = []
    for result in results:
        own = result.seconds["forkyard"]
        ratios = [f"{result.ratio(name):.2f}" for name in others]
        rows.append([result.kernel, f"{median(own):.3f}", f"{min(own):.3f}", f"{result.compiling:.2f}", *ratios])
    means = [f"**{geometric_mean([result.ratio(name) for result in results]):.2f}**" for name in others]
    rows.append(["geometric mean", "", "", "", *means])
    return f"## Steady state: {title}\n\n{_table(heads, rows)}"


def _costs(costs: list[Steady]) -> str:
    heads = ["what", *(f"{name}, µs" for name in costs[0].seconds)]
    rows = []
    for result in costs:
        each = result.units * CALLS[result.kernel]
        rows.append([result.kernel, *(f"{median(seconds) / each * 1e6:.1f}" for seconds in result.seconds.values())])
    about = (
        "CPU time of one: getpid; fork, exit and wait (forks); fork, exec, exit and wait (execs); a page fault that "
        "copies or takes over a shared page (faults); a byte there and back through two pipes, which is two switches "
        "(pingpong); a sched_yield among 100 processes (switches)."
    )
    return f"## What the kernel costs\n\n{about}\n\n{_table(heads, rows)}"


def _wholes(wholes: dict[float, list[Whole]]) -> str:
    heads = ["program", "qemu-riscv64, s", "warm, s", "cold, s", "warm over qemu", "cold over qemu"]
    rows = []
    for seconds, results in wholes.items():
        for result in results:
            times = [f"{median(values):.2f}" for values in (result.qemu, result.warm, result.cold)]
            title = f"{result.kernel}, {seconds:g} s" if seconds else "50,000 instructions that run once"
            rows.append([title, *times, f"{result.ratio('warm'):.2f}", f"{result.ratio('cold'):.2f}"])
        if seconds:
            means = [f"**{geometric_mean([r.ratio(kind) for r in results]):.2f}**" for kind in ("warm", "cold")]
            rows.append([f"geometric mean, {seconds:g} s", "", "", "", *means])
    about = "On the clock, from the command to its end. Cold: nothing is cached, neither handlers nor regions."
    return f"## Whole processes\n\n{about}\n\n{_table(heads, rows)}"


def plot(results: list[Steady]) -> str:
    """Bars on a logarithmic scale from 1/8 to 8: to the right of the middle line forkyard is faster."""
    others = [name for name in results[0].seconds if name != "forkyard"]
    step, left, width = 12 * len(others) + 10, 110, 560
    height = step * len(results) + 50

    def at(ratio: float) -> float:
        return left + width * (math.log2(min(max(ratio, 1 / 8), 8)) + 3) / 6

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 40}" height="{height}" font-size="12"']
    out[0] += ' font-family="sans-serif">'
    for power in range(-3, 4):
        x = at(2.0**power)
        out.append(f'<line x1="{x}" y1="30" x2="{x}" y2="{height - 15}" stroke="{"#000" if not power else "#ddd"}"/>')
        out.append(f'<text x="{x}" y="{height - 2}" text-anchor="middle">{2.0**power:g}</text>')
    for number, name in enumerate(others):
        out.append(f'<rect x="{left + 180 * number}" y="8" width="10" height="10" fill="{_COLOURS[name]}"/>')
        out.append(f'<text x="{left + 180 * number + 15}" y="17">over {name}</text>')
    for row, result in enumerate(results):
        top = 34 + row * step
        out.append(f'<text x="{left - 8}" y="{top + step / 2}" text-anchor="end">{result.kernel}</text>')
        for number, name in enumerate(others):
            low, high = sorted((at(1), at(result.ratio(name))))
            y = top + 12 * number
            out.append(f'<rect x="{low:.1f}" y="{y}" width="{high - low:.1f}" height="10" fill="{_COLOURS[name]}"/>')
    return "\n".join([*out, "</svg>"]) + "\n"
