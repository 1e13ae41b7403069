"""How much of what an address space has, counted from its areas, its page tables and the frames' counts.

A page is anonymous if it isn't the page cache's: private memory, and private copies of a file's pages. What is the
cache's is a file's page, or shared memory (tmpfs, memfd, MAP_SHARED|MAP_ANONYMOUS) if no source is behind the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel import mm as address_space
from kernel import pagetable
from kernel.mm import GROWS_DOWN, PROT_EXEC, PROT_WRITE, TASK_SIZE
from vm.ram import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.kernel import Kernel
    from kernel.mm import Mm, Vma


class Page(NamedTuple):
    """A page that is mapped: the leaf entry, the area, whether it is the page cache's, and how many map the frame
    (pagetable.holders)."""

    va: int
    entry: int
    vma: Vma
    cached: bool
    holders: int


class Resident(NamedTuple):
    """Pages by kind."""

    anonymous: int
    file: int
    shared: int


def pages(k: Kernel, mm: Mm, start: int = 0, end: int = TASK_SIZE) -> Iterator[Page]:
    """Every mapped page in [start, end), ascending."""
    for base, table in pagetable.leaf_tables(k, mm.root):
        if base < end and start < base + pagetable.LEAF_SPAN:
            for index, entry in pagetable.present(k, table):
                va = base + index * PAGE
                vma = address_space.find(mm, va) if start <= va < end else None
                if vma is not None:
                    yield _look(k, mm, vma, va, entry)


def _look(k: Kernel, mm: Mm, vma: Vma, va: int, entry: int) -> Page:
    """What can be said of one mapped page."""
    ppn = entry >> 10
    index = (va - vma.start + vma.offset) // PAGE
    cached = bool(vma.inode) and k.page_cache.present(vma.inode, index) == ppn
    return Page(va, entry, vma, cached, pagetable.holders(k, mm.root, va) - cached)


def resident(k: Kernel, mm: Mm) -> Resident:
    """RssAnon, RssFile and RssShmem."""
    anonymous = file = shared = 0
    for page in pages(k, mm):
        if not page.cached:
            anonymous += 1
        elif is_shmem(k, page.vma):
            shared += 1
        else:
            file += 1
    return Resident(anonymous, file, shared)


def is_shmem(k: Kernel, vma: Vma) -> bool:
    """Is the object behind the area memory only (Linux's tmpfs), not a file of /bin or of the host?"""
    return bool(vma.inode) and not k.inodes.peek(vma.inode).source


def code(mm: Mm) -> tuple[int, int]:
    """start_code and end_code: from the first to behind the last executable area of the program's file."""
    found = [vma for vma in mm.vmas if vma.inode and vma.inode == mm.exe and vma.prot & PROT_EXEC]
    return (found[0].start, found[-1].end) if found else (0, 0)


def data(mm: Mm) -> tuple[int, int]:
    """start_data and end_data: the same of its writable areas."""
    found = [vma for vma in mm.vmas if vma.inode and vma.inode == mm.exe and vma.prot & PROT_WRITE]
    return (found[0].start, found[-1].end) if found else (0, 0)


def stack_size(mm: Mm) -> int:
    """Bytes of areas that grow downwards."""
    return sum(vma.end - vma.start for vma in mm.vmas if vma.flags & GROWS_DOWN)


def libraries(mm: Mm) -> int:
    """Bytes of executable areas that aren't the program's own."""
    return sum(v.end - v.start for v in mm.vmas if v.prot & PROT_EXEC and not v.prot & PROT_WRITE and v.inode != mm.exe)


def tables(k: Kernel, mm: Mm) -> int:
    """Page tables of the address space, the root included; those that it shares with others are counted too."""
    leaves = [base for base, _ in pagetable.leaf_tables(k, mm.root)]
    return 1 + len({base >> 30 for base in leaves}) + len(leaves)
