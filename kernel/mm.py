"""An address space: what may be where (VMAs), the page tables that say what is there now, the heap and the stack.

    0x3f_ffff_f000  top of the stack; strings and vectors that exec puts there lie just below
         |          the stack grows down, at most RLIMIT_STACK; GUARD_GAP below it stays free
    mmap_top        mmap's areas, each below the one before (placement.py)
         |
         |          the heap: brk moves its end up and down
    0x00_0001_0000  the program's segments, where its file says

A page is mapped when it is first touched (fault.py). This file keeps the VMAs; it never looks at what a fault means.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from kernel import pagetable_ranges
from kernel.fs import api as fs
from kernel.table import Record
from vm.mmu import PTE_R, PTE_V, PTE_X, make_satp
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
# Vma.flags
GROWS_DOWN = 1  # the stack
SHARED = 2  # a store is seen by all who have the object mapped; the frames are the page cache's
NEVER_WRITABLE = 4  # shared, of a file that was opened for reading only: mprotect can't change that
DONT_FORK = 8  # madvise: a child doesn't get the area
WIPE_ON_FORK = 16  # madvise: a child finds zeros there
LOCKED = 32  # mlock
SIGNAL_TRAMPOLINE = 64  # the page that signal handlers return to (signal_frame.py)

TASK_SIZE = 1 << 38  # user addresses lie below
STACK_TOP = TASK_SIZE - PAGE
GUARD_GAP = 256 * PAGE  # Linux's stack_guard_gap
_BEHIND = 1 << 64  # no area ends there: (va, _BEHIND) sorts behind the areas that start at va or below
ASIDS = 1 << 16  # of satp's 16 bits; 0 is never given out


class Vma(NamedTuple):
    """Pages [start, end) with one set of rights. `inode` 0 is anonymous memory; else the file from byte `offset` on.

    Without SHARED what is written here is seen by nobody else. Shared anonymous memory is a file without a name.
    """

    start: int
    end: int
    prot: int
    flags: int = 0
    inode: int = 0
    offset: int = 0
    name: bytes = b""  # for people: b"[heap]", b"[stack]", or the path of the file


class Mm(Record):
    """Linux's mm_struct. Who changes a field is said behind it; all of them go through functions of this file."""

    __slots__ = (
        "root",  # ppn of the root page table. once
        "users",  # tasks that point here. clone.py, release
        "asid",  # the TLB's name for it, valid while `generation` is k.asid_generation. activate
        "generation",
        "vmas",  # ascending, never overlapping. map_area, vmas.py, exec.py, fault.py (stack growth)
        "start_brk",  # where the heap begins. exec.py
        "brk",  # where it ends, to the byte. syscalls/memory.py
        "mmap_top",  # below it mmap chooses, downwards; 0: upwards from placement.BOTTOM_UP. exec.py
        "start_stack",  # sp at the program's first instruction. exec.py
        "arg_start",  # where argv's strings lie on the stack, for /proc and people. exec.py
        "arg_end",
        "env_end",
        "exe",  # inode of the program, held. exec.py
        "exe_path",  # what it was called. exec.py
        "dumpable",  # bool: may others of its user look into it? prctl, credentials.commit
        "resident",  # mapped pages. fault.py, fork_policy.py, unmap_pages
        "lock_future",  # mlockall(MCL_FUTURE): new areas are LOCKED. syscalls/memory_lock.py
        "max_resident",  # the most there ever were. fault.py, fork_policy.py
    )

    def __init__(self, root: int) -> None:
        self.root = root
        self.users = 1
        self.asid = self.generation = 0
        self.vmas: list[Vma] = []
        self.start_brk = self.brk = self.mmap_top = 0
        self.start_stack = self.arg_start = self.arg_end = self.env_end = 0
        self.exe = 0
        self.exe_path = b""
        self.resident = self.max_resident = 0
        self.lock_future = False
        self.dumpable = True


def create(k: Kernel) -> int:
    """An empty address space with one user. Raises OutOfMemory."""
    return k.mms.add(Mm(k.frames.alloc()))


def find(mm: Mm, va: int) -> Vma | None:
    """The VMA that `va` lies in."""
    index = bisect_right(mm.vmas, (va, _BEHIND))
    if index and va < mm.vmas[index - 1].end:
        return mm.vmas[index - 1]
    return None


def following(mm: Mm, va: int) -> int:
    """The index in `mm.vmas` of the first VMA that starts behind `va`."""
    return bisect_right(mm.vmas, (va, _BEHIND))


def is_free(mm: Mm, start: int, end: int) -> bool:
    """Does no VMA overlap [start, end)?"""
    index = following(mm, start)
    if index and start < mm.vmas[index - 1].end:
        return False
    return index == len(mm.vmas) or end <= mm.vmas[index].start


def map_area(k: Kernel, mm: Mm, vma: Vma) -> None:
    """Adds a VMA, which must lie in free space; takes a hold on its inode."""
    assert vma.start < vma.end <= TASK_SIZE and is_free(mm, vma.start, vma.end)
    if vma.inode:
        fs.hold_inode(k, vma.inode)
    mm.vmas.insert(following(mm, vma.start), vma)


def replace(mm: Mm, old: Vma, new: Vma) -> None:
    """The same area with other bounds (heap, stack). The caller has unmapped what it loses."""
    mm.vmas[following(mm, old.start) - 1] = new


def rights(prot: int) -> int:
    """The bits V, R and X of a leaf entry; W is copy on write's. 0 for PROT_NONE: the page stays, out of reach.

    A right to write is a right to read (protection_map of Linux's arch/riscv/mm/init.c).
    """
    readable = PTE_R if prot & (PROT_READ | PROT_WRITE) else 0
    allowed = readable | (PTE_X if prot & PROT_EXEC else 0)
    return allowed | PTE_V if allowed else 0


def unmap_pages(k: Kernel, mm: Mm, start: int, end: int) -> None:
    """No page of [start, end) is mapped any more, in the tables and in the TLB. VMAs stay.

    Raises OutOfMemory with nothing changed: a page table that others share may have to be copied first.
    """
    pagetable_ranges.prepare_unmap(k, mm.root, start, end)
    mm.resident -= pagetable_ranges.unmap(k, mm.root, start, end)
    flush(k, mm)


def flush(k: Kernel, mm: Mm) -> None:
    """After rights or mappings were taken away: the TLB forgets this address space."""
    if mm.generation == k.asid_generation:
        k.machine.sfence(mm.asid)
        k.stats.pay("flushes", 1)


def flush_page(k: Kernel, mm: Mm, va: int) -> None:
    """After one page's entry was changed."""
    if mm.generation == k.asid_generation:
        k.machine.sfence(mm.asid, va)
        k.stats.pay("page flushes", 1)


def activate(k: Kernel, t: Task) -> None:
    """The task is about to run: its satp names its tables and an ASID that is nobody else's.

    ASIDs are given out upwards. When there are no more, the TLB is emptied and a new generation begins, in which every
    address space gets another one when it runs next. Only the task on the hart may be activated.
    """
    mm = k.mms[t.mm]
    if mm.generation != k.asid_generation:
        if k.asid_next == ASIDS:
            k.asid_generation += 1
            k.asid_next = 1
            k.machine.sfence()
        mm.asid, mm.generation = k.asid_next, k.asid_generation
        k.asid_next += 1
    t.hart.satp = make_satp(mm.asid, mm.root)


def detached_satp(k: Kernel, mm_id: int) -> int:
    """A satp for an address space that isn't active yet, for copies into it: its translations are never kept.

    They have ASID 0, which is nobody's; whoever used this satp calls `forget_detached`.
    """
    return make_satp(0, k.mms.peek(mm_id).root)


def forget_detached(k: Kernel) -> None:
    """The TLB keeps nothing of an address space that was used by `detached_satp`."""
    k.machine.sfence(0)


def release(k: Kernel, mm_id: int) -> None:
    """One user less; the last one gives back all memory."""
    mm = k.mms[mm_id]
    mm.users -= 1
    if mm.users == 0:
        destroy(k, mm_id)


def destroy(k: Kernel, mm_id: int) -> None:
    """Gives back every frame and inode of an address space, whole or half built."""
    mm, before = k.mms.peek(mm_id), k.stats.enter("release")
    pagetable_ranges.destroy(k, mm.root)
    flush(k, mm)
    k.stats.enter(before)
    for vma in mm.vmas:
        if vma.inode:
            fs.release_inode(k, vma.inode)
    if mm.exe:
        fs.release_inode(k, mm.exe)
    k.mms.remove(mm_id)
