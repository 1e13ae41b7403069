"""Where a new mapping goes: where the program says, near its hint, or as high below the stack as there is room.

The rules, and the errors in their order, are Linux's (get_unmapped_area and vm_unmapped_area of mm/mmap.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits
from kernel.errno import EEXIST, EINVAL, ENOMEM, EPERM, SysError
from kernel.mm import GROWS_DOWN, GUARD_GAP, STACK_TOP, TASK_SIZE, Vma, following, is_free
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.mm import Mm

MIN_ADDRESS = 1 << 16  # vm.mmap_min_addr: so that a null pointer stays one
MIN_GAP = 128 << 20  # for the stack, in any case
BOTTOM_UP = (TASK_SIZE // 3) & -PAGE  # TASK_UNMAPPED_BASE, when there is no room below mmap_top


def top(stack_limit: int) -> int:
    """Mm.mmap_top of a program with this RLIMIT_STACK: room for the stack above it (mmap_base of mm/util.c).

    Without a limit it is 0: then areas are placed upwards, and the stack has the rest.
    """
    if stack_limit == limits.INFINITY:
        return 0
    gap = min(max(stack_limit + GUARD_GAP, MIN_GAP), TASK_SIZE // 6 * 5)
    return (STACK_TOP - gap) & -PAGE


def fixed(mm: Mm, start: int, size: int, replace: bool) -> int:
    """MAP_FIXED: exactly there. ENOMEM outside user memory, EINVAL within a page, EPERM too low, EEXIST if taken."""
    if size > TASK_SIZE or start > TASK_SIZE - size:
        raise SysError(ENOMEM)
    if start % PAGE:
        raise SysError(EINVAL)
    if start < MIN_ADDRESS:
        raise SysError(EPERM)
    if not replace and not is_free(mm, start, start + size):
        raise SysError(EEXIST)
    return start


def choose(mm: Mm, hint: int, size: int) -> int:
    """A free place for `size` bytes: at the hint if that is free, else the highest one. ENOMEM."""
    if size > TASK_SIZE - MIN_ADDRESS:
        raise SysError(ENOMEM)
    hint &= -PAGE
    if hint:
        hint = max(hint, MIN_ADDRESS)
        if hint <= TASK_SIZE - size and _has_room(mm, hint, size):
            return hint
    place = _highest(mm, size) if mm.mmap_top else None
    if place is None:
        place = _lowest(mm, size)
    if place is None:
        raise SysError(ENOMEM)
    return place


def _floor(vma: Vma) -> int:
    """Where an area begins for others: a stack keeps them at a distance."""
    return vma.start - (GUARD_GAP if vma.flags & GROWS_DOWN else 0)


def _has_room(mm: Mm, start: int, size: int) -> bool:
    index = following(mm, start)
    if index and start < mm.vmas[index - 1].end:
        return False
    return index == len(mm.vmas) or start + size <= _floor(mm.vmas[index])


def _highest(mm: Mm, size: int) -> int | None:
    """Directly below an area, or below mmap_top, in the highest gap that is large enough."""
    top = mm.mmap_top
    for vma in reversed(mm.vmas):
        if top - size >= vma.end:
            return top - size
        top = min(top, _floor(vma))
    return top - size if top - size >= MIN_ADDRESS else None


def _lowest(mm: Mm, size: int) -> int | None:
    bottom = BOTTOM_UP
    for vma in mm.vmas:
        if vma.end <= bottom:
            continue
        if bottom + size <= _floor(vma):
            return bottom
        bottom = max(bottom, vma.end)
    return bottom if bottom + size <= STACK_TOP else None
