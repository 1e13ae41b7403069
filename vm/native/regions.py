"""Regions: the hot code around an instruction, within its page, as basic blocks.

A region is entered at one address. It holds what can be reached from there by branches, jumps, calls and the returns
to where the calls came from, as far as it lies on the same page and needs no help from python. A page's frame and
address are all that it depends on, so that a forked child runs its parent's.
"""

from __future__ import annotations

from collections.abc import Callable

from vm.isa.expr import Jump, Raise
from vm.isa.spec import Insn, decode
from vm.memory import INSTRUCTION_ALIGNMENT
from vm.native.handlers import handler_name, has_near
from vm.native.ir import can_render, reads_counter
from vm.ram import PAGE
from vm.render_python import Op

#: Instructions in a region at most: a page. Compiling takes about a millisecond for each, in another process.
LARGEST = PAGE // INSTRUCTION_ALIGNMENT

#: Gives the instruction word at an address of the page.
Fetch = Callable[[int], int]


class Block:
    """Instructions that run one after the other, of which only the last may jump."""

    __slots__ = ("ops", "pc")

    def __init__(self, pc: int) -> None:
        self.pc = pc
        self.ops: list[Op] = []

    def after(self) -> int:
        """The address behind the last instruction."""
        return self.pc + INSTRUCTION_ALIGNMENT * len(self.ops)


class Region:
    """Blocks by address, the entry's first, and the return sites among them."""

    __slots__ = ("blocks", "entry", "returns")

    def __init__(self, entry: int, blocks: dict[int, Block], returns: list[int]) -> None:
        self.entry, self.blocks, self.returns = entry, blocks, returns

    @property
    def span(self) -> tuple[int, int]:
        """The range of offsets in the page that it was made from."""
        low = min(block.pc for block in self.blocks.values())
        high = max(block.after() for block in self.blocks.values())
        return low & PAGE - 1, (high - 1 & PAGE - 1) + 1

    def plain(self) -> str:
        """The name of the handler that the first instruction has by itself."""
        first = self.blocks[self.entry].ops[0]
        target, _ = first.jump()
        near = target is not None and target ^ self.entry < PAGE
        return handler_name(first.insn, near and has_near(first.insn))


def form(entry: int, fetch: Fetch) -> Region | None:
    """The region around `entry`, breadth first; None if its first instruction can't be in one."""
    ops: dict[int, Op] = {}
    leaders: dict[int, None] = {entry: None}
    returns: dict[int, None] = {}
    work = [entry]
    while work and len(ops) < LARGEST:
        pc = work.pop(0)
        while pc not in ops and pc ^ entry < PAGE and len(ops) < LARGEST:
            op = _usable(pc, fetch)
            if op is None:
                break
            ops[pc] = op
            more = _successors(op)
            if op.calls():
                returns[pc + INSTRUCTION_ALIGNMENT] = None
            if more is None:
                pc += INSTRUCTION_ALIGNMENT
                continue
            near = [target for target in more if target ^ entry < PAGE]
            leaders.update(dict.fromkeys(near))
            work += near
            break
    if entry not in ops:
        return None
    blocks = _split(ops, [pc for pc in leaders if pc in ops])
    return Region(entry, blocks, [pc for pc in returns if pc in blocks])


def _usable(pc: int, fetch: Fetch) -> Op | None:
    found = decode(fetch(pc))
    if found is None or not can_render(found[0]) or not reads_counter(*found) or _traps(found[0]):
        return None
    op = Op(pc, *found)
    target, _ = op.jump()
    return None if target is not None and target & INSTRUCTION_ALIGNMENT - 1 else op


def _traps(insn: Insn) -> bool:
    return any(isinstance(effect, Raise) for effect in insn.effects)


def _successors(op: Op) -> list[int] | None:
    """Where it may go on, as far as that is known; None if it never jumps."""
    if not any(isinstance(effect, Jump) for effect in op.insn.effects):
        return None
    target, always = op.jump()
    found = [] if target is None else [target]
    if not always or op.calls():
        found.append(op.pc + INSTRUCTION_ALIGNMENT)
    return found


def _split(ops: dict[int, Op], leaders: list[int]) -> dict[int, Block]:
    """Blocks that begin at the leaders and end before the next, or with a jump."""
    starts = set(leaders)
    blocks: dict[int, Block] = {}
    for leader in leaders:
        block = blocks[leader] = Block(leader)
        pc = leader
        while pc in ops:
            op = ops[pc]
            block.ops.append(op)
            pc += INSTRUCTION_ALIGNMENT
            if pc in starts or _successors(op) is not None:
                break
    return blocks
