"""The python engine: no native code, the reference, and what tracer and debugger step through.

Code is found by its physical page and kept there. A piece of code starts cold: its instructions are run one at a
time by handlers. When it has been entered HOT times it is rendered as one Python function. A function leaves
before any instruction that needs help (a TLB miss, a fault, an ecall), and the handler does that one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from vm.hart import PC, SATP, Hart
from vm.isa.cause import Cause
from vm.isa.expr import Jump, Raise
from vm.isa.spec import Insn, decode
from vm.memory import INSTRUCTION_ALIGNMENT, Memory
from vm.mmu import Mmu, asid_of
from vm.ram import CODE, OPEN, PAGE, PAGE_SHIFT, Ram
from vm.render_python import BlockRenderer, Op, can_inline, divs, rems
from vm.step import Step, compile_source
from vm.tlb import AddressSpace, Tlb
from vm.trap import Exit, HardwareFault, trapped

#: Times that code is entered before it is compiled: compiling costs about as much as running it this often.
HOT = 12
#: Instructions in a block at most.
LONGEST = 48
#: What is kept of a guest's code, at some 200 bytes each: decoded instructions, entries (4) and compiled blocks (50).
#: A guest with more code than this makes the engine begin anew, rather than fill the host's memory.
KEPT_AT_MOST = 400_000

Maps = dict[int, int]
#: Runs from its entry with the hart's words, the TLB's maps for loads and stores, and a budget; returns what is
#: left of the budget. The same budget means: the instruction at pc needs a handler.
Block = Callable[[memoryview, Maps, Maps, int], int]


def at_ecall(x: memoryview, loads: Maps, stores: Maps, n: int) -> int:
    """The block of an ecall: it makes no way, and `run` knows it. System calls are many, and an exception is dear."""
    return n


class Cold:
    """Code from one entry to the next jump, run by handlers until it is worth compiling."""

    __slots__ = ("engine", "entered", "entry", "ppn", "steps")

    def __init__(self, engine: PythonEngine, entry: int, ppn: int) -> None:
        self.engine, self.entry, self.ppn = engine, entry, ppn
        self.entered = 0
        self.steps = engine.steps(entry, ppn)

    def __call__(self, x: memoryview, loads: Maps, stores: Maps, n: int) -> int:
        """Run up to the first jump taken, the budget's end or the code's; see Block."""
        self.entered += 1
        if self.entered == HOT:
            self.engine.compile(self)
        memory = self.engine.memory
        for step in self.steps:
            memory.left = n
            x[PC] = pc = step.handler(x, memory, step.pc, *step.arguments)
            n -= 1
            if not n or pc != step.next or memory.stale:
                break
        return n


class Code(NamedTuple):
    """Something to run for an entry, and the range of offsets in its page that it was made from."""

    block: Block
    low: int
    high: int


class Page:
    """What was made from one frame, by virtual address: code by its entry, and decoded instructions."""

    __slots__ = ("codes", "steps")

    def __init__(self) -> None:
        self.codes: dict[int, Code] = {}
        self.steps: dict[int, Step] = {}


class PythonEngine:
    """Runs harts on RAM. `memory` is the checking path that the handlers use.

    With `count`, `memory.accesses` counts the loads and stores of blocks too (for statistics).
    """

    name = "python"

    def __init__(self, ram: Ram, tlb: Tlb, mmu: Mmu, memory: Memory, count: bool = False) -> None:
        self.ram, self.tlb, self.mmu, self.memory, self.count = ram, tlb, mmu, memory, count
        self.compiled = 0
        self._pages: dict[int, Page] = {}
        self._kept = 0
        self._environment = {**_views(ram), "divs": divs, "rems": rems, "m": memory}
        ram.on_code_write = self.drop

    def run(self, hart: Hart, budget: int) -> Exit:
        """Run `hart` for exactly `budget` instructions, or until one traps. See Machine.run."""
        memory = self.memory
        satp = memory.satp = hart.x[SATP]
        space = self.tlb.space(asid_of(satp))
        x, jump, loads, stores = hart.x, space.jump, space.load, space.store
        n = budget
        try:
            while n:
                block: Block | None = jump.get(x[PC])
                if block is None:
                    memory.left = n
                    block = self._find(x[PC], space)
                before = n
                n = block(x, loads, stores, n)
                if n == before or memory.missed or memory.stale:
                    if block is at_ecall:
                        return trapped(budget - n, Cause.ECALL, x[PC], 0)
                    n = self._assist(x, n)
        except HardwareFault as fault:
            return self._trapped(x, fault, budget)
        return Exit(budget, None)

    def refill(self, satp: int, va: int, access: str) -> None:
        """Walk now: found in the TLB, the access does not leave its block once more. See Machine.refill."""
        self.mmu.translate(satp, va, access)

    @property
    def stats(self) -> dict[str, int]:
        """Host figures; tlb_hits, of loads and stores, are known only if they are counted."""
        hits = {"tlb_hits": self.memory.accesses - self.tlb.misses} if self.count else {}
        return {**hits, "blocks_compiled": self.compiled}

    def forget(self) -> None:
        """Give up all translations: another engine takes over, or they are too many."""
        for ppn in self._pages:
            self.ram.flags[ppn - self.ram.first_ppn] &= ~CODE
        self._pages.clear()
        self._kept = 0
        self.tlb.forget_code()

    def steps(self, entry: int, ppn: int) -> list[Step]:
        """The instructions from `entry` to the first jump or trap, or the page's end; at most LONGEST."""
        known, found = self._page(ppn).steps, []
        for pc in range(entry, min((entry | PAGE - 1) + 1, entry + 4 * LONGEST), 4):
            step = known.get(pc) or self._step(pc, ppn)
            found.append(step)
            if step.insn is None or _ends(step.insn):
                break
        return found

    def compile(self, cold: Cold) -> None:
        """Put a compiled block in the place of cold code, if any of it can be compiled."""
        ops = self._ops(cold.entry, cold.ppn)
        if not ops:
            return
        renderer = BlockRenderer(cold.entry, ops, self.count)
        source = renderer.source()
        environment = {**self._environment, "where": renderer.where}
        block: Block = compile_source(source, f"block_{cold.entry:x}", environment)
        self.compiled += 1
        self._kept += 50
        offsets = [op.pc & PAGE - 1 for op in ops]
        self._pages[cold.ppn].codes[cold.entry] = Code(block, min(offsets), max(offsets) + 4)
        for space in self.tlb.spaces.values():
            if space.jump.get(cold.entry) is cold:
                space.jump[cold.entry] = block

    def drop(self, ppn: int, low: int, high: int) -> None:
        """Bytes `low` to `high` of a frame with translated code change: forget what was made from them."""
        page = self._pages[ppn]
        page.steps.clear()
        gone = [entry for entry, code in page.codes.items() if code.low < high and low < code.high]
        for entry in gone:
            del page.codes[entry]
        if not page.codes:
            del self._pages[ppn]
            self.ram.flags[ppn - self.ram.first_ppn] &= ~CODE
        if gone:
            self.tlb.forget_code()
            self.memory.stale = True  # also when it was the MMU that wrote, an A or D bit

    def _ops(self, entry: int, ppn: int) -> list[Op]:
        """What a block from `entry` holds: along jumps within the page, through branches, to what needs a handler."""
        ops: list[Op] = []
        seen: set[int] = set()
        pc = entry
        while len(ops) < LONGEST and pc & ~(PAGE - 1) == entry & ~(PAGE - 1) and pc not in seen:
            found = decode(self.ram.read32(ppn << PAGE_SHIFT | pc & PAGE - 1))
            if found is None or not can_inline(found[0]):
                break
            op = Op(pc, *found)
            target, always = op.jump()
            if target is not None and target & INSTRUCTION_ALIGNMENT - 1:
                break
            ops.append(op)
            seen.add(pc)
            if always and target is None:
                break
            pc = target if always and target is not None else pc + 4
        return ops

    def _assist(self, x: memoryview, n: int) -> int:
        """After a block that missed, made no way, or made code stale: run up to the next jump by handlers.

        So a slice's tail, and what follows a miss, makes no code of its own.
        """
        memory = self.memory
        memory.missed = False
        if memory.stale:
            memory.stale = False
            return n
        memory.left = n
        pc = x[PC]
        page, ppn = pc & -PAGE, self._frame(pc)
        while n:
            memory.left = n
            step = self._step(pc, ppn)
            x[PC] = pc = step.handler(x, memory, step.pc, *step.arguments)
            n -= 1
            if pc != step.next or pc & -PAGE != page or memory.stale:
                break
        return n

    def _trapped(self, x: memoryview, fault: HardwareFault, budget: int) -> Exit:
        tval = self._step(x[PC], self._frame(x[PC])).word if fault.cause == Cause.ILLEGAL else fault.tval
        return trapped(budget - self.memory.left, fault.cause, x[PC], tval)

    def _frame(self, pc: int) -> int:
        """The ppn that instructions at `pc` are fetched from. Raises HardwareFault."""
        if pc & INSTRUCTION_ALIGNMENT - 1:
            raise HardwareFault(Cause.INSTRUCTION_MISALIGNED, pc)
        return self.mmu.translate(self.memory.satp, pc, "fetch") >> PAGE_SHIFT

    def _step(self, pc: int, ppn: int) -> Step:
        """The decoded instruction at `pc`, kept until its frame is written."""
        steps = self._page(ppn).steps
        step = steps.get(pc)
        if step is None:
            self._kept += 1
            step = steps[pc] = Step(pc, self.ram.read32(ppn << PAGE_SHIFT | pc & PAGE - 1))
        return step

    def _find(self, pc: int, space: AddressSpace) -> Block:
        """The code that begins at `pc`: translated before from this page, or cold."""
        ppn = self._frame(pc)
        page = self._page(ppn)
        code = page.codes.get(pc)
        if code is None:
            if self._kept > KEPT_AT_MOST:
                self.forget()
                page = self._page(ppn)
            self._kept += 4
            cold = Cold(self, pc, ppn)
            low = pc & PAGE - 1
            first = cold.steps[0].insn
            block: Block = at_ecall if first is not None and first.name == "ecall" else cold
            code = page.codes[pc] = Code(block, low, low + 4 * len(cold.steps))
        space.jump[pc] = code.block
        return code.block

    def _page(self, ppn: int) -> Page:
        """What was made from a frame; from its first use on, stores to the frame must be seen."""
        page = self._pages.get(ppn)
        if page is None:
            frame = ppn - self.ram.first_ppn
            if self.ram.flags[frame] & OPEN:
                self.tlb.close_stores()
                self.ram.close_all()
            self.ram.flags[frame] |= CODE
            page = self._pages[ppn] = Page()
        return page


@cache
def _ends(insn: Insn) -> bool:
    """Whether what follows the instruction in memory may not be next."""
    return any(isinstance(effect, (Jump, Raise)) for effect in insn.effects)


def _views(ram: Ram) -> dict[str, memoryview]:
    """RAM as unsigned and signed arrays of each width: u8 to u64 and s8 to s64."""
    whole = ram.bytes
    return {
        "u8": whole,
        "u16": whole.cast("H"),
        "u32": whole.cast("I"),
        "u64": whole.cast("Q"),
        "s8": whole.cast("b"),
        "s16": whole.cast("h"),
        "s32": whole.cast("i"),
        "s64": whole.cast("q"),
    }
