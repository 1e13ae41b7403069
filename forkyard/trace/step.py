"""The stepping runner: one instruction at a time, and after each what it changed, old → new.

It stands in for Machine.run and alters nothing of the run: a slice still ends after the same instruction, a trap is
handed over as it is, and memory is looked at without touching A and D bits or the TLB.
"""

from __future__ import annotations

from kernel.events import Bus, Insn
from kernel.kernel import Kernel
from vm.hart import Hart
from vm.machine import Machine
from vm.mmu import PPN_MASK, PTE_R, PTE_V, PTE_X, ppn_of
from vm.ram import PAGE, PAGE_SHIFT, Ram
from vm.trap import Exit

Change = tuple[int, int, int, int]  # va, size, old, new


class Stepper:
    """Steps `machine` and emits an Insn for each retired instruction."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.machine: Machine = kernel.machine
        self.events: Bus = kernel.events

    def run(self, hart: Hart, budget: int) -> Exit:
        """What Machine.run does with the same arguments, stepwise."""
        for retired in range(budget):
            end = self.step(hart)
            if end.trap is not None:
                return Exit(retired + end.retired, end.trap)
        return Exit(budget, None)

    def step(self, hart: Hart) -> Exit:
        """One instruction."""
        ram, satp, pc = self.machine.ram, hart.satp, hart.pc
        word = peek(ram, satp, pc, 4)
        stores = [(va, size) for kind, va, size in self.machine.accesses(hart) if kind == "store"] if word else []
        before = hart.x[:32].tolist()
        old = [peek(ram, satp, va, size) for va, size in stores]
        end = Machine.run(self.machine, hart, 1)
        if end.retired:
            after = hart.x[:32].tolist()
            registers = tuple((n, a, b) for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
            memory = tuple(_changes(ram, satp, stores, old))
            self.events.emit(Insn(self.machine.retired, self.kernel.current, pc, word or 0, registers, memory))
        return end


def _changes(ram: Ram, satp: int, stores: list[tuple[int, int]], old: list[int | None]) -> list[Change]:
    """What was stored, also if it was the value that was there."""
    new = [peek(ram, satp, va, size) for va, size in stores]
    return [
        (va, size, was, now)
        for (va, size), was, now in zip(stores, old, new, strict=True)
        if was is not None and now is not None
    ]


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
