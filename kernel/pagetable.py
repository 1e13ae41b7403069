"""Sv39 page tables as the kernel edits them: real tables, in guest RAM, three levels of 512 entries.

    root (level 2, 1 GiB an entry) → upper tables (level 1, 2 MiB an entry) → leaf tables (level 0, 4 KiB an entry)

A leaf entry is 0 if no page is there. One that isn't 0 but has no V keeps a page that nobody may touch now (PROT_NONE).
Superpages and G are not used. Who takes rights or mappings away must `sfence`; this file doesn't.

A root belongs to one address space; the tables below it may have several that share them (fork_tables.py), and the
frames' counts say so: a table has one hold for each *entry* that names it, a page one for each leaf entry, however
many address spaces come by there. Sv39 has no W in the entries for tables. So the entry for a leaf table is

    | ppn | V              open: the hardware goes through it. If the path is shared, no page below has W
    | ppn | CLOSED, no V   closed: every access faults, and whatever rights the pages below have count for nothing

"The path is shared" means that the leaf table or the upper one has more than one hold. The rules that follow:

- Only a table on an unshared path is changed. `own` makes the path to a page one's own: it copies what is shared.
- In a shared table just three things happen, which mean the same to all who share it: W is taken away (once, when the
  table is first opened or copied), an entry is opened (`reopen`), and the hardware sets A.

Ranges of pages are in pagetable_ranges.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vm.mmu import PTE_V, PTE_W
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

ENTRIES = 512
CHUNK = 64  # entries that are looked at together
LEAF_SPAN = ENTRIES * PAGE  # bytes of address space below one leaf table
UPPER_SPAN = ENTRIES * LEAF_SPAN  # below one upper table
PTE_CLOSED = 1 << 8  # one of the bits that are the kernel's own (RSW)
_ZEROS = bytes(CHUNK * 8)
# The same bit of every entry of a table, the table being one number.
_ALL_V, _ALL_W = (int.from_bytes(bit.to_bytes(8, "little") * ENTRIES, "little") for bit in (PTE_V, PTE_W))


def find(k: Kernel, root: int, va: int) -> int:
    """The physical address of the leaf entry for `va`, or 0 if there is no leaf table for it. For reading only.

    The entry says what is there; whether the hardware gets to it, `reached` says.
    """
    ram, table = k.machine.ram, root
    for shift in (30, 21):
        entry = ram.read64(table * PAGE + (va >> shift & 511) * 8)
        if not entry:
            return 0
        table = entry >> 10
    return table * PAGE + (va >> 12 & 511) * 8


def find_entry(k: Kernel, root: int, va: int) -> int:
    """The leaf entry for `va`, 0 if there is none."""
    slot = find(k, root, va)
    return k.machine.ram.read64(slot) if slot else 0


def reached(k: Kernel, root: int, va: int) -> int:
    """The leaf entry that the hardware finds for `va`; 0 if there is none, or it is behind a closed one."""
    ram, table = k.machine.ram, root
    for shift in (30, 21):
        entry = ram.read64(table * PAGE + (va >> shift & 511) * 8)
        if not entry & PTE_V:
            return 0
        table = entry >> 10
    return ram.read64(table * PAGE + (va >> 12 & 511) * 8)


def path(k: Kernel, root: int, va: int) -> tuple[int, int]:
    """The ppns of the upper table and the leaf table for `va`, which are there."""
    ram = k.machine.ram
    upper = ram.read64(root * PAGE + (va >> 30 & 511) * 8) >> 10
    return upper, ram.read64(upper * PAGE + (va >> 21 & 511) * 8) >> 10


def holders(k: Kernel, root: int, va: int) -> int:
    """How many have the frame of a mapped page: its own count, and those who come to it through the same tables.

    A lower bound, never 1 for what is shared: through the tables of others more may come than their counts here say.
    """
    upper, table = path(k, root, va)
    count = k.frames.count
    return count(find_entry(k, root, va) >> 10) + count(table) - 1 + count(upper) - 1


def own(k: Kernel, root: int, va: int) -> int:
    """The physical address of the leaf entry for `va`, to be changed: no table above it is shared, all are open.

    Makes the tables that are missing. With OutOfMemory, what was made or copied by then stays: nobody sees it. (A hot
    path: every fault that changes something comes here.)
    """
    ram, count = k.machine.ram, k.frames.count
    upper = ram.read64(root * PAGE + (va >> 30 & 511) * 8) >> 10
    if not upper or count(upper) > 1:
        upper = own_upper(k, root, va)
    slot = upper * PAGE + (va >> 21 & 511) * 8
    entry = ram.read64(slot)
    if not entry:
        table = _make(k, slot)
    else:
        table = entry >> 10
        if count(table) > 1:
            write_protect(k, table)
            table = _copy(k, slot, table)
        elif not entry & PTE_V:
            ram.write64(slot, table << 10 | PTE_V)
    return table * PAGE + (va >> 12 & 511) * 8


def own_upper(k: Kernel, root: int, va: int) -> int:
    """The ppn of the upper table for `va`, which no other address space has: made or copied if need be. OutOfMemory."""
    slot = root * PAGE + (va >> 30 & 511) * 8
    upper = k.machine.ram.read64(slot) >> 10
    if not upper:
        return _make(k, slot)
    return _copy(k, slot, upper) if k.frames.count(upper) > 1 else upper


def reopen(k: Kernel, root: int, va: int) -> bool:
    """Opens the entry above the leaf entry of `va`, which is there, for everyone who shares it. False if it was open.

    The pages below keep their W only if all of the path is this address space's own.
    """
    ram, frames = k.machine.ram, k.frames
    upper = ram.read64(root * PAGE + (va >> 30 & 511) * 8) >> 10
    slot = upper * PAGE + (va >> 21 & 511) * 8
    entry = ram.read64(slot)
    if entry & PTE_V:
        return False
    table = entry >> 10
    if frames.count(upper) > 1 or frames.count(table) > 1:
        write_protect(k, table)
    ram.write64(slot, table << 10 | PTE_V)
    return True


def write_protect(k: Kernel, table: int) -> None:
    """No page of a leaf table can be written any more; done once: the second time there is nothing left to do."""
    ram = k.machine.ram
    entries = int.from_bytes(ram.read(table * PAGE, PAGE), "little")
    if entries & _ALL_W:
        ram.write(table * PAGE, (entries & ~_ALL_W).to_bytes(PAGE, "little"))
        k.stats.pay("swept", ENTRIES)


def close(k: Kernel, upper: int) -> None:
    """Closes every entry of an upper table: V goes, CLOSED comes. The caller does the sfence."""
    ram = k.machine.ram
    entries = int.from_bytes(ram.read(upper * PAGE, PAGE), "little")
    opened = entries & _ALL_V
    if opened:  # else nobody was there since the fork before this one
        ram.write(upper * PAGE, (entries ^ opened | opened << 8).to_bytes(PAGE, "little"))
        k.stats.pay("swept", ENTRIES)


def _make(k: Kernel, slot: int) -> int:
    """An empty table, named by the entry at `slot`."""
    table = k.frames.alloc()
    k.machine.ram.write64(slot, table << 10 | PTE_V)
    k.stats.pay("tables", 1)
    return table


def _copy(k: Kernel, slot: int, table: int) -> int:
    """A table of one's own instead of a shared one; what both name has one holder more. Raises OutOfMemory."""
    ram = k.machine.ram
    new = k.frames.alloc(zero=False)
    ram.copy_frame(new, table)
    named = [entry >> 10 for _, part in chunks(k, table) for entry in part if entry]
    k.frames.hold_many(named)
    ram.write64(slot, new << 10 | PTE_V)
    k.frames.release(table)
    k.stats.pay("tables", 1)
    k.stats.pay("entries", len(named))
    return new


def chunks(k: Kernel, table: int) -> Iterator[tuple[int, list[int]]]:
    """(index of the first, entries) of each 64 entries of a table that aren't all 0 (a hot path: most of them are)."""
    ram = k.machine.ram
    data, words = ram.read(table * PAGE, PAGE), ram.view64(table)
    for first in range(0, ENTRIES, CHUNK):
        if data[first * 8 : (first + CHUNK) * 8] != _ZEROS:
            yield first, words[first : first + CHUNK].tolist()


def present(k: Kernel, table: int) -> list[tuple[int, int]]:
    """(index, entry) of each entry that isn't 0."""
    return [(index, entry) for first, part in chunks(k, table) for index, entry in enumerate(part, first) if entry]


def leaf_tables(k: Kernel, root: int) -> Iterator[tuple[int, int]]:
    """(first va, ppn) of every leaf table, ascending."""
    for high, upper in present(k, root):
        for low, entry in present(k, upper >> 10):
            yield (high << 30 | low << 21), entry >> 10


def mappings(k: Kernel, root: int) -> Iterator[tuple[int, int]]:
    """(va, leaf entry) of every page that is mapped, ascending. W may stand behind a closed entry: see `reached`."""
    for base, table in leaf_tables(k, root):
        for index, entry in present(k, table):
            yield base + index * PAGE, entry
