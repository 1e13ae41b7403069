"""Copy on write: the one file that knows that a store fault can mean "copy the page first".

fork doesn't copy memory. The child gets page tables of its own whose entries name the parent's frames, and both lose
the right to write (W):

    parent  va → frame 7  R W          parent  va → frame 7  R -
                               fork →                              frame 7 has one holder more
                                       child   va → frame 7  R -

Whoever stores first takes a page fault, because W is 0 although the VMA says that writing is allowed. If the frame has
other holders, the page is copied and the writer gets the copy, with W. The last holder just gets W back. Pages that
the VMA doesn't let anybody write never come here: they stay shared for ever. Neither do those of shared mappings: the
child finds them in the page cache when it touches them (fault.py), with W, and so do all who map the same object.

This is the policy `cow`, and what the others (fork_policy.py) take over from it.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from kernel import mm as address_space
from kernel import pagetable
from kernel.mm import DONT_FORK, SHARED, WIPE_ON_FORK
from vm.mmu import PTE_A, PTE_D, PTE_W, make_pte
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm, Vma

_NOT_W = ~PTE_W
_FLAGS = 0x3FF
#: Areas whose pages a child doesn't find in its page tables, under any policy.
NOT_COPIED = SHARED | DONT_FORK | WIPE_ON_FORK


def share_pages(k: Kernel, parent: Mm, child: Mm) -> int:
    """The fork policy `cow`: gives the child the parent's entries, without W in either (a hot path).

    Raises OutOfMemory; the parent is then as it was, except that some of its pages have lost W: its next store takes
    it back.
    """
    shared = 0
    apart = [vma for vma in parent.vmas if vma.flags & NOT_COPIED]
    for base, table in pagetable.leaf_tables(k, parent.root):
        shared += share_leaf(k, base, table, child, overlapping(apart, base, pagetable.LEAF_SPAN))
    return shared


def overlapping(areas: list[Vma], base: int, span: int) -> list[Vma]:
    """Those that have a page in the `span` bytes from `base` on."""
    return [vma for vma in areas if vma.start < base + span and base < vma.end]


def share_leaf(k: Kernel, base: int, table: int, child: Mm, apart: list[Vma]) -> int:
    """Gives the child the pages of one leaf table, but for those of the areas `apart`; returns how many.

    The table may be one that the parent shares: to take W away in place is right for all who do.
    """
    if apart:
        return _share_some(k, base, table, child, apart)
    ram, shared = k.machine.ram, 0
    for first, entries in pagetable.chunks(k, table):
        child_table = pagetable.own(k, child.root, base) // PAGE
        readable = array("Q", [entry & _NOT_W for entry in entries]).tobytes()
        ram.write(child_table * PAGE + first * 8, readable)
        ram.write(table * PAGE + first * 8, readable)
        ppns = [entry >> 10 for entry in entries if entry]
        k.frames.hold_many(ppns)
        shared += len(ppns)
    k.stats.pay("entries", shared)
    return shared


def _share_some(k: Kernel, base: int, table: int, child: Mm, apart: list[Vma]) -> int:
    """The same entry by entry, without the pages of the areas `apart`."""
    if any(vma.start <= base and base + pagetable.LEAF_SPAN <= vma.end for vma in apart):
        return 0
    ram, shared = k.machine.ram, 0
    for index, entry in pagetable.present(k, table):
        va = base + index * PAGE
        if any(vma.start <= va < vma.end for vma in apart):
            continue
        slot = pagetable.own(k, child.root, va)
        ram.write64(slot, entry & _NOT_W)
        ram.write64(table * PAGE + index * 8, entry & _NOT_W)
        k.frames.hold(entry >> 10)
        shared += 1
    k.stats.pay("entries", shared)
    return shared


def store_fault(k: Kernel, mm: Mm, va: int, slot: int) -> tuple[str, int, int]:
    """A store to a page that is mapped without W although its VMA is writable: (kind, frame now, frame before).

    `slot` is the physical address of its leaf entry. Raises OutOfMemory with nothing changed.
    """
    entry = k.machine.ram.read64(slot)
    old = entry >> 10
    if k.frames.count(old) == 1:
        kind, new = "cow-reuse", old
    else:
        kind, new = "cow-copy", copy_frame(k, old, slot, va)
    k.machine.ram.write64(slot, make_pte(new, entry & _FLAGS | PTE_W | PTE_A | PTE_D))
    address_space.flush_page(k, mm, va)
    if new != old:
        k.frames.release(old)
    return kind, new, old


def copy_frame(k: Kernel, ppn: int, slot: int, va: int) -> int:
    """A new frame with the same bytes, for the page at `va`, whose leaf entry is at `slot`.

    The caller sees to it that `ppn` is held by somebody meanwhile.
    """
    new = k.frames.alloc(zero=False, place=(slot, va))
    k.machine.ram.copy_frame(new, ppn)
    k.stats.pay("frames", 1)
    return new
