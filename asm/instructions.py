"""Instructions: operands are matched with the definitions in vm.isa, and what is not a number yet becomes a fixup.

Source: GNU as manual, 9.38 RISC-V Dependent Features; psABI, Relocations (which function of an address goes with
which field).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm import pseudo
from asm.errors import StatementError, did_you_mean
from asm.expressions import evaluate
from asm.layout import Branch
from asm.operands import Slot, fits, memory, register, slots
from asm.parse import Node, Parsed
from asm.symbols import Op, Value
from vm.isa import TABLE, EncodeError, Insn, lookup
from vm.isa.registers import CSR_NUMBERS, X_NUMBERS

if TYPE_CHECKING:
    from asm.assemble import Assembler

#: What each function makes of an address in an upper, an I-type and an S-type immediate.
_PARTS = {
    "%hi": ("HI20", "", ""),
    "%lo": ("", "LO12_I", "LO12_S"),
    "%pcrel_hi": ("PCREL_HI20", "", ""),
    "%pcrel_lo": ("", "PCREL_LO12_I", "PCREL_LO12_S"),
    "%got_pcrel_hi": ("GOT_HI20", "", ""),
    "%tprel_hi": ("TPREL_HI20", "", ""),
    "%tprel_lo": ("", "TPREL_LO12_I", "TPREL_LO12_S"),
    "%tls_ie_pcrel_hi": ("TLS_GOT_HI20", "", ""),
    "%tls_gd_pcrel_hi": ("TLS_GD_HI20", "", ""),
}
_NOT_RELAXED = ("GOT_HI20", "TLS_GOT_HI20", "TLS_GD_HI20", "BRANCH", "JAL")
_FENCE = "iorw"
_STORE = 0x23  # the opcode of S-type instructions


class Code:
    """Writes instructions into the current section of an assembler."""

    def __init__(self, asm: Assembler, parsed: Parsed) -> None:
        self.asm = asm
        self.parsed = parsed

    def statement(self) -> None:
        """Assembles the whole statement."""
        operands = list(self.parsed.tree[2][1:])
        if operands == [("missing",)]:
            operands = []
        self.instruction(self.parsed.texts[0].lower(), operands)

    def instruction(self, mnemonic: str, operands: list[Node]) -> None:
        """One instruction or pseudo-instruction with its operands' trees."""
        texts = self.parsed.texts
        found = lookup(mnemonic)
        if found is not None:
            places = slots(found[0])
            if len(places) == len(operands) and all(
                fits(place.kind, operand, texts) for place, operand in zip(places, operands, strict=True)
            ):
                self.real(found[0], found[1], places, operands)
                return
        form = pseudo.choose(mnemonic, operands, texts)
        if form is None:
            raise self._mismatch(mnemonic, operands, found[0] if found else None)
        form.expand(self, form.bind(operands))

    def real(self, insn: Insn, preset: dict[str, int], places: tuple[Slot, ...], operands: list[Node]) -> None:
        """An instruction of the definitions."""
        values, branch = dict(preset), False
        texts = self.parsed.texts
        for place, operand in zip(places, operands, strict=True):  # hot
            if place.kind == "reg":
                values[place.field] = register(operand, texts)  # type: ignore[assignment]  # `fits` has seen to it
            elif place.kind in ("memory", "base"):
                offset, values[place.base] = memory(operand, texts)  # type: ignore[misc]
                if place.kind == "base":
                    self._must_be_zero(offset)
                else:
                    values[place.field] = self._immediate(place, insn, offset)
            elif place.kind == "fence":
                values[place.field] = self._fence(operand)
            elif place.kind == "pcrel":
                branch = insn.name != "jal"
                target = self._value(operand[1])
                if not branch:
                    self.asm.fix("JAL", target)
            else:
                values[place.field] = self._immediate(place, insn, operand[1])
        self.asm.emit(self._encode(insn, values, places, operands).to_bytes(4, "little"))
        if branch:
            asm = self.asm
            asm.section.points.append(Branch(asm.section, asm.statement, target, asm.options.relax))

    def word(self, name: str, **fields: int) -> None:
        """Emits one instruction whose fields are known to fit."""
        self.asm.emit(TABLE[name].encode(**fields).to_bytes(4, "little"))

    def value(self, operand: Node) -> Value:
        """The value of an operand that is an expression."""
        return self._value(operand[1])

    def constant(self, operand: Node) -> int:
        """The number that an operand is. Raises StatementError if it is none (yet)."""
        value = self._value(operand[1])
        if type(value) is int:
            return value
        raise self.error("this must be a number that is known here", operand, self._constant_hint(value))

    def error(self, message: str, operand: Node, hint: str = "") -> StatementError:
        """An error whose caret points at an operand."""
        return StatementError(message, *self.parsed.span(operand), hint)

    def part(self, kind: str, tree: Node) -> int:
        """The bits of an immediate of .insn: kind is imm (I-type), store or upper."""
        insn = TABLE["lui" if kind == "upper" else "sd" if kind == "store" else "addi"]
        place = Slot("upper" if kind == "upper" else "imm", "imm")
        try:
            return insn.encode(imm=self._immediate(place, insn, tree)) & ~insn.mask
        except EncodeError as problem:
            hint = f"it takes {problem.low} to {problem.high} here"
            raise self.error(f"{problem.value} does not fit", tree, hint) from None

    def _value(self, tree: Node) -> Value:
        try:
            return evaluate(tree, self.parsed.texts, self.asm)
        except StatementError as problem:
            raise self.error(problem.message, tree, problem.hint) from None

    def _must_be_zero(self, offset: Node) -> None:
        if self._value(offset) != 0:
            raise self.error("this instruction takes an address in a register, without an offset", offset)

    def _immediate(self, place: Slot, insn: Insn, tree: Node) -> int:
        """The number for an immediate field; 0 with a fixup if it is a part of an address."""
        if place.kind == "csr" and tree[0] == "name" and self.parsed.texts[tree[1]] in CSR_NUMBERS:
            return CSR_NUMBERS[self.parsed.texts[tree[1]]]
        value = self._value(tree)
        if isinstance(value, Op) and value.op == "part":
            value = self._part(place, insn, value, tree)
        if type(value) is not int:
            what = "CSR" if place.kind == "csr" else "number that is known here"
            raise self.error(f"expected a {what}", tree, self._constant_hint(value))
        if place.kind != "upper":
            return value
        if not 0 <= value < 1 << 20:
            raise self.error(f"{value} does not fit: the upper 20 bits are a number from 0 to 1048575", tree)
        return ((value ^ 0x80000) - 0x80000) << 12

    def _part(self, place: Slot, insn: Insn, value: Op, tree: Node) -> int:
        """%hi(address) and its like: computed for a number, else a fixup and 0."""
        assert isinstance(value.left, str)
        assert not isinstance(value.right, str)
        upper, load, store = _PARTS.get(value.left, ("", "", ""))
        kind = upper if place.kind == "upper" else store if insn.match & 0x7F == _STORE else load
        if not kind:
            raise self.error(f"`{value.left}` does not go with this operand of `{insn.name}`", tree)
        argument = self.asm.constant_or_value(value.right)
        if type(argument) is int and value.left == "%hi":
            return (argument + 0x800) >> 12 & 0xFFFFF
        if type(argument) is int and value.left == "%lo":
            return ((argument & 0xFFF) ^ 0x800) - 0x800
        self.asm.fix(kind, value.right, relax=kind not in _NOT_RELAXED)
        return 0

    def _fence(self, operand: Node) -> int:
        """The set of accesses in `rw` or `iorw`, in this order. Only expansions give a number here."""
        tree = operand[1]
        if tree[0] == "int":
            return int(tree[1])
        text = self.parsed.texts[tree[1]] if tree[0] == "name" else ""
        if not text or [letter for letter in _FENCE if letter in text] != list(text):
            raise self.error("expected a set of accesses: letters of `iorw` in this order", operand)
        return sum(8 >> _FENCE.index(letter) for letter in text)

    def _encode(self, insn: Insn, values: dict[str, int], places: tuple[Slot, ...], operands: list[Node]) -> int:
        try:
            return insn.encode(**values)
        except EncodeError as problem:
            which = next(n for n, place in enumerate(places) if problem.field in (place.field, place.base))
            hint = f"`{insn.name}` takes {problem.low} to {problem.high} here"
            if problem.multiple > 1:
                hint += f", in multiples of {problem.multiple}"
            if insn.name == "addi":
                hint += "; `li` loads any number"
            raise self.error(f"{problem.value} does not fit", operands[which], hint) from None

    def _constant_hint(self, value: Value) -> str:
        if isinstance(value, Op) and value.op == "sub":
            return "a difference of labels must be given a name first: `.equ length, end - start`"
        if isinstance(value, Op):
            return ""
        name = getattr(value, "name", "")
        if name[:1] == "$":
            return "numbers are written without `$`, registers without `$` or `%`"
        values = (symbol.name for symbol in self.asm.symbols.values() if type(symbol.value) is int)
        near = did_you_mean(name, (*X_NUMBERS, *CSR_NUMBERS, *values))
        return near or f"`{name}` is no register, and no `.equ` above gives it a value"

    def _mismatch(self, mnemonic: str, operands: list[Node], insn: Insn | None) -> StatementError:
        """The error for a name that is unknown or operands that no form of it has."""
        texts, start = self.parsed.texts, self.parsed.start
        word = texts[0]
        forms = ([insn.syntax] if insn else []) + pseudo.signatures(mnemonic)
        if not forms:
            hint = did_you_mean(mnemonic, (*TABLE, *pseudo.names()))
            return StatementError(f"unknown instruction `{word}`", start, len(word), hint)
        hint = "it is written " + " or ".join(f"`{mnemonic} {form}`".replace(" `", "`") for form in forms)
        for operand in operands:
            if operand[0] == "words":
                return self.error("expected `,` between operands", operand, hint)
        wrong = self._wrong_operand(mnemonic, operands, insn)
        if wrong is not None:
            place, operand = wrong
            near = ""
            if place.kind == "reg" and operand[0] == "value" and operand[1][0] == "name":
                near = did_you_mean(texts[operand[1][1]], X_NUMBERS)
            return self.error(f"expected {_said(place)}", operand, near or hint)
        counts = {len(form.split(",")) if form else 0 for form in forms}
        if len(operands) not in counts:
            number = f"{len(operands)} operand{'s' * (len(operands) != 1)}" if operands else "no operands"
            return StatementError(f"`{mnemonic}` with {number}", start, len(word), hint)
        return StatementError(f"`{mnemonic}` does not take these operands", start, len(word), hint)

    def _wrong_operand(self, mnemonic: str, operands: list[Node], insn: Insn | None) -> tuple[Slot, Node] | None:
        """The first operand that is of the wrong kind, if there is only one form with as many operands."""
        forms = [slots(insn)] if insn else []
        for form in pseudo.forms().get(mnemonic, ()):
            forms.append(tuple(Slot(kind, name) for kind, name in zip(form.kinds, form.operands, strict=True)))
        forms = [form for form in forms if len(form) == len(operands)]
        if len(forms) == 1:
            for place, operand in zip(forms[0], operands, strict=True):
                if not fits(place.kind, operand, self.parsed.texts):
                    return place, operand
        return None


def _said(place: Slot) -> str:
    """What belongs into a place, in words."""
    if place.kind == "reg":
        return f"a register ({place.field})"
    if place.kind == "memory":
        return f"an address: {place.field}({place.base}), as in `8(sp)`" if place.base else "an address, as in `8(sp)`"
    return f"an address in a register: ({place.base})" if place.kind == "base" else f"a value ({place.field})"
