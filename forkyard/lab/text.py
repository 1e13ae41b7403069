"""The laboratory's findings as plain text: bars of the model's instructions by phase, then every count."""

from __future__ import annotations

from collections.abc import Callable

from forkyard.lab.experiment import Cost
from forkyard.lab.model import instructions
from kernel.stats import PHASES, WORK

PHASE_NAMES = {"fork": "in fork", "fault": "in page faults", "release": "at exec and exit", "call": "in other calls"}
_SHADES = dict(zip(PHASES, "█▓▒░", strict=True))
_WIDTH = 50
_NAMES = {
    "entries": "page table entries copied",
    "frames": "frames copied",
    "tables": "tables made or copied",
    "swept": "entries swept over",
    "counts": "counts of frames changed",
    "flushes": "TLB flushes",
    "page flushes": "TLB flushes of one page",
    "faults": "page faults",
}


def report(name: str, costs: list[Cost], shown: Cost) -> str:
    """All of it, to be printed below the program's own output, which was that of the run `shown`."""
    lines = [f"fork laboratory: {name}, {_times(costs[0].forks)}", ""]
    if not costs[0].forks:
        return lines[0] + ": nothing to compare\n"
    return "\n".join([*lines, *_bars(costs), "", *_table(costs), "", *_remarks(costs, shown), ""])


def _times(forks: int) -> str:
    return "which never forks" if not forks else "one fork" if forks == 1 else f"{forks} forks"


def _bars(costs: list[Cost]) -> list[str]:
    """A bar for each policy, its length the model's instructions."""
    totals = [sum(instructions(work) for work in cost.work.values()) for cost in costs]
    scale = _WIDTH / max(*totals, 1)
    lines = ["instructions of the kernel's memory management, by the model of docs/fork.md"]
    for cost, total in zip(costs, totals, strict=True):
        bar = "".join(_SHADES[phase] * round(instructions(cost.work[phase]) * scale) for phase in PHASES)
        lines.append(f"  {cost.policy:<14} {total:>14,} {bar}")
    return [*lines, "  paid " + ", ".join(f"{_SHADES[phase]} {PHASE_NAMES[phase]}" for phase in PHASES)]


def _table(costs: list[Cost]) -> list[str]:
    lines = [f"{'':<32}" + "".join(f"{cost.policy:>15}" for cost in costs)]
    lines += _row("model's instructions", costs, lambda cost, phase: instructions(cost.work[phase]))
    for kind in WORK:
        lines += _row(_NAMES[kind], costs, lambda cost, phase, kind=kind: cost.work[phase][kind])  # type: ignore[misc]
    lines.append(_line("frames in use at most", [cost.frames for cost in costs]))
    lines.append(_line("the program's instructions", [cost.retired for cost in costs]))
    lines.append("host time in µs (different each time)")
    for phase in PHASES[:3]:
        lines.append(_line(f"  {PHASE_NAMES[phase]}", [cost.seconds[phase] * 1e6 for cost in costs]))
    lines.append(_line("  the whole run", [cost.total * 1e6 for cost in costs]))
    return lines


def _row(name: str, costs: list[Cost], value: Callable[[Cost, str], int]) -> list[str]:
    """A count in all, and below it in each phase that has some."""
    lines = [_line(name, [sum(value(cost, phase) for phase in PHASES) for cost in costs])]
    for phase in PHASES:
        numbers = [value(cost, phase) for cost in costs]
        if any(numbers) and name != "page faults":
            lines.append(_line(f"  {PHASE_NAMES[phase]}", numbers))
    return lines


def _line(name: str, numbers: list[int] | list[float]) -> str:
    return f"{name:<32}" + "".join(f"{number:>15,.0f}" for number in numbers)


def _remarks(costs: list[Cost], shown: Cost) -> list[str]:
    """Whether the program noticed. It can't tell the policies apart; vfork it can."""
    lines = [
        f"{cost.policy}: the program did something else than under {shown.policy}: {_difference(cost, shown)}."
        for cost in costs
        if _difference(cost, shown)
    ]
    lines.append(
        "vfork: the program's forks were done as vfork: parent and child share one memory, and the parent waits"
    )
    return [*lines, "until the child execs or exits. That compares only for programs whose child does so at once."]


def _difference(cost: Cost, shown: Cost) -> str:
    """How a run went otherwise; "" if it did not."""
    if cost.outcome.kind != shown.outcome.kind:
        ends = {"max-insns": "it came to no end", "deadlock": "it waits for ever", "exited": "it came to an end"}
        return ends[cost.outcome.kind]
    if cost.outcome.status != shown.outcome.status:
        return f"its exit status was {cost.outcome.status}"
    return "its output was another" if cost.output != shown.output else ""
