"""What memory's work would cost a kernel, in instructions: a model, and the same in every run.

A kernel written in C for this processor would need about so many instructions for each piece of work that kernel.stats
counts. They are counted by hand from the shortest loops that do the work (a load, the change, a store, the loop's own
two, unrolled by four where a compiler would), and are there to compare policies, not to predict Linux.
"""

from __future__ import annotations

#: Kind of work → (instructions for one, why so many). The kinds are kernel.stats.WORK.
COSTS = {
    "faults": (200, "trap entry and exit save and restore 31 registers, and the area is looked up"),
    "entries": (5, "load, mask, store, and the loop"),
    "frames": (1300, "512 doublewords loaded and stored, unrolled, and a frame taken"),
    "tables": (700, "512 doublewords stored or loaded and stored, and a frame taken"),
    "swept": (4, "load, mask, store, and the loop, for each of a table's 512 entries"),
    "counts": (6, "index, load, test, add, store, and the loop"),
    "flushes": (40, "sfence.vma, and the other harts' being asked"),
    "page flushes": (10, "sfence.vma for one page"),
}


def instructions(work: dict[str, int]) -> int:
    """The model's instructions for one phase's work."""
    return sum(number * COSTS[kind][0] for kind, number in work.items())
