"""The end of an assembly: sizes are settled, fixups become bytes or relocations, symbols get their values.

Source: psABI, Relocations. Which values are written and which are left to the linker is as in GNU as 2.40: every
address in code stays a relocation, since a linker may move code; the field then shows what it would be if nothing
moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm import relocate
from asm.errors import Statement, StatementError
from asm.expressions import Linear, linear, wrap
from asm.layout import MAX_SIZE, Align, Branch, distance, settle
from asm.layout import finish as finish_section
from asm.objects import Object, ObjectSection, ObjectSymbol, Relocation
from asm.sections import NOBITS, THREAD, Fixup, Section
from asm.symbols import GLOBAL, LOCAL, TLS, Symbol, Value

if TYPE_CHECKING:
    from asm.assemble import Assembler


def finish(asm: Assembler) -> Object:
    """The object. Raises AssemblyErrors."""
    sections = list(asm.sections.values())
    for number, symbol in asm.forward.items():
        if symbol.used is not None:
            asm.diagnostics.error(StatementError(f"there is no label `{number}:` after this"), symbol.used)
    for section in sections:
        _pad_end(asm, section)
    settle(sections, asm.diagnostics)
    if sum(len(section.data) + section.growth[-1] for section in sections) > MAX_SIZE:
        asm.diagnostics.stop(f"this program has more than {MAX_SIZE >> 20} MiB", asm.statement)
    return _Finisher(asm).run(sections)


def _pad_end(asm: Assembler, section: Section) -> None:
    """GNU as fills a section of code up to its alignment: with zeros if the linker may relax it, else with no-ops."""
    if section.is_code and section.type != NOBITS and section.align > 1:
        pattern = b"\0" if asm.options.relax else None
        section.points.append(Align(section, asm.statement, section.align, pattern, 0))


class _Finisher:
    """Turns an assembler's sections and symbols into those of an object."""

    def __init__(self, asm: Assembler) -> None:
        self.asm = asm
        self.made: dict[int, ObjectSection] = {}  # by id of the Section: identity only, order comes from lists
        self.symbols: dict[int, ObjectSymbol] = {}
        self.object = asm.object
        self.statement = asm.statement  # whose fixup is at hand

    def run(self, sections: list[Section]) -> Object:
        for section in sections:
            if section.here or section.align > 1 or section.fixups or section.name[1:] in ("text", "data", "bss"):
                self._section(section)
        for section in sections:
            self._fixups(section)
        self._named_symbols()
        self.asm.diagnostics.check()
        self._order_symbols()
        return self.object

    def _section(self, section: Section) -> None:
        data = b"" if section.type == NOBITS else finish_section(section)
        size = section.here + section.growth[-1]
        made = ObjectSection(section.name, section.type, section.flags, section.align, data, size, section.entsize)
        made.rows = [(section.address(offset, points), file, line) for offset, points, file, line in section.rows]
        self.made[id(section)] = made
        self.object.sections.append(made)

    # Fixups -------------------------------------------------------------------------------------------------------

    def _fixups(self, section: Section) -> None:
        made = self.made.get(id(section))
        if made is None:
            return
        for fixup in section.fixups:
            self._guarded(fixup.statement, self._fixup, section, made, fixup)
        for point in section.points:
            if isinstance(point, Branch):
                self._guarded(point.statement, self._branch, section, made, point)
        made.relocations.sort(key=lambda relocation: relocation.offset)

    def _guarded(self, statement: Statement, work, *arguments) -> None:  # type: ignore[no-untyped-def]
        self.statement = statement
        try:
            work(*arguments)
        except StatementError as problem:
            self.asm.diagnostics.error(problem, statement)

    def _fixup(self, section: Section, made: ObjectSection, fixup: Fixup) -> None:
        at = section.address(fixup.offset, fixup.points)
        if fixup.kind[0] == "D":
            self._data(made, at, int(fixup.kind[1:]), fixup.value)
            return
        if fixup.kind == "ALIGN":
            assert type(fixup.value) is int
            made.relocations.append(Relocation(at, relocate.ALIGN, None, fixup.value))
            return
        target = linear(fixup.value, distance)
        if fixup.kind == "JAL":
            self._tentative(made, at, target, relocate.JUMP_MASK, relocate.jump_bits)
        assert isinstance(made.data, bytearray)
        relocate.show_addend(fixup.kind, made.data, at, target.number)
        if target.plus or target.minus or fixup.kind not in relocate.NUMBER_IS_ENOUGH:
            self._relocate(made, at, fixup.kind, target, fixup.relax)

    def _branch(self, section: Section, made: ObjectSection, point: Branch) -> None:
        """A conditional branch in its short form, or the opposite branch over a `j`."""
        at = point.start() - 4
        target = linear(point.target, distance)
        if not point.size:
            self._tentative(made, at, target, relocate.BRANCH_MASK, relocate.branch_bits)
            self._relocate(made, at, "BRANCH", target, False)
            return
        data = made.data
        assert isinstance(data, bytearray)
        data[at + 1] ^= 0x10  # funct3's lowest bit: the opposite condition
        relocate.patch_word(data, at, relocate.BRANCH_MASK, relocate.branch_bits(8))
        data[at + 4 : at + 8] = b"\x6f\0\0\0"
        self._tentative(made, at + 4, target, relocate.JUMP_MASK, relocate.jump_bits)
        self._relocate(made, at + 4, "JAL", target, False)

    def _tentative(self, made: ObjectSection, at: int, target: Linear, mask: int, bits) -> None:  # type: ignore[no-untyped-def]
        """What a jump's field would be if nothing moved: it makes disassemblies of objects readable."""
        symbol = target.plus
        if symbol is not None:
            value = symbol.section.address(symbol.offset, symbol.points) if symbol.section else 0
            assert isinstance(made.data, bytearray)
            relocate.patch_word(made.data, at, mask, bits(value + target.number - at))

    def _relocate(self, made: ObjectSection, at: int, kind: str, target: Linear, relax: bool) -> None:
        if target.minus is not None or target.part:
            raise StatementError("this operand must be an address: a symbol plus or minus a number")
        if not -(1 << 63) <= target.number < 1 << 64:
            raise StatementError(f"{target.number} is no address of 64 bits")
        symbol = None if target.plus is None else self._symbol(target.plus)
        if symbol is not None and kind.startswith(("TPREL_", "TLS_")):
            symbol.type = TLS
        made.relocations.append(Relocation(at, relocate.NUMBERS[kind], symbol, wrap(target.number), self.statement))
        if relax and symbol is not None:
            made.relocations.append(Relocation(at, relocate.RELAX, None, wrap(target.number)))

    def _data(self, made: ObjectSection, at: int, size: int, value: Value) -> None:
        """A .byte, .word and so on: a number, an address, or a difference of addresses."""
        target = linear(value, _data_distance, distance)
        if target.part:
            raise StatementError(f"`{target.part}` goes with an instruction's operand only")
        if target.plus is None and target.minus is None:
            relocate.apply_number(made.data, at, size, target.number)
        elif target.minus is None:
            if size < 4:
                raise StatementError(f"an address does not fit into {size} byte{'s' * (size > 1)}")
            self._relocate(made, at, "32" if size == 4 else "64", target, False)
        elif target.plus is None:
            raise StatementError(f"`{target.minus.name}` can only be subtracted from another address")
        else:
            assert size <= 8
            self._relocate(made, at, f"ADD{8 * size}", Linear(target.plus, None, target.number), False)
            self._relocate(made, at, f"SUB{8 * size}", Linear(target.minus, None, 0), False)

    # Symbols ------------------------------------------------------------------------------------------------------

    def _symbol(self, symbol: Symbol) -> ObjectSymbol:
        """The object's symbol for one of the assembler's, made on first use."""
        made = self.symbols.get(id(symbol))
        if made is None:
            made = self.symbols[id(symbol)] = self._make(symbol)
            self.object.symbols.append(made)
        return made

    def _make(self, symbol: Symbol) -> ObjectSymbol:
        made = ObjectSymbol(symbol.name, "undefined")
        made.statement = symbol.defined
        made.binding, made.type, made.visibility = symbol.binding, symbol.type, symbol.visibility
        if symbol.section is not None:
            made.kind, made.section = "section", self.made.get(id(symbol.section))
            made.value = symbol.section.address(symbol.offset, symbol.points)
            if symbol.section.flags & THREAD:
                made.type = TLS
        elif symbol.common is not None:
            made.kind, made.value = "common", symbol.common[1]
            made.size = symbol.common[0]
            made.binding = made.binding or GLOBAL
        elif symbol.value is not None:
            self._equated(symbol, made)
        else:
            made.binding = made.binding or GLOBAL
        if symbol.size is not None:
            made.size = self._size(symbol)
        return made

    def _equated(self, symbol: Symbol, made: ObjectSymbol) -> None:
        """A symbol of .equ: a number, or another name for a place."""
        assert symbol.value is not None
        target = linear(symbol.value, distance)
        if target.minus is not None:
            raise StatementError(f"`{symbol.name}` is no number and no place")
        made.kind, made.value = "absolute", target.number
        base = target.plus
        if base is not None and base.section is not None:
            made.kind, made.section = "section", self.made.get(id(base.section))
            made.value += base.section.address(base.offset, base.points)
        elif base is not None:
            raise StatementError(f"`{symbol.name}` is defined by `{base.name}`, which is not defined here")

    def _size(self, symbol: Symbol) -> int:
        assert symbol.size is not None
        result = linear(symbol.size, distance)
        if result.plus or result.minus:
            raise StatementError(f"the size of `{symbol.name}` is not a number")
        return result.number

    def _named_symbols(self) -> None:
        """All that belong into the symbol table: named labels, .equ values, and what is used but not defined."""
        for symbol in self.asm.symbols.values():
            if symbol.temporary and symbol.is_defined and symbol.binding == LOCAL:
                continue
            statement = symbol.defined or symbol.used
            if statement is None or (not symbol.is_defined and symbol.used is None):
                continue
            try:
                if symbol.is_defined or symbol.used:
                    self._symbol(symbol)
            except StatementError as problem:
                self.asm.diagnostics.error(problem, statement)

    def _order_symbols(self) -> None:
        """Local symbols first, as ELF wants it (gABI, Symbol Table)."""
        self.object.symbols.sort(key=lambda symbol: symbol.binding != LOCAL)


def _data_distance(one: Symbol, other: Symbol) -> int | None:
    """The distance of two labels where it is final: a linker may change it in code."""
    if one.section is not None and one.section.is_code:
        return None
    return distance(one, other)
