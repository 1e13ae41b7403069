"""The llvm engine: a threaded interpreter in machine code, made from the same definitions as the python engine.

Native code runs from record to record and does what needs no help. Everything else (a fault, an A or D bit to set, the
first store to a page since a snapshot, an illegal instruction) it leaves to the python handlers, one instruction at
a time, so that both engines mean the same.
"""

from __future__ import annotations

import mmap
from typing import Any, NamedTuple

from vm.hart import PC, Hart
from vm.isa.cause import Cause
from vm.memory import INSTRUCTION_ALIGNMENT, Memory
from vm.mmu import BARE, PPN_MASK, Mmu, asid_of
from vm.native.code import ObjectCache, native
from vm.native.layout import (
    ACCESSES,
    ASSIST,
    CYCLE_END,
    DECODE,
    FETCHES,
    FLAGS,
    HOT,
    LEFT,
    LOADS,
    NO_ROOT,
    RAM_SIZE,
    RAM_START,
    REASON,
    RECORD,
    REFILLS,
    ROOT,
    STORES,
    TIME_END,
    TLB_ENTRIES,
    TRAP,
)
from vm.native.records import Decoder, Records
from vm.native.tlb import Block, NativeSpace, Pool, address_of
from vm.native.translator import Translator
from vm.ram import CODE, OPEN, PAGE, PAGE_SHIFT, RAM_BASE, Ram
from vm.step import Step
from vm.tlb import Tlb
from vm.trap import Exit, HardwareFault, Trap

#: Instructions decoded at once, from the one that was reached on.
AHEAD = 16


#: Instructions after which native code comes back to look for finished translations.
PART = 2_000_000
#: Pages with records at most, of 32 KiB each: past that everything is forgotten.
MOST_PAGES = 2048


class Installed(NamedTuple):
    """A region in use: the offsets in its page that it was made from, and its code, freed with this."""

    low: int
    high: int
    library: Any


class LlvmEngine:
    """Runs harts on RAM. `memory` is the checking path that the python handlers use."""

    name = "llvm"

    def __init__(self, ram: Ram, tlb: Tlb, mmu: Mmu, memory: Memory, count: bool, cache: ObjectCache | None) -> None:
        self.ram, self.tlb, self.mmu, self.memory, self.count = ram, tlb, mmu, memory, count
        self.native = native(cache, count)
        self.assists = self.decoded = self.regions = self._page_count = 0
        self._translator = Translator(cache, count)
        self._regions: dict[int, dict[int, Installed | None]] = {}
        self._pool = Pool(address_of(ram.memory))
        self._decoder = Decoder(self.native.address)
        self._pages: dict[int, dict[int, Records]] = {}
        self._block = mmap.mmap(-1, PAGE)
        self._words: memoryview = memoryview(self._block).cast("Q")
        self._address = address_of(self._block)
        self._words[RAM_START >> 3] = self._pool.host
        self._words[RAM_SIZE >> 3] = ram.size
        self._words[FLAGS >> 3] = address_of(ram.flags)
        tlb.begin(lambda: NativeSpace(self._pool))
        ram.on_code_write = self.drop

    @property
    def stats(self) -> dict[str, int]:
        """Host figures; tlb_hits, of loads and stores, are known only if they are counted."""
        misses = self.tlb.misses + self._words[REFILLS >> 3]
        accesses = self.memory.accesses + self._words[ACCESSES >> 3]
        return {
            **({"tlb_hits": accesses - misses} if self.count else {}),
            "tlb_misses": misses,
            "python_fallbacks": self.assists,
            "instructions_decoded": self.decoded,
            "regions": self.regions,
        }

    def run(self, hart: Hart, budget: int) -> Exit:
        """Run `hart` for exactly `budget` instructions, or until one traps. See Machine.run."""
        space = self._enter(hart)
        try:
            return self._run(hart, space, budget)
        except HardwareFault as fault:
            word = self._word(hart.pc) if fault.cause == Cause.ILLEGAL else fault.tval
            return Exit(budget - self.memory.left, Trap(fault.cause, hart.pc, word))

    def _enter(self, hart: Hart) -> NativeSpace:
        """Tell native code whose address space it runs in."""
        memory, words = self.memory, self._words
        satp = memory.satp = hart.satp
        space = self.tlb.space(asid_of(satp))
        assert isinstance(space, NativeSpace)
        block = self._pool.block_of(space)
        words[LOADS >> 3] = block.address
        words[STORES >> 3] = block.address + TLB_ENTRIES * 16
        words[FETCHES >> 3] = block.address + TLB_ENTRIES * 32
        root = (satp & PPN_MASK) << PAGE_SHIFT
        words[ROOT >> 3] = NO_ROOT if asid_of(satp) == BARE else root - RAM_BASE & (1 << 64) - 1
        return space

    def _run(self, hart: Hart, space: NativeSpace, budget: int) -> Exit:
        """From exit to exit of native code (a hot path). Long budgets go in parts: translations come in between."""
        x, words, memory = hart.x, self._words, self.memory
        go, registers, machine = self.native.go, hart.address, self._address
        assert space.block is not None
        n = budget
        while n:
            memory.left = n
            part = min(n, PART)
            later = n - part
            words[CYCLE_END >> 3], words[TIME_END >> 3] = memory.retired - later, memory.clock - later
            go(registers, self._record(x[PC], space.block), part, machine)
            n = words[LEFT >> 3] + later
            reason = words[REASON >> 3]
            if reason == ASSIST:
                n = self._assist(x, n)
            elif reason == DECODE:
                self._decode(x[PC])
            elif reason == HOT:
                self._translate(x[PC])
            elif reason >= TRAP:
                cause, pc = reason - TRAP, x[PC]
                return Exit(budget - n, Trap(cause, pc, pc if cause == Cause.BREAKPOINT else 0))
            if self._translator.waiting:
                self._install()
        return Exit(budget, None)

    def drop(self, ppn: int, low: int, high: int) -> None:
        """Bytes `low` to `high` of a frame with records change: forget what was made from them."""
        if high - low < PAGE:
            for records in self._pages[ppn].values():
                self._decoder.forget(records, low, high)
            self._forget_regions(ppn, low, high)
            return
        self._regions.pop(ppn, None)
        self._page_count -= len(self._pages.pop(ppn))
        self.ram.flags[ppn - self.ram.first_ppn] &= ~CODE
        self.tlb.forget_code()

    def _forget_regions(self, ppn: int, low: int, high: int) -> None:
        """Take away the regions of a frame that were made from some of these bytes."""
        regions = self._regions.get(ppn, {})
        for pc, made in list(regions.items()):
            if made is not None and made.low < high and low < made.high:
                del regions[pc]
                at = pc & PAGE - 1
                self._decoder.forget(self._pages[ppn][pc - at], at, at + INSTRUCTION_ALIGNMENT)

    def _translate(self, pc: int) -> None:
        """Ask for the region around `pc`, once as long as its code stays as it is."""
        ppn = self._frame(pc)
        regions = self._regions.setdefault(ppn, {})
        if pc not in regions:
            page = self.ram.read(ppn << PAGE_SHIFT, PAGE)
            if self._translator.ask((ppn, pc, page), pc, page):
                regions[pc] = None

    def _install(self) -> None:
        """Put what has been translated in the place of the first instruction's handler, if the code is the same."""
        for (ppn, pc, page), translation in self._translator.answers():
            if translation is None or pc not in self._regions.get(ppn, {}):
                continue
            low, high, plain, image = translation
            if self.ram.read((ppn << PAGE_SHIFT) + low, high - low) != page[low:high]:
                del self._regions[ppn][pc]
                continue
            library = self.native.install(image, plain)
            self._decoder.install(self._records(ppn, pc & ~(PAGE - 1)), pc, library["region"])
            self._regions[ppn][pc] = Installed(low, high, library)
            self.regions += 1

    def _assist(self, x: memoryview, n: int) -> int:
        """Run one instruction by its python handler; returns what is left of the budget."""
        self.assists += 1
        memory = self.memory
        memory.left = n
        step = Step(x[PC], self._word(x[PC]))
        x[PC] = step.handler(x, memory, step.pc, *step.arguments)
        memory.stale = False
        return n - 1

    def _frame(self, pc: int) -> int:
        """The ppn that instructions at `pc` are fetched from. Raises HardwareFault."""
        if pc & INSTRUCTION_ALIGNMENT - 1:
            raise HardwareFault(Cause.INSTRUCTION_MISALIGNED, pc)
        return self.mmu.translate(self.memory.satp, pc, "fetch") >> PAGE_SHIFT

    def _word(self, pc: int) -> int:
        return self.ram.read32(self._frame(pc) << PAGE_SHIFT | pc & PAGE - 1)

    def _record(self, pc: int, block: Block) -> int:
        """The host address of the record for `pc`; native code will find its page by itself from now on."""
        records = self._records(self._frame(pc), pc & ~(PAGE - 1))
        block.put("fetch", pc & ~(PAGE - 1), records.address)
        return records.address + (pc & PAGE - 1) // INSTRUCTION_ALIGNMENT * RECORD

    def _records(self, ppn: int, page: int) -> Records:
        """The records of a frame at a virtual page; from their first use on, stores to the frame must be seen."""
        known = self._pages.get(ppn, {}).get(page)
        if known is not None:
            return known
        if self._page_count >= MOST_PAGES:
            self.forget()
        pages = self._pages.get(ppn)
        if pages is None:
            frame = ppn - self.ram.first_ppn
            if self.ram.flags[frame] & OPEN:
                self.tlb.close_stores()
                self.ram.close_all()
            self.ram.flags[frame] |= CODE
            pages = self._pages[ppn] = {}
        self._page_count += 1
        records = pages[page] = self._decoder.page(page)
        return records

    def forget(self) -> None:
        """Give up all records and regions."""
        for ppn in self._pages:
            self.ram.flags[ppn - self.ram.first_ppn] &= ~CODE
        self._pages.clear()
        self._regions.clear()
        self._page_count = 0
        self.tlb.forget_code()

    def _decode(self, pc: int) -> None:
        """Make the record for `pc`, and those that follow it on a straight way."""
        ppn = self._frame(pc)
        records = self._records(ppn, pc & ~(PAGE - 1))
        for place in range(pc, min((pc | PAGE - 1) + 1, pc + AHEAD * INSTRUCTION_ALIGNMENT), INSTRUCTION_ALIGNMENT):
            word = self.ram.read32(ppn << PAGE_SHIFT | place & PAGE - 1)
            self.decoded += 1
            if not self._decoder.decode(records, place, word):
                break
