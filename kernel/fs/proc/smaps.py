"""smaps: what of each area is in memory, and how much of that is shared. proc_pid_smaps(5); Linux's fs/proc/task_mmu.c

    Pss       each page counts as 1 / how many map it: the sum over all processes is the memory that is really used, or
              more, if they come by page tables shared over generations, where pagetable.holders misses some
    Shared    pages that somebody else maps too; Private: those that nobody else does
    Dirty     was written through this mapping (D of its page table entry)

Swap, huge pages, KSM and lazy freeing are not there: their lines say 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kernel.fs.proc import memory_map, memory_use, who
from kernel.mm import (
    DONT_FORK,
    GROWS_DOWN,
    LOCKED,
    NEVER_WRITABLE,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    SHARED,
    WIPE_ON_FORK,
)
from vm.mmu import PTE_A, PTE_D
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.fs.proc.memory_use import Page
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel
    from kernel.mm import Vma

_SHIFT = 12  # bits behind the point in a sum of shares, as in Linux's PSS_SHIFT
_ABSENT = ("LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb")
_SUMS = (
    *("Rss", "Pss", "Pss_Dirty", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty"),
    *("Referenced", "Anonymous"),
)


class Sums:
    """Sums over pages, in bytes; those of Pss with _SHIFT bits behind the point."""

    def __init__(self) -> None:
        self.bytes = dict.fromkeys((*_SUMS, "Pss_Anon", "Pss_File", "Pss_Shmem", "Locked"), 0)

    def add(self, k: Kernel, page: Page) -> None:
        """One more page."""
        share = (PAGE << _SHIFT) // page.holders
        dirty = bool(page.entry & PTE_D)
        kind = "Anon" if not page.cached else "Shmem" if memory_use.is_shmem(k, page.vma) else "File"
        owners = "Shared" if page.holders > 1 else "Private"
        pages = {
            "Rss": True,
            f"{owners}_{'Dirty' if dirty else 'Clean'}": True,
            "Referenced": bool(page.entry & PTE_A),
            "Anonymous": not page.cached,
        }
        for name, counts in pages.items():
            self.bytes[name] += PAGE if counts else 0
        for name in ("Pss", f"Pss_{kind}", *(("Pss_Dirty",) if dirty else ())):
            self.bytes[name] += share
        self.bytes["Locked"] += share if page.vma.flags & LOCKED else 0

    def lines(self, rollup: bool) -> Iterable[str]:
        """The lines in Linux's order."""
        for name in _SUMS:
            yield self._line(name)
            if rollup and name == "Pss_Dirty":
                yield from map(self._line, ("Pss_Anon", "Pss_File", "Pss_Shmem"))
        yield from (_size(name, 0) for name in (*_ABSENT, "Swap", "SwapPss"))
        yield self._line("Locked")

    def _line(self, name: str) -> str:
        amount = self.bytes[name]
        return _size(name, amount >> _SHIFT if name.startswith(("Pss", "Locked")) else amount)


def _size(name: str, amount: int) -> str:
    return f"{name + ':':<16}{amount // 1024:8} kB\n"


def smaps(k: Kernel, about: Who) -> bytes:
    """The lines of each area, below its line of maps. Nothing for a zombie."""
    mm = who.mm_of(k, about)
    if mm is None:
        return b""
    sums = {vma.start: Sums() for vma in mm.vmas}
    for page in memory_use.pages(k, mm):
        sums[page.vma.start].add(k, page)
    return b"".join(memory_map.header(k, vma) + _area(vma, sums[vma.start]) for vma in mm.vmas)


def _area(vma: Vma, sums: Sums) -> bytes:
    head = [_size("Size", vma.end - vma.start), _size("KernelPageSize", PAGE), _size("MMUPageSize", PAGE)]
    tail = [f"{'THPeligible:':<16}{0:8}\n", f"VmFlags: {_flags(vma)} \n"]
    return "".join([*head, *sums.lines(rollup=False), *tail]).encode()


def _flags(vma: Vma) -> str:
    """The two-letter names of what the area is; `m?`: what mprotect could make of it."""
    shared = bool(vma.flags & SHARED)
    names = {
        "rd": vma.prot & PROT_READ,
        "wr": vma.prot & PROT_WRITE,
        "ex": vma.prot & PROT_EXEC,
        "sh": shared,
        "mr": True,
        "mw": not vma.flags & NEVER_WRITABLE,
        "me": True,
        "ms": shared,
        "gd": vma.flags & GROWS_DOWN,
        "lo": vma.flags & LOCKED,
        "dc": vma.flags & DONT_FORK,
        "wf": vma.flags & WIPE_ON_FORK,
    }
    return " ".join(name for name, holds in names.items() if holds)


def rollup(k: Kernel, about: Who) -> bytes:
    """smaps_rollup: the sums over all areas. Nothing for a zombie."""
    mm = who.mm_of(k, about)
    if mm is None:
        return b""
    sums = Sums()
    for page in memory_use.pages(k, mm):
        sums.add(k, page)
    start, end = (mm.vmas[0].start, mm.vmas[-1].end) if mm.vmas else (0, 0)
    line = f"{start:08x}-{end:08x} ---p 00000000 00:00 0 "
    return f"{line:<73}[rollup]\n{''.join(sums.lines(rollup=True))}".encode()
