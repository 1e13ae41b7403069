"""Memory as a handler sees it: every check and every trap of a load, a store, a jump and a CSR."""

from __future__ import annotations

from typing import NoReturn

from vm.isa.cause import Cause
from vm.isa.registers import COUNTERS, TIME
from vm.mmu import Mmu
from vm.ram import CODE, PAGE, PAGE_SHIFT, RAM_BASE, Ram
from vm.trap import HardwareFault

#: Instructions are aligned to 4 bytes: without C there are no others.
INSTRUCTION_ALIGNMENT = 4


class Memory:
    """What the handlers call. `satp` is that of the running hart.

    `stale` is set when a store reached translated code: the running block ends after that instruction. `missed` is set
    when a block ended before an access that the TLB does not know.
    `accesses` counts loads and stores. `left` is what is left of the run's budget; `clock` and `retired` are what
    they will be at its end.
    """

    def __init__(self, ram: Ram, mmu: Mmu) -> None:
        self.ram, self.mmu = ram, mmu
        self.satp = 0
        self.clock = self.retired = self.left = self.accesses = 0
        self.stale = self.missed = False

    def load(self, va: int, size: int) -> int:
        """`size` bytes at `va`, little-endian; misaligned ones too. Raises HardwareFault."""
        self.accesses += 1
        if va & size - 1 and (va & PAGE - 1) + size > PAGE:
            return int.from_bytes(self._across(va, size), "little")
        pa = self.mmu.translate(self.satp, va, "load")
        return int.from_bytes(self.ram.read(pa, size), "little")

    def lr(self, va: int, size: int) -> int:
        """A load-reserved: as a load, but it must be aligned."""
        if va & size - 1:
            raise HardwareFault(Cause.LOAD_MISALIGNED, va)
        return self.load(va, size)

    def amo(self, va: int, size: int) -> int:
        """The load of an AMO: aligned, and it faults as a store does."""
        self.accesses += 1
        self.align(va, size)
        return int.from_bytes(self.ram.read(self.mmu.translate(self.satp, va, "store"), size), "little")

    def align(self, va: int, size: int) -> None:
        """Atomic stores must be naturally aligned (Unprivileged, "A")."""
        if va & size - 1:
            raise HardwareFault(Cause.STORE_MISALIGNED, va)

    def store(self, va: int, size: int, value: int) -> None:
        """Store `size` bytes at `va`; a fault in the second page of a misaligned store changes nothing."""
        self.accesses += 1
        data = value.to_bytes(size, "little")
        room = PAGE - (va & PAGE - 1)
        if size <= room:
            self._write(self.mmu.translate(self.satp, va, "store"), data)
            return
        self.mmu.check(self.satp, va, "store")  # D must be exact: no store, no D
        second = self.mmu.translate(self.satp, va + room & (1 << 64) - 1, "store")
        first = self.mmu.translate(self.satp, va, "store")
        self._write(first, data[:room])
        self._write(second, data[room:])

    def aim(self, target: int) -> int:
        """The target of a jump; raises HardwareFault if no instruction can stand there."""
        if target & INSTRUCTION_ALIGNMENT - 1:
            raise HardwareFault(Cause.INSTRUCTION_MISALIGNED, target)
        return target

    def read_csr(self, number: int) -> int:
        """The value of a CSR. Raises HardwareFault ILLEGAL if there is none of this number."""
        if number not in COUNTERS:
            raise HardwareFault(Cause.ILLEGAL, 0)
        return (self.clock if number == TIME else self.retired) - self.left

    def write_csr(self, number: int, value: int) -> None:
        """All CSRs of this machine are read-only: raises HardwareFault ILLEGAL."""
        raise HardwareFault(Cause.ILLEGAL, 0)

    def trap(self, cause: int, pc: int) -> NoReturn:
        """ecall and ebreak: tval is the pc of a breakpoint and 0 otherwise (Privileged, stval)."""
        raise HardwareFault(cause, pc if cause == Cause.BREAKPOINT else 0)

    def _across(self, va: int, size: int) -> bytes:
        room = PAGE - (va & PAGE - 1)
        first = self.mmu.translate(self.satp, va, "load")
        second = self.mmu.translate(self.satp, va + room & (1 << 64) - 1, "load")
        return self.ram.read(first, room) + self.ram.read(second, size - room)

    def _write(self, pa: int, data: bytes) -> None:
        if self.ram.flags[pa - RAM_BASE >> PAGE_SHIFT] & CODE:
            self.stale = True
        self.ram.write(pa, data)
