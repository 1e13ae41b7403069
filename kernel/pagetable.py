"""Sv39 page tables as the kernel edits them: real tables, in guest RAM, three levels of 512 entries.

    root table (level 2, 1 GiB an entry) → level 1 (2 MiB an entry) → leaf table (level 0, one 4 KiB page an entry)

Every table is one frame with one holder, and a leaf entry is one hold on the frame that it maps. An entry that is not
valid is 0. Superpages and G are not used. Who takes rights or mappings away must `sfence`; this file doesn't.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vm.mmu import PTE_V
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

ENTRIES = 512
CHUNK = 64  # entries that are looked at together
LEAF_SPAN = ENTRIES * PAGE  # bytes of address space below one leaf table
_ZEROS = bytes(CHUNK * 8)


def find(k: Kernel, root: int, va: int) -> int:
    """The physical address of the leaf entry for `va`, or 0 if there is no leaf table for it."""
    ram, table = k.machine.ram, root
    for shift in (30, 21):
        entry = ram.read64(table * PAGE + (va >> shift & 511) * 8)
        if not entry:
            return 0
        table = entry >> 10
    return table * PAGE + (va >> 12 & 511) * 8


def ensure(k: Kernel, root: int, va: int) -> int:
    """Like `find`, but makes the tables that are missing. With OutOfMemory, what was made by then stays in the tree."""
    ram, table = k.machine.ram, root
    for shift in (30, 21):
        slot = table * PAGE + (va >> shift & 511) * 8
        entry = ram.read64(slot)
        if not entry:
            entry = k.frames.alloc() << 10 | PTE_V
            ram.write64(slot, entry)
        table = entry >> 10
    return table * PAGE + (va >> 12 & 511) * 8


def chunks(k: Kernel, table: int) -> Iterator[tuple[int, list[int]]]:
    """(index of the first, entries) of each 64 entries of a table that aren't all 0 (a hot path: most of them are)."""
    ram = k.machine.ram
    data, words = ram.read(table * PAGE, PAGE), ram.view64(table)
    for first in range(0, ENTRIES, CHUNK):
        if data[first * 8 : (first + CHUNK) * 8] != _ZEROS:
            yield first, words[first : first + CHUNK].tolist()


def _present(k: Kernel, table: int) -> list[tuple[int, int]]:
    """(index, entry) of each entry that isn't 0."""
    return [(index, entry) for first, part in chunks(k, table) for index, entry in enumerate(part, first) if entry]


def leaf_tables(k: Kernel, root: int) -> Iterator[tuple[int, int]]:
    """(first va, ppn) of every leaf table, ascending."""
    for high, upper in _present(k, root):
        for low, entry in _present(k, upper >> 10):
            yield (high << 30 | low << 21), entry >> 10


def tables(k: Kernel, root: int) -> list[int]:
    """The ppns of all tables of a tree, the root included."""
    uppers = [entry >> 10 for _, entry in _present(k, root)]
    leaves = [entry >> 10 for upper in uppers for _, entry in _present(k, upper)]
    return [root, *uppers, *leaves]


def unmap(k: Kernel, root: int, start: int, end: int) -> int:
    """Takes away every mapping in [start, end) and its hold; returns how many. The caller does the sfence."""
    ram, removed = k.machine.ram, 0
    for base, table in leaf_tables(k, root):
        first = max(start - base, 0) // PAGE
        last = min(end - base, LEAF_SPAN) // PAGE
        if first >= last:
            continue
        ppns = [entry >> 10 for entry in ram.view64(table)[first:last].tolist() if entry]
        if ppns:
            ram.write(table * PAGE + first * 8, bytes((last - first) * 8))
            k.frames.release_many(ppns)
            removed += len(ppns)
    return removed


def destroy(k: Kernel, root: int) -> None:
    """Gives back every frame that a tree maps, and then the tables themselves."""
    all_tables = tables(k, root)
    for _, table in leaf_tables(k, root):
        for _, part in chunks(k, table):
            k.frames.release_many([entry >> 10 for entry in part if entry])
    k.frames.release_many(all_tables)


def mappings(k: Kernel, root: int) -> Iterator[tuple[int, int]]:
    """(va, leaf entry) of every page that is mapped, ascending."""
    for base, table in leaf_tables(k, root):
        for index, entry in _present(k, table):
            yield base + index * PAGE, entry
