"""Bringing pages in before they are touched: MAP_POPULATE, mlock, madvise's MADV_POPULATE_*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import fault, pagetable, vmas
from kernel.errno import SysError
from kernel.mm import PROT_WRITE, SHARED
from vm.mmu import PTE_V, PTE_W
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Vma
    from kernel.task import Task


def quietly(k: Kernel, t: Task, start: int, end: int) -> None:
    """As many pages of [start, end) as can be, without telling what can't: mmap(2) doesn't fail for that."""
    for vma in vmas.overlapping(k.mms.peek(t.mm), start, end):
        access = natural(vma)
        try:
            if access and not pages(k, t, max(vma.start, start), min(vma.end, end), access):
                return
        except SysError:
            return


def natural(vma: Vma) -> str:
    """How a page of the area is touched to bring it in: a private writable one is copied at once. "": not at all."""
    if vma.prot & PROT_WRITE and not vma.flags & SHARED:
        return "store"
    return "load" if vma.prot & 3 else "fetch" if vma.prot else ""


def pages(k: Kernel, t: Task, start: int, end: int, access: str) -> bool:
    """Every page as if it were accessed so; False at the first that can't be. Raises OutOfMemory, EIO."""
    root, needed = k.mms.peek(t.mm).root, PTE_V | (PTE_W if access == "store" else 0)
    for va in range(start, end, PAGE):
        if pagetable.reached(k, root, va) & needed == needed:
            continue
        if fault.resolve(k, t, va, access, kernel=True) is not None:
            return False
    return True
