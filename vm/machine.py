"""The machine's public face: RAM, MMU and an engine, and the one call run(hart, budget) -> Exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm.engine import Parts, choose
from vm.hart import Hart
from vm.inspect import accesses_of
from vm.memory import Memory
from vm.mmu import Mmu
from vm.ram import Ram
from vm.snapshot import Snapshot, restore, take
from vm.tlb import Tlb
from vm.trap import Exit, HardwareFault

if TYPE_CHECKING:
    from vm.native.code import ObjectCache


class Machine:
    """`memory` bytes of RAM and one processor, which runs one hart at a time.

    `clock` is what the time CSR shows, in ns: one per retired instruction, and what the kernel adds when idle.
    `retired` counts the instructions retired since the beginning, by all harts.
    """

    def __init__(
        self, memory: int, engine: str = "auto", count_accesses: bool = False, cache: ObjectCache | None = None
    ) -> None:
        self.ram = Ram(memory)
        self.tlb = Tlb()
        self.mmu = Mmu(self.ram, self.tlb)
        self.clock = self.retired = 0
        self._memory = Memory(self.ram, self.mmu)
        self.engine = choose(engine, Parts(self.ram, self.tlb, self.mmu, self._memory, count_accesses, cache))
        self._base: Snapshot | None = None

    def run(self, hart: Hart, budget: int) -> Exit:
        """Run `hart` for `budget` (at least 1) instructions, or until one traps.

        At a trap hart.pc is the trapping instruction, which changed nothing and did not retire (an ecall too:
        the kernel adds 4). Nothing else ends a run early.
        """
        memory = self._memory
        memory.clock, memory.retired = self.clock + budget, self.retired + budget
        result = self.engine.run(hart, budget)
        retired = result.retired
        self.clock += retired
        self.retired += retired
        return result

    def translate(self, hart: Hart, va: int, access: str) -> int:
        """The physical address of `va` for access "load", "store" or "fetch" by `hart` in U-mode; sets A and D.

        Raises vm.mmu.PageFault. A "store" only prepares: the caller writes through `ram`.
        """
        return self.mmu.translate(hart.satp, va, access)

    def refill(self, hart: Hart, va: int, access: str) -> None:
        """A fault at `va` has been resolved, by an entry that has A (and D, for a "store") already: be prepared for it.

        Linux's update_mmu_cache. Nothing that a guest can see changes.
        """
        self.engine.refill(hart.satp, va, access)

    def sfence(self, asid: int | None = None, va: int | None = None) -> None:
        """After a change of valid page table entries: forget those of one address space or all, one page or all."""
        self.tlb.sfence(asid, None if va is None else va & ~0xFFF)

    def accesses(self, hart: Hart) -> list[tuple[str, int, int]]:
        """What the next instruction of `hart` will touch: ("load" or "store", virtual address, bytes)."""
        return accesses_of(self.ram, self.mmu, hart)

    def instruction(self, hart: Hart) -> int | None:
        """The word of the next instruction of `hart`; None if it cannot be fetched."""
        try:
            return self.ram.read32(self.mmu.translate(hart.satp, hart.pc & ~3, "fetch"))
        except HardwareFault:
            return None

    def snapshot(self) -> Snapshot:
        """The machine's state as a value: it copies the pages written since the snapshot before, and no others."""
        self._base = take(self.ram, self.tlb, self._base, self.clock, self.retired)
        return self._base

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or forth) to a snapshot of this machine: copies the pages that differ."""
        restore(self.ram, self.tlb, self._base, snapshot)
        self._base, self.clock, self.retired = snapshot, snapshot.clock, snapshot.retired

    @property
    def stats(self) -> dict[str, int]:
        """Host figures: they tell about the engine, and may differ from one engine to the next."""
        return {"tlb_misses": self.tlb.misses, "fetch_misses": self.tlb.fetch_misses, **self.engine.stats}
