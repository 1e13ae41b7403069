"""Regions: the hot code around an instruction, as basic blocks.

A region is entered at one address. It holds what can be reached from there by branches, jumps, calls, the returns to
where the calls came from, and indirect jumps that were seen while interpreting, as far as its pages are known and it
needs no help from python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vm.isa.expr import Jump, Raise
from vm.isa.spec import Insn, decode
from vm.memory import INSTRUCTION_ALIGNMENT
from vm.native.handlers import handler_name, has_near
from vm.native.ir import can_render, reads_counter
from vm.ram import PAGE
from vm.render_python import Op

#: Instructions in a region at most. Compiling takes about a millisecond for each, in another process.
LARGEST = 1500

#: Gives the instruction word at an address, or None where the page is not known.
Fetch = Callable[[int], int | None]
#: Where indirect jumps went, by their address.
Jumps = Mapping[int, Sequence[int]]


class Block:
    """Instructions that run one after the other; only the last may jump. `next`: the blocks that may follow."""

    __slots__ = ("next", "ops", "pc")

    def __init__(self, pc: int) -> None:
        self.pc = pc
        self.ops: list[Op] = []
        self.next: list[int] = []

    def after(self) -> int:
        """The address behind the last instruction."""
        return self.pc + INSTRUCTION_ALIGNMENT * len(self.ops)


class Region:
    """Blocks by address, the entry's first, and for each indirect jump the blocks that it may go to."""

    __slots__ = ("blocks", "entry", "targets")

    def __init__(self, entry: int, blocks: dict[int, Block], targets: dict[int, list[int]]) -> None:
        self.entry, self.blocks, self.targets = entry, blocks, targets

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """(page, low, high): the offsets in each page that it was made from; the entry's page comes first."""
        found: dict[int, tuple[int, int]] = {}
        for block in self.blocks.values():
            for op in block.ops:
                page, at = op.pc & -PAGE, op.pc & PAGE - 1
                low, high = found.get(page, (at, at))
                found[page] = min(low, at), max(high, at + INSTRUCTION_ALIGNMENT)
        return [(page, *span) for page, span in found.items()]

    def plain(self) -> str:
        """The name of the handler that the first instruction has by itself."""
        first = self.blocks[self.entry].ops[0]
        target, _ = first.jump()
        near = target is not None and target ^ self.entry < PAGE
        return handler_name(first.insn, near and has_near(first.insn))


def form(entry: int, fetch: Fetch, jumps: Jumps) -> Region | None:
    """The region around `entry`, breadth first; None if its first instruction can't be in one."""
    ops: dict[int, Op] = {}
    leaders: dict[int, None] = {entry: None}
    returns: dict[int, None] = {}
    work = [entry]
    while work and len(ops) < LARGEST:
        pc = work.pop(0)
        while pc not in ops and len(ops) < LARGEST:
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
            more += jumps.get(pc, ())
            leaders.update(dict.fromkeys(more))
            work += more
            break
    if entry not in ops:
        return None
    blocks = _split(ops, [pc for pc in leaders if pc in ops])
    return Region(entry, blocks, _connect(blocks, list(returns), jumps))


def _usable(pc: int, fetch: Fetch) -> Op | None:
    word = fetch(pc)
    found = None if word is None else decode(word)
    if found is None or not can_render(found[0]) or not reads_counter(*found) or _traps(found[0]):
        return None
    op = Op(pc, *found)
    target, _ = op.jump()
    return None if target is not None and target & INSTRUCTION_ALIGNMENT - 1 else op


def _traps(insn: Insn) -> bool:
    return any(isinstance(effect, Raise) for effect in insn.effects)


def _jumps(op: Op) -> bool:
    return any(isinstance(effect, Jump) for effect in op.insn.effects)


def _successors(op: Op) -> list[int] | None:
    """Where it may go on, as far as that is known; None if it never jumps."""
    if not _jumps(op):
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
            if pc in starts or _jumps(op):
                break
    return blocks


def _connect(blocks: dict[int, Block], returns: list[int], jumps: Jumps) -> dict[int, list[int]]:
    """Fill in each block's `next`; the targets of each indirect jump: where it went, and for returns every call."""
    targets: dict[int, list[int]] = {}
    for block in blocks.values():
        last = block.ops[-1]
        if not _jumps(last):
            block.next = [block.after()]
        else:
            target, always = last.jump()
            if target is None:
                known = dict.fromkeys([*jumps.get(last.pc, ()), *(returns if not last.calls() else ())])
                block.next = targets[last.pc] = [pc for pc in known if pc in blocks]
            else:
                block.next = [target] if always else [target, block.after()]
        block.next = [pc for pc in block.next if pc in blocks]
    return targets
