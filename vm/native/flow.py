"""What a region's control flow tells: where the budget is checked, and which registers point to one page for long."""

from __future__ import annotations

from vm.isa.expr import SetX
from vm.native.regions import Block, Region
from vm.render_python import Op

_SUMS = ("addi", "add", "sub")


class Flow:
    """`room`: for each block at which the budget is checked, the instructions that it must be good for."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self._order: list[int] = []
        self._checked = {region.entry}
        self._search()
        self.room = self._distances()
        self._steady: dict[int, frozenset[int]] = {}
        self._chased: dict[int, frozenset[int]] = {}
        self._find_registers()

    def steady(self, block: int) -> frozenset[int]:
        """Registers that a loop around the block only counts up or down, or leaves alone: their page seldom changes."""
        return self._steady[block]

    def chased(self, block: int) -> frozenset[int]:
        """Registers that a loop around the block loads from memory, or computes from those: pointers, most likely."""
        return self._chased[block]

    def _search(self) -> None:
        """Depth first: the blocks in post-order, and where a way leads back to a block that it came through."""
        blocks, entry = self.region.blocks, self.region.entry
        state = {entry: 1}
        stack = [(entry, iter(blocks[entry].next))]
        while stack:
            pc, rest = stack[-1]
            for following in rest:
                if following not in state:
                    state[following] = 1
                    stack.append((following, iter(blocks[following].next)))
                    break
                if state[following] == 1:
                    self._checked.add(following)
            else:
                state[pc] = 2
                self._order.append(pc)
                stack.pop()

    def _distances(self) -> dict[int, int]:
        """The longest way from each checked block to the next check, in instructions."""
        longest: dict[int, int] = {}
        for pc in self._order:
            block = self.region.blocks[pc]
            ways = [longest[following] for following in block.next if following not in self._checked]
            longest[pc] = len(block.ops) + max(ways, default=0)
        return {pc: longest[pc] for pc in self._order if pc in self._checked}

    # what registers are used for

    def _find_registers(self) -> None:
        """For each block by the smallest loop around it; without a loop, by the whole region."""
        blocks = self.region.blocks
        for loop in [frozenset(blocks), *sorted(self._loops(), key=len, reverse=True)]:
            inside = [blocks[pc] for pc in blocks if pc in loop]
            steady, chased = _steady_in(inside), _chased_in(inside)
            for pc in loop:
                self._steady[pc], self._chased[pc] = steady, chased

    def _loops(self) -> list[frozenset[int]]:
        """For each edge that leads back: the blocks on ways from where it leads to where it begins."""
        before: dict[int, list[int]] = {pc: [] for pc in self.region.blocks}
        for pc in self._order:
            for following in self.region.blocks[pc].next:
                before[following].append(pc)
        position = {pc: at for at, pc in enumerate(self._order)}
        found: dict[frozenset[int], None] = {}
        for head in sorted(self._checked):
            for latch in before[head]:
                if position[latch] <= position[head]:
                    found[self._body(head, latch, before, position)] = None
        return list(found)

    @staticmethod
    def _body(head: int, latch: int, before: dict[int, list[int]], position: dict[int, int]) -> frozenset[int]:
        body, work = {head}, [latch]
        while work:
            pc = work.pop()
            if pc not in body and position[pc] <= position[head]:
                body.add(pc)
                work += before[pc]
        return frozenset(body)


def _steady_in(blocks: list[Block]) -> frozenset[int]:
    moved: set[int] = set()
    for block in blocks:
        for op in block.ops:
            moved.update(number for number in _written(op) if not _stays_near(op, number))
    return frozenset(range(32)) - moved


def _chased_in(blocks: list[Block]) -> frozenset[int]:
    chased: set[int] = set()
    before = -1
    while len(chased) > before:
        before = len(chased)
        for block in blocks:
            for op in block.ops:
                if op.insn.name == "ld" or (
                    op.insn.name in _SUMS and chased & {op.fields["rs1"], op.fields.get("rs2")}
                ):
                    chased.update(_written(op))
    return frozenset(chased - {0})


def _written(op: Op) -> list[int]:
    return [op.fields[effect.field] for effect in op.insn.effects if isinstance(effect, SetX)]


def _stays_near(op: Op, number: int) -> bool:
    """Whether it gives the register a constant, or only adds something to it."""
    sources = [field for field in ("rs1", "rs2") if field in op.fields]
    return not sources or (op.insn.name in _SUMS and op.fields["rs1"] == number)
