"""System calls of the memory family: brk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import mm
from kernel.mm import GROWS_DOWN, GUARD_GAP, PROT_READ, PROT_WRITE, TASK_SIZE, Mm, Vma
from kernel.syscalls.table import syscall
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(214, "brk", "address*")
def sys_brk(k: Kernel, t: Task, address: int) -> int:
    """brk(2) as the kernel has it: the new end of the heap, or the one that stays if `address` can't be it."""
    space = k.mms[t.mm]
    if not space.start_brk <= address <= TASK_SIZE:
        return space.brk
    old, new = _round_up(space.brk), _round_up(address)
    if new > old and not _can_grow(k, space, old, new):
        return space.brk
    _set_heap(k, space, old, new)
    space.brk = address
    return address


def _can_grow(k: Kernel, space: Mm, old: int, new: int) -> bool:
    """Is [old, new) free, with a page to spare (a guard gap below a stack), and not more than there is of memory?"""
    if (new - old) // PAGE > k.frames.total:
        return False
    index = mm.following(space, old)
    if index == len(space.vmas):
        return True
    above = space.vmas[index]
    return new + (GUARD_GAP if above.flags & GROWS_DOWN else PAGE) <= above.start


def _set_heap(k: Kernel, space: Mm, old: int, new: int) -> None:
    """The heap's VMA is [start_brk, new); pages above are gone."""
    start = space.start_brk
    heap = mm.find(space, start) if old > start else None
    area = Vma(start, new, PROT_READ | PROT_WRITE, name=b"[heap]")
    if new < old:
        mm.unmap_pages(k, space, new, old)
    if heap is None:
        if new > start:
            mm.map_area(k, space, area)
    elif new > start:
        mm.replace(space, heap, area)
    else:
        space.vmas.remove(heap)


def _round_up(value: int) -> int:
    return (value + PAGE - 1) & -PAGE
