"""Looking at a task's memory from outside, without touching A and D bits or the TLB."""

from __future__ import annotations

from vm.mmu import PPN_MASK, PTE_R, PTE_V, PTE_X, ppn_of
from vm.ram import PAGE, PAGE_SHIFT, Ram


def peek(ram: Ram, satp: int, va: int, size: int) -> int | None:
    """`size` bytes at virtual address `va` as a little-endian number, seen without side effects; None if unmapped."""
    data = b""
    while len(data) < size:
        part = min(size - len(data), PAGE - va % PAGE)
        pa = walk(ram, satp, va)
        if pa is None:
            return None
        data += ram.read(pa, part)
        va = (va + part) & ((1 << 64) - 1)
    return int.from_bytes(data, "little")


def walk(ram: Ram, satp: int, va: int) -> int | None:
    """The physical address of a mapped `va`, found as the MMU would (Privileged, Sv39) but only looking."""
    table = (satp & PPN_MASK) << PAGE_SHIFT
    for level in (2, 1, 0):
        entry = table + (va >> PAGE_SHIFT + 9 * level & 511) * 8
        pte = ram.read64(entry) if ram.contains(entry, 8) else 0
        if not pte & PTE_V:
            return None
        if pte & (PTE_R | PTE_X):
            mask = (PAGE << 9 * level) - 1
            pa = (ppn_of(pte) << PAGE_SHIFT) & ~mask | va & mask
            return pa if ram.contains(pa) else None
        table = ppn_of(pte) << PAGE_SHIFT
    return None
