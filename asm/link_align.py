"""R_RISCV_ALIGN: takes out the no-ops that an alignment turned out not to need.

Source: psABI, 8.5.2 Alignment relocations: the assembler leaves `addend` bytes of no-ops, the linker keeps what
aligns the next instruction to the power of two above the addend. `ld --no-relax` does this too.
"""

from __future__ import annotations

from bisect import bisect_left

from asm.link_errors import LinkErrors
from asm.objects import Object, ObjectSection, Relocation
from asm.relocate import ALIGN, RELAX

_NOP = b"\x13\x00\x00\x00"


def settle(made: Object) -> None:
    """Shortens the sections of an object. Raises LinkErrors."""
    moved: dict[int, _Map] = {}
    for section in made.sections:
        if any(relocation.type == ALIGN for relocation in section.relocations):
            moved[id(section)] = _shorten(made, section)
    if not moved:
        return
    for symbol in made.symbols:
        change = moved.get(id(symbol.section)) if symbol.section is not None else None
        if change is not None:
            end = change.new(symbol.value + symbol.size) if symbol.size else 0
            symbol.value = change.new(symbol.value)
            symbol.size = end - symbol.value if symbol.size else 0


class _Map:
    """From old offsets to new ones: what lies behind a cut moves down by it."""

    def __init__(self) -> None:
        self.cuts: list[int] = []  # where each cut begins
        self.totals: list[int] = [0]  # what all cuts up to and with it take out

    def cut(self, at: int, size: int) -> None:
        self.cuts.append(at)
        self.totals.append(self.totals[-1] + size)

    def new(self, offset: int) -> int:
        return offset - self.totals[bisect_left(self.cuts, offset)]


def _shorten(made: Object, section: ObjectSection) -> _Map:
    """Takes out what is not needed; relocations and line numbers move along."""
    change, data, taken = _Map(), bytearray(), 0
    kept: list[Relocation] = []
    for relocation in section.relocations:
        if relocation.type == RELAX:
            continue
        if relocation.type != ALIGN:
            kept.append(relocation)
            continue
        spare = relocation.addend
        if not 0 <= spare <= section.size - relocation.offset:
            raise LinkErrors([f"{made.name}: error: an alignment in {section.name} lies outside of it"])
        data += section.data[taken : relocation.offset]
        needed = -len(data) % (1 << spare.bit_length())
        if needed > spare:
            raise LinkErrors(
                [f"{made.name}: error: {section.name} has too little room to align at {relocation.offset:#x}"]
            )
        data += _NOP * (needed // 4) + b"\x01\x00" * (needed % 4 // 2)
        change.cut(relocation.offset + needed, spare - needed)
        taken = relocation.offset + spare
    section.data = data + section.data[taken:]
    section.size = len(section.data)
    section.relocations = [r._replace(offset=change.new(r.offset)) for r in kept]
    section.rows = [(change.new(offset), file, line) for offset, file, line in section.rows]
    return change
