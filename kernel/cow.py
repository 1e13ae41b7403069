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
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from kernel import mm as address_space
from kernel import pagetable
from kernel.fs import api as fs
from kernel.mm import DONT_FORK, LOCKED, SHARED, WIPE_ON_FORK
from vm.mmu import PTE_A, PTE_D, PTE_W, make_pte
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm, Vma

_NOT_W = ~PTE_W
_FLAGS = 0x3FF
_NOT_COPIED = SHARED | DONT_FORK | WIPE_ON_FORK


def fork(k: Kernel, parent: Mm) -> tuple[int, int]:
    """A second address space with the same contents: (its id, frames now shared).

    Raises OutOfMemory with every frame of the unfinished child given back. The parent is then as it was, except that
    some of its pages have lost W; its next store takes it back.
    """
    child_id = address_space.create(k)
    child = k.mms[child_id]
    try:
        shared = _share_tables(k, parent, child.root)
    except BaseException:
        address_space.destroy(k, child_id)
        raise
    finally:
        address_space.flush(k, parent)
    _copy_description(k, parent, child)
    child.resident = child.max_resident = shared
    return child_id, shared


def _share_tables(k: Kernel, parent: Mm, child_root: int) -> int:
    """Gives the child the parent's entries, without W in either, many at a time (a hot path)."""
    ram, shared = k.machine.ram, 0
    apart = [vma for vma in parent.vmas if vma.flags & _NOT_COPIED]
    for base, table in pagetable.leaf_tables(k, parent.root):
        here = [v for v in apart if v.start < base + pagetable.LEAF_SPAN and base < v.end]
        if here:
            shared += _share_some(k, base, table, child_root, here)
            continue
        for first, entries in pagetable.chunks(k, table):
            child_table = pagetable.ensure(k, child_root, base) // PAGE
            readable = array("Q", [entry & _NOT_W for entry in entries]).tobytes()
            ram.write(child_table * PAGE + first * 8, readable)
            ram.write(table * PAGE + first * 8, readable)
            ppns = [entry >> 10 for entry in entries if entry]
            k.frames.hold_many(ppns)
            shared += len(ppns)
    return shared


def _share_some(k: Kernel, base: int, table: int, child_root: int, apart: list[Vma]) -> int:
    """The same for one table, entry by entry, without the pages of the areas `apart`."""
    ram, shared = k.machine.ram, 0
    for first, entries in pagetable.chunks(k, table):
        for index, entry in enumerate(entries, first):
            va = base + index * PAGE
            if not entry or any(vma.start <= va < vma.end for vma in apart):
                continue
            slot = pagetable.ensure(k, child_root, va)
            ram.write64(slot, entry & _NOT_W)
            ram.write64(table * PAGE + index * 8, entry & _NOT_W)
            k.frames.hold(entry >> 10)
            shared += 1
    return shared


def _copy_description(k: Kernel, parent: Mm, child: Mm) -> None:
    child.vmas = [vma._replace(flags=vma.flags & ~LOCKED) for vma in parent.vmas if not vma.flags & DONT_FORK]
    for vma in child.vmas:
        if vma.inode:
            fs.hold_inode(k, vma.inode)
    if parent.exe:
        fs.hold_inode(k, parent.exe)
    child.start_brk, child.brk, child.mmap_top = parent.start_brk, parent.brk, parent.mmap_top
    child.arg_start, child.arg_end, child.env_end = parent.arg_start, parent.arg_end, parent.env_end
    child.exe, child.exe_path = parent.exe, parent.exe_path


def store_fault(k: Kernel, mm: Mm, va: int, slot: int) -> tuple[str, int, int]:
    """A store to a page that is mapped without W although its VMA is writable: (kind, frame now, frame before).

    `slot` is the physical address of its leaf entry. Raises OutOfMemory with nothing changed.
    """
    entry = k.machine.ram.read64(slot)
    old = entry >> 10
    if k.frames.count(old) == 1:
        kind, new = "cow-reuse", old
    else:
        kind, new = "cow-copy", copy_frame(k, old)
    k.machine.ram.write64(slot, make_pte(new, entry & _FLAGS | PTE_W | PTE_A | PTE_D))
    address_space.flush_page(k, mm, va)
    if new != old:
        k.frames.release(old)
    return kind, new, old


def copy_frame(k: Kernel, ppn: int) -> int:
    """A new frame with the same bytes. The caller sees to it that `ppn` is held by somebody meanwhile."""
    new = k.frames.alloc(zero=False)
    k.machine.ram.copy_frame(new, ppn)
    return new
