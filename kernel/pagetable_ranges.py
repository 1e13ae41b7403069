"""Page tables over ranges of addresses: unmapping, changing rights, moving, and giving back a whole tree.

Tables that are shared (pagetable.py) are copied first if only a part of them changes; one that lies in the range as a
whole is just let go of. What may need memory for that comes before anything changes. No function here does the sfence.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.pagetable import ENTRIES, LEAF_SPAN, UPPER_SPAN, own, own_upper, present
from vm.mmu import PTE_R, PTE_V, PTE_W, PTE_X
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_EMPTY = bytes(PAGE)


def within(k: Kernel, root: int, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The leaf tables that have a part in [start, end): (first va, ppn, index of the first entry, behind the last)."""
    for index, entry in present(k, root):
        base = index * UPPER_SPAN
        if base < end and start < base + UPPER_SPAN:
            yield from _leaves(k, entry >> 10, base, start, end)


def own_range(k: Kernel, root: int, start: int, end: int) -> None:
    """The paths to all pages of [start, end) are this address space's own. Raises OutOfMemory."""
    for base, table, first, last in within(k, root, start, end):
        if _has_pages(k, table, first, last):
            own(k, root, base + first * PAGE)


def prepare_unmap(k: Kernel, root: int, start: int, end: int) -> None:
    """After this `unmap` can't fail: the tables at the range's borders are this address space's own. OutOfMemory."""
    for va in (start, end - PAGE):
        base = va & -UPPER_SPAN
        if not (start <= base and base + UPPER_SPAN <= end):
            _prepare_border(k, root, va, start, end)


def _prepare_border(k: Kernel, root: int, va: int, start: int, end: int) -> None:
    """Owns the path to `va` where something of [start, end) is mapped below its upper table, or its leaf table."""
    slot = root * PAGE + (va >> 30 & 511) * 8
    upper = k.machine.ram.read64(slot) >> 10
    if not upper or k.frames.count(upper) == 1 == _leaf_count(k, upper, va):
        return
    for base, table, first, last in _leaves(k, upper, va & -UPPER_SPAN, start, end):
        if last - first == ENTRIES:
            own_upper(k, root, va)
        elif _has_pages(k, table, first, last):
            own(k, root, base + first * PAGE)


def _leaf_count(k: Kernel, upper: int, va: int) -> int:
    """The holds of the leaf table of `va`; 1 if there is none."""
    table = k.machine.ram.read64(upper * PAGE + (va >> 21 & 511) * 8) >> 10
    return k.frames.count(table) if table else 1


def _leaves(k: Kernel, upper: int, base: int, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Like `within`, below one upper table whose first va is `base`. Looks at no entry outside the range."""
    first_table, behind = max(start - base, 0) // LEAF_SPAN, min((end - 1 - base) // LEAF_SPAN + 1, ENTRIES)
    for index, entry in enumerate(k.machine.ram.view64(upper)[first_table:behind].tolist(), first_table):
        low = base + index * LEAF_SPAN
        first, last = max(start - low, 0) // PAGE, min(end - low, LEAF_SPAN) // PAGE
        if entry and first < last:
            yield low, entry >> 10, first, last


def unmap(k: Kernel, root: int, start: int, end: int) -> int:
    """Takes away every mapping in [start, end) and its hold, and the tables that are empty then; returns how many.

    After `prepare_unmap` for the same range.
    """
    ram, removed = k.machine.ram, 0
    gone: list[int] = []
    for index, entry in present(k, root):
        base, upper = index * UPPER_SPAN, entry >> 10
        if not (base < end and start < base + UPPER_SPAN):
            continue
        whole = start <= base and base + UPPER_SPAN <= end
        if whole:
            removed += sum(len(present(k, leaf >> 10)) for _, leaf in present(k, upper))
            _give_upper(k, upper, gone)
        elif k.frames.count(upper) == 1:
            removed += _unmap_below(k, upper, base, start, end, gone)
            whole = _is_empty(k, upper)
            gone += [upper] * whole
        if whole:
            ram.write64(root * PAGE + index * 8, 0)
    k.frames.release_many(gone)
    return removed


def _unmap_below(k: Kernel, upper: int, base: int, start: int, end: int, gone: list[int]) -> int:
    """The same below one upper table; what has to be released is added to `gone`."""
    ram, removed = k.machine.ram, 0
    for low, table, first, last in _leaves(k, upper, base, start, end):
        ppns = [entry >> 10 for entry in ram.view64(table)[first:last].tolist() if entry]
        removed += len(ppns)
        whole = last - first == ENTRIES
        if whole:
            _give_leaf(k, table, gone)
        elif k.frames.count(table) == 1:
            if ppns:
                ram.write(table * PAGE + first * 8, bytes((last - first) * 8))
                gone += ppns
            whole = _is_empty(k, table)
            gone += [table] * whole
        if whole:
            ram.write64(upper * PAGE + (low - base) // LEAF_SPAN * 8, 0)
    return removed


def protect(k: Kernel, root: int, start: int, end: int, rights: int, writable: bool) -> None:
    """Gives every page in [start, end) the bits V, R and X of `rights`; W stays only if `writable`.

    W is never added here: the page may be shared by copy on write, which the next store's fault finds out. After
    `own_range` for the same range.
    """
    ram, keep = k.machine.ram, ~(PTE_V | PTE_R | PTE_X | (0 if writable else PTE_W))
    for _, table, first, last in within(k, root, start, end):
        if _has_pages(k, table, first, last):
            entries = [entry and entry & keep | rights for entry in ram.view64(table)[first:last].tolist()]
            ram.write(table * PAGE + first * 8, array("Q", entries).tobytes())


def move(k: Kernel, root: int, start: int, end: int, to: int) -> None:
    """Moves the entries of [start, end) to the addresses from `to` on, which are empty.

    Raises OutOfMemory before anything has moved.
    """
    ram, moved = k.machine.ram, []
    own_range(k, root, start, end)
    for base, table, first, last in within(k, root, start, end):
        for index, entry in enumerate(ram.view64(table)[first:last].tolist(), first):
            if entry:
                moved.append((table * PAGE + index * 8, own(k, root, base + index * PAGE - start + to), entry))
    for source, _, _ in moved:
        ram.write64(source, 0)
    for _, target, entry in moved:
        ram.write64(target, entry)


def destroy(k: Kernel, root: int) -> None:
    """Lets go of everything that a tree names, and of the root: what nobody else shares is free then."""
    gone: list[int] = []
    for _, entry in present(k, root):
        _give_upper(k, entry >> 10, gone)
    k.frames.release_many([*gone, root])


def _give_upper(k: Kernel, upper: int, gone: list[int]) -> None:
    """What must be released when the hold on an upper table is given up, is added to `gone`."""
    if k.frames.count(upper) == 1:
        for _, entry in present(k, upper):
            _give_leaf(k, entry >> 10, gone)
    gone.append(upper)


def _give_leaf(k: Kernel, table: int, gone: list[int]) -> None:
    if k.frames.count(table) == 1:
        gone += [entry >> 10 for entry in k.machine.ram.view64(table).tolist() if entry]
    gone.append(table)


def _has_pages(k: Kernel, table: int, first: int, last: int) -> bool:
    """Is any of the entries [first, last) not 0?"""
    size = (last - first) * 8
    return k.machine.ram.read(table * PAGE + first * 8, size) != _EMPTY[:size]


def _is_empty(k: Kernel, table: int) -> bool:
    return k.machine.ram.read(table * PAGE, PAGE) == _EMPTY
