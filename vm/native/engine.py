"""The llvm engine: a threaded interpreter in machine code, made from the same definitions as the python engine.

Native code runs from record to record and does what needs no help. Everything else (a store to translated code, an
access across pages or to where no RAM is) it leaves to the python handlers, one instruction at a time, so that both
engines mean the same.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable

from vm.hart import PC, SATP, Hart
from vm.isa.cause import Cause
from vm.memory import INSTRUCTION_ALIGNMENT, Memory
from vm.mmu import BARE, PPN_MASK, Mmu, asid_of
from vm.native.code import ObjectCache, is_cached, native
from vm.native.installed import Installed, Part, Regions, fetched_from
from vm.native.layout import (
    ACCESSES,
    ASSIST,
    CHECK,
    CYCLE_END,
    DECODE,
    DIRTIED,
    EPOCH,
    FALLBACK,
    FAULT,
    FETCHES,
    FLAGS,
    GENERATION,
    HOT,
    LEFT,
    LOADS,
    MACHINE_SIZE,
    NO_ROOT,
    RAM_SIZE,
    RAM_START,
    REASON,
    RECORD,
    REFILLS,
    RING,
    RING_SIZE,
    ROOT,
    STORES,
    SUPERPAGES,
    TIME_END,
    TLB_ENTRIES,
    TRAP,
)
from vm.native.records import Decoder, Records
from vm.native.tlb import NativeSpace, Pool, address_of
from vm.native.translator import LOST, Translator
from vm.native.worker import Request, digest
from vm.ram import CODE, OPEN, PAGE, PAGE_SHIFT, RAM_BASE, Ram
from vm.step import Step
from vm.tlb import Tlb
from vm.trap import Exit, HardwareFault, trapped

#: Instructions decoded at once, from the one that was reached on.
AHEAD = 16
#: Instructions after which native code comes back to look for finished translations.
PART = 2_000_000
#: Pages with records at most, of 32 KiB each: past that everything is forgotten.
MOST_PAGES = 2048
#: A region may be made from so many pages, no further away than this.
MOST_AT_ONCE, NEAR = 16, 1 << 20
#: Targets of one indirect jump that are remembered, and how many jumps.
MOST_TARGETS, MOST_JUMPS = 64, 4096
#: Addresses at which a run began, whose records are remembered.
MOST_STARTS = 4096
_EPOCH, _GENERATION, _CYCLE_END, _TIME_END = (at >> 3 for at in (EPOCH, GENERATION, CYCLE_END, TIME_END))
_LEFT, _REASON, _FAULT = (at >> 3 for at in (LEFT, REASON, FAULT))
_ECALL = TRAP + Cause.ECALL


class LlvmEngine:
    """Runs harts on RAM. `memory` is the checking path that the python handlers use."""

    name = "llvm"

    def __init__(self, ram: Ram, tlb: Tlb, mmu: Mmu, memory: Memory, count: bool, cache: ObjectCache | None) -> None:
        self.ram, self.tlb, self.mmu, self.memory, self.count = ram, tlb, mmu, memory, count
        self._translator = Translator(cache)
        if not is_cached(cache, count):
            self._translator.hire()  # it starts up while we compile
        self.native = native(cache, count)
        self._go = self.native.go
        self.assists = self.fallbacks = self.decoded = self.regions = self._page_count = 0
        self._regions = Regions()
        self._generation = self.native.generation
        self._awaited: set[int] = set()  # frames around whose code a region is being made
        self._jumps: dict[int, dict[int, None]] = {}
        self._space: NativeSpace | None = None
        self._pool = Pool(address_of(ram.memory))
        self._decoder = Decoder(self.native.address)
        self._pages: dict[int, dict[int, Records]] = {}
        self._block = mmap.mmap(-1, MACHINE_SIZE)
        self._words: memoryview = memoryview(self._block).cast("Q")
        self._address = address_of(self._block)
        self._words[RAM_START >> 3] = self._pool.host
        self._words[RAM_SIZE >> 3] = ram.size
        self._words[FLAGS >> 3] = address_of(ram.flags)
        self._words[DIRTIED >> 3] = address_of(ram.log)
        tlb.begin(lambda: NativeSpace(self._pool), self._words[SUPERPAGES >> 3 : (SUPERPAGES >> 3) + 1])
        ram.on_code_write = self.drop

    @property
    def stats(self) -> dict[str, int]:
        """Host figures; tlb_hits, of loads and stores, are known only if they are counted.

        Help is for stores to code, accesses across pages, access faults; a fallback is an instruction without a
        translation.
        """
        misses = self.tlb.misses + self._words[REFILLS >> 3]
        accesses = self.memory.accesses + self._words[ACCESSES >> 3]
        return {
            **({"tlb_hits": accesses - misses} if self.count else {}),
            "tlb_misses": misses,
            "instructions_helped": self.assists,
            "python_fallbacks": self.fallbacks,
            "instructions_decoded": self.decoded,
            "regions": self.regions,
            "regions_in_use": len(self._regions),
        }

    def run(self, hart: Hart, budget: int) -> Exit:
        """Run `hart` for exactly `budget` instructions, or until one traps. See Machine.run.

        Goes from exit to exit of native code (a hot path: each system call and each fault ends a run and begins the
        next). Long budgets go in parts: translations come in between.
        """
        x, words, memory, space = hart.x, self._words, self.memory, self._space
        if space is None or space.block is None or x[SATP] != memory.satp:
            space = self._enter(hart)
        block = space.block
        assert block is not None
        n = memory.left = budget
        try:
            record = space.jump.get(x[PC]) or self._record(x[PC], space)
            while True:
                part = n if n <= PART else PART
                later = n - part
                words[_EPOCH], words[_GENERATION] = space.epoch, space.generation
                words[_CYCLE_END], words[_TIME_END] = memory.retired - later, memory.clock - later
                block.clean = False
                self._go(hart.address or hart.locate(), record, part, self._address)
                n = memory.left = words[_LEFT] + later
                reason = words[_REASON]
                if reason >= TRAP:
                    tval = 0 if reason == _ECALL else self._tval(reason - TRAP, x[PC])
                    return trapped(budget - n, reason - TRAP, x[PC], tval)
                n = self._help(reason, x, space, n)
                if not n:
                    return Exit(budget, None)
                record = self._record(x[PC], space)
        except HardwareFault as fault:
            word = self._word(x[PC]) if fault.cause == Cause.ILLEGAL else fault.tval
            return trapped(budget - memory.left, fault.cause, x[PC], word)

    def refill(self, satp: int, va: int, access: str) -> None:
        """Nothing: native code walks by itself, in less time. See Machine.refill."""

    def _help(self, reason: int, x: memoryview, space: NativeSpace, n: int) -> int:
        """What native code has left for. Returns what is left of the budget; may raise HardwareFault."""
        if reason == ASSIST:
            n = self._assist(x, n)
        elif reason == FALLBACK:
            n = self._fall_back(x, n)
        elif reason == DECODE:
            self._decode(x[PC])
        elif reason == HOT and (n or x[PC] & -PAGE in space.fetch):  # else to fetch it would show in its page's entry
            self._translate(x[PC], space)
        elif reason == CHECK:
            self._check(x[PC], space)
        if self._translator.waiting:
            self._install()
        return n

    def _enter(self, hart: Hart) -> NativeSpace:
        """Tell native code whose address space it runs in, from now until another one does or this one is left."""
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
        self._space = space
        return space

    def drop(self, ppn: int, low: int, high: int) -> None:
        """Bytes `low` to `high` of a frame with records change: forget what was made from them."""
        for region in self._regions.drop(ppn, low, high):
            self._restore(region)
        if high - low < PAGE:
            for records in self._pages[ppn].values():
                self._decoder.forget(records, low, high)
            return
        self._page_count -= len(self._pages.pop(ppn))
        self.ram.flags[ppn - self.ram.first_ppn] &= ~CODE
        self.tlb.forget_code()

    def _restore(self, region: Installed) -> None:
        """What begins at the region's entry is decoded anew."""
        page, ppn, _, _ = region.parts[0]
        records = self._pages.get(ppn, {}).get(page)
        if records is not None:
            at = region.entry & PAGE - 1
            self._decoder.forget(records, at, at + INSTRUCTION_ALIGNMENT)

    def _translate(self, pc: int, space: NativeSpace) -> None:
        """Ask for the region around `pc`, once as long as its code stays as it is.

        A page waits for one region at a time. All loops of a nest become hot together, and the region around each of
        them is the same but for its entry: with the first one in use, few of the others are still hot.
        """
        ppn = self._frame(pc)
        self._learn_jumps()
        if ppn in self._awaited or self._regions.known(ppn, pc):
            return
        self._records(ppn, pc & -PAGE)
        pages = self._code_near(pc, space)
        content = {page: self.ram.read(found << PAGE_SHIFT, PAGE) for page, found in pages.items()}
        jumps = {at: list(targets) for at, targets in self._jumps.items() if at & -PAGE in pages}
        request = Request(pc, content, jumps, self.count)
        if self._translator.ask((pc, tuple(pages.items())), request):
            self._regions.expect(ppn, pc)
            self._awaited.add(ppn)

    def _code_near(self, pc: int, space: NativeSpace) -> dict[int, int]:
        """Pages with records around `pc`, its own first, that this address space has fetched from, and their ppns."""
        here = pc & -PAGE
        near = sorted((page for page in space.fetch if abs(page - here) < NEAR), key=lambda page: abs(page - here))
        found = {page: fetched_from(space.fetch, page) for page in near[:MOST_AT_ONCE]}
        return {page: ppn for page, ppn in found.items() if page in self._pages.get(ppn, ())}

    def _learn_jumps(self) -> None:
        """Take over the indirect jumps that native code has noted."""
        ring = self._words[RING >> 3 : (RING + RING_SIZE) >> 3].tolist()
        for pc, target in zip(ring[::2], ring[1::2], strict=True):
            targets = self._jumps.setdefault(pc, {})
            if len(targets) < MOST_TARGETS:
                targets[target] = None
        if len(self._jumps) > MOST_JUMPS:
            self._jumps.clear()

    def _install(self) -> None:
        """Put what has been translated in the place of the first instruction's handler, if the code is the same."""
        for (pc, pages), translation in self._translator.answers():
            ppn = pages[0][1]
            self._awaited.discard(ppn)
            if translation is LOST:
                self._regions.unexpect(ppn, pc)
                continue
            if translation is None or not self._regions.known(ppn, pc):
                continue
            frames = dict(pages)
            parts = [(page, frames[page], low, high) for page, low, high, _ in translation.parts]
            if not self._unchanged(parts, [content for _, _, _, content in translation.parts]):
                self._regions.forget(ppn, pc)
                continue
            region = Installed(pc, parts)
            region.library = self.native.install(translation.image, translation.plain, region.guard_address)
            if self._generation != self.native.generation:
                self._generation = self.native.generation
                self.forget()  # this one, too: the other frames that it was made from have no records now
                continue
            records = self._records(ppn, pc & -PAGE)
            # Its handler runs the first instruction where the budget ends behind it: from a record that is up to date.
            self._decoder.decode(records, pc, self.ram.read32(ppn << PAGE_SHIFT | pc & PAGE - 1))
            self._decoder.install(records, pc, region.library["region"])
            self._regions.add(region)
            self.regions += 1

    def _unchanged(self, parts: Iterable[Part], contents: Iterable[bytes]) -> bool:
        """Whether all frames still have records (so that stores to them are seen), and the bytes are the same."""
        for (page, ppn, low, high), content in zip(parts, contents, strict=True):
            if page not in self._pages.get(ppn, ()):
                return False
            if digest(self.ram.read((ppn << PAGE_SHIFT) + low, high - low)) != content:
                return False
        return True

    def _check(self, pc: int, space: NativeSpace) -> None:
        """The region at `pc` wants to know whether it may run here."""
        region = self._regions.at(self._frame(pc), pc)
        assert region is not None
        satp, pages = self.memory.satp, [page for page, _, _, _ in region.parts]
        for page in pages:
            if page not in space.fetch and self.mmu.is_settled(satp, page, "fetch"):
                self.mmu.translate(satp, page, "fetch")  # the TLB has been flushed since it ran there
        if all(page in space.fetch for page in pages):
            region.check(space.fetch, space.epoch)
        else:  # it will be made again of the pages that are there
            self._regions.discard(region)
            self._restore(region)

    def _assist(self, x: memoryview, n: int) -> int:
        """Run one instruction, this once, by its python handler; returns what is left of the budget."""
        self.assists += 1
        return self._handle(x, n)

    def _fall_back(self, x: memoryview, n: int) -> int:
        """Run one instruction that has no native translation; returns what is left of the budget."""
        self.fallbacks += 1
        return self._handle(x, n)

    def _handle(self, x: memoryview, n: int) -> int:
        memory = self.memory
        memory.left = n
        step = Step(x[PC], self._word(x[PC]))
        x[PC] = step.handler(x, memory, step.pc, *step.arguments)
        memory.stale = False
        return n - 1

    def _tval(self, cause: int, pc: int) -> int:
        """What vm.trap.Trap says of a trap that native code has found: an ebreak, no instruction, or a page fault."""
        if cause >= Cause.FETCH_PAGE:
            self.memory.accesses += 1
            self.tlb.misses += 1  # here: a region that comes upon the fault has its instruction's handler walk again
            return int(self._words[_FAULT])
        return self._word(pc) if cause == Cause.ILLEGAL else pc

    def _frame(self, pc: int) -> int:
        """The ppn that instructions at `pc` are fetched from. Raises HardwareFault."""
        if pc & INSTRUCTION_ALIGNMENT - 1:
            raise HardwareFault(Cause.INSTRUCTION_MISALIGNED, pc)
        return self.mmu.translate(self.memory.satp, pc, "fetch") >> PAGE_SHIFT

    def _word(self, pc: int) -> int:
        return self.ram.read32(self._frame(pc) << PAGE_SHIFT | pc & PAGE - 1)

    def _record(self, pc: int, space: NativeSpace) -> int:
        """The host address of the record for `pc`; native code will find its page by itself from now on."""
        records = self._records(self._frame(pc), pc & ~(PAGE - 1))
        assert space.block is not None
        space.block.put("fetch", pc & ~(PAGE - 1), records.address)
        address = records.address + (pc & PAGE - 1) // INSTRUCTION_ALIGNMENT * RECORD
        if len(space.jump) >= MOST_STARTS:
            space.jump.clear()
        space.jump[pc] = address
        return address

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
            if self._decoder.is_decoded(records, place):  # perhaps a region is entered there
                break
            word = self.ram.read32(ppn << PAGE_SHIFT | place & PAGE - 1)
            self.decoded += 1
            if not self._decoder.decode(records, place, word):
                break
