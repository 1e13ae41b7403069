"""Page faults: is the access allowed, and what has to be done before it can succeed?

    no VMA there                    SIGSEGV (SEGV_MAPERR), unless the stack can grow down to it
    the VMA forbids the access      SIGSEGV (SEGV_ACCERR)
    nothing mapped, anonymous       demand-zero: a frame of zeros ("stack" in the stack, "demand" elsewhere)
    nothing mapped, a file's        the page cache's frame, shared and read-only ("file"); a copy of it for a store
    a shared mapping                the page cache's frame itself, for reading and for writing ("shared")
    behind the end of the file      SIGBUS (BUS_ADRERR)
    mapped, a store, no W           copy on write (cow.py)
    allowed, but the table closed   the table is opened again ("table"): fork has closed it (fork_tables.py)
    no frame left                   the program's own access: SIGKILL; a system call's: ENOMEM

The program's own accesses (trap.py) and the kernel's on its behalf (user_memory.py) both come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel import cow, limits, memory_limits, pagetable
from kernel import mm as address_space
from kernel.errno import OutOfMemory, SysError
from kernel.fs import api as fs
from kernel.mm import (
    GROWS_DOWN,
    GUARD_GAP,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    SHARED,
    SIGNAL_TRAMPOLINE,
    Mm,
    Vma,
)
from kernel.signal_numbers import SIGBUS, SIGKILL, SIGSEGV
from vm.mmu import PTE_A, PTE_D, PTE_U, PTE_W, make_pte
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

SEGV_MAPERR, SEGV_ACCERR = 1, 2
BUS_ADRERR = 2
SI_KERNEL = 0x80

# A right to write is a right to read on RISC-V (Linux's arch/riscv/mm/fault.c).
# li a7, rt_sigreturn; ecall: what Linux has in its vDSO as __vdso_rt_sigreturn
TRAMPOLINE_CODE = bytes.fromhex("9308b008 73000000")

_NEEDED = {"load": PROT_READ | PROT_WRITE, "store": PROT_WRITE, "fetch": PROT_EXEC}


class Refusal(NamedTuple):
    """The access can't succeed: the signal for the program, its si_code, and a note for people ("" if none)."""

    signal: int
    code: int
    note: str = ""


_BEHIND_THE_END = Refusal(SIGBUS, BUS_ADRERR, "the page lies behind the end of the file that is mapped there")


def resolve(k: Kernel, t: Task, va: int, access: str, kernel: bool = False) -> Refusal | None:
    """Makes the page of `va` accessible for "load", "store" or "fetch". None: try again; a Refusal: it can't be.

    With `kernel`, OutOfMemory and a file's SysError go through to the system call.
    """
    before = k.stats.enter("fault")
    k.stats.pay("faults", 1)
    try:
        outcome = _resolve(k, t, k.mms[t.mm], va, access)
    except SysError as error:
        if kernel:
            raise
        outcome = _refuse(error)
    finally:
        k.stats.enter(before)
    if isinstance(outcome, Refusal):
        _note(k, t, va, access, kernel, ("protection", 0, 0))
        return outcome
    k.groups[t.tgid].faults += 1
    _note(k, t, va, access, kernel, outcome)
    if outcome[0] != "table" and not kernel:  # whoever maps a page sets A and D for this access, so no walk will
        k.machine.refill(t.hart, va, access)
    return None


def _refuse(error: SysError) -> Refusal:
    """What becomes of the program when its own access failed for a reason that isn't its fault."""
    if isinstance(error, OutOfMemory):
        return Refusal(SIGKILL, SI_KERNEL, "out of memory: no frame is free for the page it touched")
    return Refusal(SIGBUS, BUS_ADRERR, f"the file behind this page could not be read ({error})")


def _note(k: Kernel, t: Task, va: int, access: str, kernel: bool, outcome: tuple[str, int, int]) -> None:
    """The fault into the statistics and onto the bus."""
    kind, ppn, old = outcome
    k.stats.faults[kind] += 1
    if k.events.PageFault:
        from kernel.events import PageFault

        at = k.machine.retired
        k.events.emit(PageFault(at, t.tid, kind, va, access, t.hart.pc, ppn, old, kernel))


def _resolve(k: Kernel, t: Task, mm: Mm, va: int, access: str) -> Refusal | tuple[str, int, int]:
    vma = address_space.find(mm, va) or _grow_stack(k, t, mm, va)
    if vma is None:
        return Refusal(SIGSEGV, SEGV_MAPERR)
    if not vma.prot & _NEEDED[access]:
        return Refusal(SIGSEGV, SEGV_ACCERR)
    if access != "store":
        entry = pagetable.find_entry(k, mm.root, va)
        if entry:
            opened = pagetable.reopen(k, mm.root, va)
            assert opened, f"{access} of {va:#x} faulted, but its page table entry {entry:#x} allows it"
            return "table", entry >> 10, 0
    slot = pagetable.own(k, mm.root, va)
    entry = k.machine.ram.read64(slot)
    if entry & PTE_W:
        return "table", entry >> 10, 0
    if vma.flags & SHARED:
        return _shared_page(k, mm, vma, va, access, slot)
    if not entry:
        return _map_page(k, mm, vma, va, access, slot)
    return cow.store_fault(k, mm, va, slot)


def _map_page(k: Kernel, mm: Mm, vma: Vma, va: int, access: str, slot: int) -> Refusal | tuple[str, int, int]:
    """The first touch of a page."""
    if vma.inode:
        outcome = _file_page(k, vma, va, access, slot)
        if isinstance(outcome, Refusal):
            return outcome
        kind, ppn, old = outcome
    else:
        kind, ppn, old = "stack" if vma.flags & GROWS_DOWN else "demand", k.frames.alloc(place=(slot, va)), 0
        if vma.flags & SIGNAL_TRAMPOLINE:
            k.machine.ram.write(ppn * PAGE, TRAMPOLINE_CODE)
    install(k, mm, vma, slot, ppn, writable=kind != "file", dirty=access == "store")
    return kind, ppn, old


def _shared_page(k: Kernel, mm: Mm, vma: Vma, va: int, access: str, slot: int) -> Refusal | tuple[str, int, int]:
    """A page of a shared mapping: the first touch, or the first store, which is when the file counts as written."""
    offset = (va & -PAGE) - vma.start + vma.offset
    if offset >= fs.inode(k, vma.inode).size:
        return _BEHIND_THE_END
    entry = k.machine.ram.read64(slot)
    ppn = entry >> 10 or k.page_cache.page(k, vma.inode, offset // PAGE, create=True)
    assert ppn is not None
    if access == "store":
        fs.written(k, vma.inode, offset // PAGE)
    if not entry:
        k.frames.hold(ppn)
        install(k, mm, vma, slot, ppn, writable=access == "store", dirty=access == "store")
        return "shared", ppn, 0
    k.machine.ram.write64(slot, entry | PTE_W | PTE_A | PTE_D)
    address_space.flush_page(k, mm, va)
    return "shared", ppn, ppn


def _file_page(k: Kernel, vma: Vma, va: int, access: str, slot: int) -> Refusal | tuple[str, int, int]:
    """(kind, frame with a hold for the new entry, frame it was copied from or 0)."""
    offset = (va & -PAGE) - vma.start + vma.offset
    if offset >= fs.inode(k, vma.inode).size:
        return _BEHIND_THE_END
    cached = k.page_cache.page(k, vma.inode, offset // PAGE, create=True)
    assert cached is not None
    k.frames.hold(cached)
    if access != "store":
        return "file", cached, 0
    try:
        return "cow-copy", cow.copy_frame(k, cached, slot, va), cached
    finally:
        k.frames.release(cached)


def install(k: Kernel, mm: Mm, vma: Vma, slot: int, ppn: int, writable: bool, dirty: bool = False) -> None:
    """Puts a frame (with a hold for it) into an empty leaf entry. `writable`: nobody else has the frame."""
    flags = PTE_U | PTE_A | address_space.rights(vma.prot)
    if vma.prot & PROT_WRITE and writable:
        flags |= PTE_W | (PTE_D if dirty else 0)
    k.machine.ram.write64(slot, make_pte(ppn, flags))
    mm.resident += 1
    mm.max_resident = max(mm.max_resident, mm.resident)


def _grow_stack(k: Kernel, t: Task, mm: Mm, va: int) -> Vma | None:
    """The stack's VMA, extended down to `va`; None if no stack is above, or the limit or the guard gap forbids it."""
    index = address_space.following(mm, va)
    if index == len(mm.vmas):
        return None
    stack, start = mm.vmas[index], va & -PAGE
    below = _end_below(mm.vmas[index - 1]) if index else 0
    if not stack.flags & GROWS_DOWN or start < stack.end - limits.soft(k, t, limits.STACK) or start < below:
        return None
    if not memory_limits.may_expand(k, t, mm, stack, stack.start - start):
        return None
    grown = stack._replace(start=start, offset=0)
    address_space.replace(mm, stack, grown)
    return grown


def _end_below(vma: Vma) -> int:
    """How far down a stack may grow towards what is below: a mapping that can be touched keeps it at a distance."""
    return vma.end + (GUARD_GAP if vma.prot and not vma.flags & GROWS_DOWN else 0)
