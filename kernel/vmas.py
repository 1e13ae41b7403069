"""Cutting and joining VMAs: munmap, mprotect and madvise act on pages, wherever the areas' borders are.

`carve` splits the areas at both ends of a range, so that those in it can be changed as wholes; `join` puts neighbours
that say the same together again, as Linux does, so that the list stays as short as what it describes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel import mm as address_space
from kernel import pagetable_ranges
from kernel.fs import api as fs
from kernel.mm import Mm, Vma

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def overlapping(mm: Mm, start: int, end: int) -> list[Vma]:
    """The areas that have a page in [start, end), ascending; none if that is empty."""
    if start >= end:
        return []
    index = address_space.following(mm, start)
    if index and start < mm.vmas[index - 1].end:
        index -= 1
    found = []
    while index < len(mm.vmas) and mm.vmas[index].start < end:
        found.append(mm.vmas[index])
        index += 1
    return found


def part(vma: Vma, start: int, end: int) -> Vma:
    """The same area with the bounds cut to [start, end)."""
    start, end = max(vma.start, start), min(vma.end, end)
    return vma._replace(start=start, end=end, offset=vma.offset + start - vma.start if vma.inode else 0)


def carve(k: Kernel, mm: Mm, start: int, end: int) -> list[Vma]:
    """The areas in [start, end), after those that reach over its borders were split there."""
    for border in (start, end):
        vma = address_space.find(mm, border)
        if vma is not None and vma.start < border:
            index = address_space.following(mm, vma.start) - 1
            mm.vmas[index : index + 1] = [part(vma, vma.start, border), part(vma, border, vma.end)]
            if vma.inode:
                fs.hold_inode(k, vma.inode)
    return overlapping(mm, start, end)


def change(k: Kernel, mm: Mm, start: int, end: int, how: Callable[[Vma], Vma]) -> None:
    """Every area in [start, end) becomes `how(area)`, which keeps its bounds and its inode."""
    for vma in carve(k, mm, start, end):
        address_space.replace(mm, vma, how(vma))
    join(k, mm, start, end)


def join(k: Kernel, mm: Mm, start: int, end: int) -> None:
    """Puts together the neighbours in and around [start, end) that differ in nothing but their bounds."""
    index = max(address_space.following(mm, start) - 1, 1)
    while index < len(mm.vmas) and mm.vmas[index].start <= end:
        before, vma = mm.vmas[index - 1], mm.vmas[index]
        if _continues(before, vma):
            mm.vmas[index - 1 : index + 1] = [before._replace(end=vma.end)]
            if vma.inode:
                fs.release_inode(k, vma.inode)
        else:
            index += 1


def _continues(before: Vma, vma: Vma) -> bool:
    offset = before.offset + before.end - before.start if before.inode else 0
    same = before._replace(start=vma.start, end=vma.end, offset=offset) == vma
    return before.end == vma.start and same


def remove(k: Kernel, mm: Mm, start: int, end: int) -> None:
    """Nothing is in [start, end) any more: areas, pages, and their holds. Raises OutOfMemory with nothing changed."""
    if not overlapping(mm, start, end):
        return
    address_space.unmap_pages(k, mm, start, end)
    gone = carve(k, mm, start, end)
    first = address_space.following(mm, gone[0].start) - 1
    del mm.vmas[first : first + len(gone)]
    for vma in gone:
        if vma.inode:
            fs.release_inode(k, vma.inode)


def forget_file(k: Kernel, inode_id: int, offset: int) -> None:
    """No address space has a page of the file from byte `offset` on: copies of them go too (truncate(2)).

    Raises OutOfMemory with nothing changed.
    """
    found = [
        (k.mms[mm_id], vma.start + max(offset - vma.offset, 0), vma.end)
        for mm_id in k.mms.ids()
        for vma in k.mms.peek(mm_id).vmas
        if vma.inode == inode_id and offset < vma.offset + vma.end - vma.start
    ]
    for mm, start, end in found:
        pagetable_ranges.prepare_unmap(k, mm.root, start, end)
    for mm, start, end in found:
        address_space.unmap_pages(k, mm, start, end)
