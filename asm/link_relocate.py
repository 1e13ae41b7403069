"""Applies the relocations of a laid out program. Source: psABI, 8.4 Relocations."""

from __future__ import annotations

from asm.errors import did_you_mean
from asm.link_errors import LinkErrors, at_relocation, place
from asm.link_got import SIZES as GOT_SIZES
from asm.link_layout import Image, Placed
from asm.objects import Object, ObjectSection, ObjectSymbol, Relocation
from asm.relocate import NAMES, RELATIVE, OutOfRange, apply
from asm.symbols import WEAK

_IGNORED = ("NONE", "RELAX", "TPREL_ADD")
_PCREL_LOW = ("PCREL_LO12_I", "PCREL_LO12_S")
_MAX_ERRORS = 100

#: How many bytes a relocation touches; 4 if it is not here.
_SIZES = {"64": 8, "ADD64": 8, "SUB64": 8, "CALL": 8, "CALL_PLT": 8, "RVC_BRANCH": 2, "RVC_JUMP": 2}
_SIZES |= {"ADD8": 1, "SUB8": 1, "SET8": 1, "SET6": 1, "SUB6": 1, "ADD16": 2, "SUB16": 2, "SET16": 2}
_SIZES |= {"SET_ULEB128": 1, "SUB_ULEB128": 1}


def relocate(image: Image) -> None:
    """Fills every output section's data. Raises LinkErrors with all relocations that can't be applied."""
    _Relocator(image).run()


class _Relocator:
    """The work on one image."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.errors: list[str] = []
        self.undefined: set[str] = set()
        self.high: dict[int, int] = {}  # address of an auipc → what its pair adds up to
        self.low: list[tuple[str, Placed, int, Object, ObjectSection, Relocation]] = []
        self.thread = next((placed.address for placed in image.sections if placed.name in (".tdata", ".tbss")), 0)

    def run(self) -> None:
        for placed in self.image.sections:
            placed.data = self._gather(placed)
        self._fill_got()
        for placed in self.image.sections:
            for base, made, section in placed.parts:
                self._section(placed, base, made, section)
        for item in self.low:
            self._low(*item)
        if self.errors:
            raise LinkErrors(self.errors)

    def _gather(self, placed: Placed) -> bytearray:
        """An output section's bytes, with no-ops or zeros between its parts."""
        data = bytearray()
        if placed.type != 8:
            for base, _, section in placed.parts:
                data += bytes(base - len(data))
                data += section.data if section.type != 8 else bytes(section.size)
        return data

    def _fill_got(self) -> None:
        got = self.image.got
        if got.section is not None:
            placed, base = self.image.where[id(got.section)]
            for offset, value in got.content(self.image.address, self.thread).items():
                at = base + offset
                placed.data[at : at + 8] = (value & (1 << 64) - 1).to_bytes(8, "little")

    def _section(self, placed: Placed, base: int, made: Object, section: ObjectSection) -> None:
        for relocation in section.relocations:
            name = NAMES.get(relocation.type, "")
            if name in _IGNORED:
                continue
            if len(self.errors) >= _MAX_ERRORS:
                return
            try:
                self._one(name, placed, base, made, section, relocation)
            except OutOfRange as problem:
                self._out_of_range(name, problem, made, section, relocation)
            except (KeyError, IndexError):
                message = f"relocation of type {name or relocation.type} can't be linked here"
                self.errors.append(at_relocation(message, made, section, relocation, ""))

    def _one(
        self, name: str, placed: Placed, base: int, made: Object, section: ObjectSection, relocation: Relocation
    ) -> None:
        at = base + relocation.offset
        if relocation.offset < 0 or relocation.offset + _SIZES.get(name, 4) > len(section.data):
            raise IndexError(name)
        if name in _PCREL_LOW:
            self.low.append((name, placed, at, made, section, relocation))
            return
        value = self._value(name, made, section, relocation)
        if value is None:
            return
        if name in RELATIVE:
            value -= placed.address + at
            self.high[placed.address + at] = value
        apply(name, placed.data, at, value)

    def _value(self, name: str, made: Object, section: ObjectSection, relocation: Relocation) -> int | None:
        """S + A; None after an error."""
        if relocation.symbol is None:
            return relocation.addend
        symbol = self.image.resolver.definition(relocation.symbol)
        if name in GOT_SIZES:
            placed, base = self.image.where[id(self.image.got.section)]
            return placed.address + base + self.image.got.offset(name, symbol) + relocation.addend
        address = self.image.address(symbol)
        if address is None:
            if symbol.binding != WEAK and section.flags & 2:
                self._undefined(symbol, made, section, relocation)
                return None
            address = 0
        if name.startswith(("TPREL", "TLS_TPREL")):
            address -= self.thread
        return address + relocation.addend

    def _low(
        self, name: str, placed: Placed, at: int, made: Object, section: ObjectSection, relocation: Relocation
    ) -> None:
        """%pcrel_lo names the auipc, whose value it is the other half of."""
        pair = None if relocation.symbol is None else self.image.address(relocation.symbol)
        value = None if pair is None else self.high.get(pair + relocation.addend)
        if value is not None:
            apply(name, placed.data, at, value)
        elif not self.undefined:
            message = "this `%pcrel_lo` has no `%pcrel_hi` at its label"
            hint = "it takes the label of the `auipc` with the matching `%pcrel_hi`"
            self.errors.append(at_relocation(message, made, section, relocation, "pcrel_lo", hint))

    def _undefined(self, symbol: ObjectSymbol, made: Object, section: ObjectSection, relocation: Relocation) -> None:
        if symbol.name in self.undefined:
            return
        self.undefined.add(symbol.name)
        message, hint = f"`{symbol.name}` is not defined", self._undefined_hint(symbol.name, made)
        self.errors.append(at_relocation(message, made, section, relocation, symbol.name, hint))

    def _undefined_hint(self, name: str, made: Object) -> str:
        local = self.image.resolver.local(name)
        if local is not None:
            return f"`{name}` at {place(*local)} is local: write `.globl {name}` there"
        own = [symbol.name for symbol in made.symbols if symbol.kind != "undefined"]
        near = did_you_mean(name, [*own, *self.image.resolver.names()])
        return near or f"if it is defined in another file, write `.globl {name}` there"

    def _out_of_range(
        self, name: str, problem: OutOfRange, made: Object, section: ObjectSection, relocation: Relocation
    ) -> None:
        target = relocation.symbol.name if relocation.symbol else f"{relocation.addend:#x}"
        if problem.value % problem.multiple:
            why = f"is not at a multiple of {problem.multiple} bytes"
        else:
            why = f"is {problem.value} bytes away: this reaches from {problem.low} to {problem.high}"
            if name == "32":
                why = f"has the address {problem.value:#x}, which does not fit into 4 bytes"
        hint = {"JAL": "`call` and `tail` reach everywhere", "BRANCH": "branch over a `j` instead"}.get(name, "")
        self.errors.append(at_relocation(f"`{target}` {why}", made, section, relocation, target, hint))
