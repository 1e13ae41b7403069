"""How fast this machine is: what the benchmarks' figures are scaled by, since machines differ and are noisy."""

from __future__ import annotations

import time

#: Rounds per second of a bare `while` loop on the machine that the project's figures are for.
REFERENCE = 25_000_000


def loop_rate(rounds: int = 3_000_000) -> float:
    """Rounds per second of a bare `while` loop of `i += 1` here and now."""
    begin = time.perf_counter()
    i = 0
    while i < rounds:
        i += 1
    return rounds / (time.perf_counter() - begin)
