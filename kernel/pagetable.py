"""Sv39 page tables as the kernel edits them: real tables, in guest RAM, three levels of 512 entries.

    root table (level 2, 1 GiB an entry) → level 1 (2 MiB an entry) → leaf table (level 0, one 4 KiB page an entry)

Every table is one frame with one holder, and a leaf entry is one hold on the frame that it maps. A leaf entry is 0 if
no page is there. One that isn't 0 but has no V keeps a page that nobody may touch now (PROT_NONE). Superpages and G are
not used. Who takes rights or mappings away must `sfence`; this file doesn't.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vm.mmu import PTE_R, PTE_V, PTE_W, PTE_X
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


def within(k: Kernel, root: int, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The leaf tables that have a part in [start, end): (first va, ppn, index of the first entry, behind the last)."""
    for base, table in leaf_tables(k, root):
        first = max(start - base, 0) // PAGE
        last = min(end - base, LEAF_SPAN) // PAGE
        if first < last:
            yield base, table, first, last


def unmap(k: Kernel, root: int, start: int, end: int) -> int:
    """Takes away every mapping in [start, end) and its hold; returns how many. The caller does the sfence."""
    ram, removed = k.machine.ram, 0
    for _, table, first, last in within(k, root, start, end):
        ppns = [entry >> 10 for entry in ram.view64(table)[first:last].tolist() if entry]
        if ppns:
            ram.write(table * PAGE + first * 8, bytes((last - first) * 8))
            k.frames.release_many(ppns)
            removed += len(ppns)
    return removed


def protect(k: Kernel, root: int, start: int, end: int, rights: int, writable: bool) -> None:
    """Gives every page in [start, end) the bits V, R and X of `rights`; W stays only if `writable`. No sfence.

    W is never added here: the page may be shared by copy on write, which the next store's fault finds out.
    """
    ram, keep = k.machine.ram, ~(PTE_V | PTE_R | PTE_X | (0 if writable else PTE_W))
    for _, table, first, last in within(k, root, start, end):
        entries = [entry and entry & keep | rights for entry in ram.view64(table)[first:last].tolist()]
        ram.write(table * PAGE + first * 8, array("Q", entries).tobytes())


def move(k: Kernel, root: int, start: int, end: int, to: int) -> None:
    """Moves the entries of [start, end) to the addresses from `to` on, which are empty. No sfence.

    Raises OutOfMemory before anything has moved.
    """
    ram, moved = k.machine.ram, []
    for base, table, first, last in within(k, root, start, end):
        for index, entry in enumerate(ram.view64(table)[first:last].tolist(), first):
            if entry:
                moved.append((table * PAGE + index * 8, ensure(k, root, base + index * PAGE - start + to), entry))
    for source, _, _ in moved:
        ram.write64(source, 0)
    for _, target, entry in moved:
        ram.write64(target, entry)


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
