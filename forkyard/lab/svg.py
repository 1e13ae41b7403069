"""The laboratory's findings as an SVG: a bar for each policy, its parts what was paid when."""

from __future__ import annotations

from html import escape

from forkyard.lab.experiment import Cost
from forkyard.lab.model import instructions
from forkyard.lab.text import PHASE_NAMES, report
from kernel.stats import PHASES

_COLOURS = dict(zip(PHASES, ("#2a6f97", "#e07a5f", "#8d99ae", "#d9d9d9"), strict=True))
_LEFT, _WIDTH, _HEIGHT, _GAP = 130, 560, 26, 14


def picture(name: str, costs: list[Cost]) -> str:
    """A whole SVG file."""
    most = max(*(sum(map(instructions, cost.work.values())) for cost in costs), 1)
    height = 90 + len(costs) * (_HEIGHT + _GAP)
    title = f"Memory management in {name}: instructions of the kernel's model, and when they were paid"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 130}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<text x="10" y="22" font-size="15">{escape(title)}</text>',
    ]
    for number, cost in enumerate(costs):
        parts += _bar(cost, 42 + number * (_HEIGHT + _GAP), _WIDTH / most)
    parts += _legend(height - 18)
    return "\n".join([*parts, "</svg>", ""])


def page(name: str, costs: list[Cost], shown: Cost) -> str:
    """A whole HTML file: the picture, and the table below it."""
    text = escape(report(name, costs, shown))
    head = f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>fork laboratory: {escape(name)}</title>'
    return f"{head}\n<body>\n{picture(name, costs)}<pre>\n{text}</pre>\n</body></html>\n"


def _bar(cost: Cost, y: int, scale: float) -> list[str]:
    parts = [f'<text x="{_LEFT - 10}" y="{y + 18}" text-anchor="end">{cost.policy}</text>']
    x = float(_LEFT)
    for phase in PHASES:
        width = instructions(cost.work[phase]) * scale
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_HEIGHT}" fill="{_COLOURS[phase]}">'
            f"<title>{PHASE_NAMES[phase]}: {instructions(cost.work[phase]):,}</title></rect>"
        )
        x += width
    total = sum(map(instructions, cost.work.values()))
    return [*parts, f'<text x="{x + 8:.1f}" y="{y + 18}">{total:,}</text>']


def _legend(y: int) -> list[str]:
    parts = []
    for number, phase in enumerate(PHASES):
        x = _LEFT + number * 140
        parts.append(f'<rect x="{x}" y="{y - 11}" width="12" height="12" fill="{_COLOURS[phase]}"/>')
        parts.append(f'<text x="{x + 18}" y="{y}">{PHASE_NAMES[phase]}</text>')
    return parts
