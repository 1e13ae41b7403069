"""@insn: an instruction written once, beside its encoding as the manual prints it.

The pattern is read from bit 31 down, as in the manual's tables: `imm[11:0] rs1 010 rd 0000011`. Encoder,
decoder, operand syntax, documentation and both engines are derived from the one definition. An encoding that
leaves a bit unsaid or overlaps another is refused here, when the module is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vm.isa.checks import REGISTERS, check_encoding, check_meaning, check_name
from vm.isa.expr import (
    NO_RESERVATION,
    DefinitionError,
    Effect,
    Jump,
    Let,
    Raise,
    Reserve,
    SetX,
    Store,
    Value,
    WriteCsr,
    const,
)

XLEN = 64
#: Bits of a field that a pattern names without brackets.
FIELD_BITS = {
    "rd": 5,
    "rs1": 5,
    "rs2": 5,
    "csr": 12,
    "zimm": 5,
    "aq": 1,
    "rl": 1,
    "fm": 4,
    "pred": 4,
    "succ": 4,
}
#: What an operand of the syntax is; anything else there is punctuation.
OPERANDS = {
    "rd": ("rd", "xreg"),
    "rs1": ("rs1", "xreg"),
    "rs2": ("rs2", "xreg"),
    "imm": ("imm", "imm"),
    "pc+imm": ("imm", "pcrel"),
    "imm[31:12]": ("imm", "upper"),
    "shamt": ("shamt", "shamt"),
    "csr": ("csr", "csr"),
    "zimm": ("zimm", "uimm"),
    "pred": ("pred", "pred"),
    "succ": ("succ", "succ"),
}


class EncodeError(ValueError):
    """A field's value that the encoding has no room for: `low`..`high`, a multiple of `multiple`."""

    def __init__(self, field: str, value: int, low: int, high: int, multiple: int) -> None:
        self.field, self.value, self.low, self.high, self.multiple = field, value, low, high, multiple
        step = f", a multiple of {multiple}" if multiple > 1 else ""
        super().__init__(f"{field} is {value}, but must be {low} to {high}{step}")


class Slice(NamedTuple):
    """`width` bits of a field: from bit `value_low` of its value, at bit `insn_low` of the instruction."""

    insn_low: int
    width: int
    value_low: int


class Field:
    """A field of an encoding: its slices, its value's width in bits, and how many low bits are not encoded.

    `whole` is the mask of a field that is one slice, as most are, and 0 of others.
    """

    __slots__ = ("at", "bits", "low", "signed", "slices", "whole")

    def __init__(self, slices: tuple[Slice, ...], signed: bool) -> None:
        self.slices, self.signed = slices, signed
        self.bits = max(s.value_low + s.width for s in slices)
        self.low = min(s.value_low for s in slices)
        self.at, self.whole = slices[0].insn_low, 0 if len(slices) > 1 else (1 << slices[0].width) - 1

    def bounds(self) -> tuple[int, int, int]:
        """The least and greatest value, and what a value must be a multiple of."""
        multiple = 1 << self.low
        half = 1 << self.bits - 1
        return (-half, half - multiple, multiple) if self.signed else (0, 2 * half - multiple, multiple)

    def insert(self, value: int) -> int:
        """The instruction's bits for `value`, which must be within bounds."""
        word = 0
        for insn_low, width, value_low in self.slices:
            word |= (value >> value_low & (1 << width) - 1) << insn_low
        return word

    def extract(self, word: int) -> int:
        """The value that the instruction `word` holds, sign-extended if the field is signed (a hot path)."""
        if self.whole:
            value = (word >> self.at & self.whole) << self.low
        else:
            value = 0
            for insn_low, width, value_low in self.slices:
                value |= (word >> insn_low & (1 << width) - 1) << value_low
        return value - (1 << self.bits) if self.signed and value >> self.bits - 1 else value


class Operand(NamedTuple):
    """An operand of the syntax: the field it fills, and its kind (see OPERANDS)."""

    field: str
    kind: str


class Insn:
    """One instruction: its name, encoding, syntax, meaning and source. Built by @insn only."""

    __slots__ = (
        "doc",
        "effects",
        "fields",
        "length",
        "mask",
        "match",
        "module",
        "name",
        "operands",
        "pattern",
        "source",
        "syntax",
    )

    def __init__(self, name: str, pattern: str, syntax: str, source: str, define: Definition) -> None:
        self.name, self.pattern, self.syntax, self.source = name, pattern, syntax, source
        self.doc = (define.__doc__ or "").strip()
        self.module = define.__module__
        check_name(self)
        self.mask, self.match, self.fields, self.length = _parse_pattern(name, pattern)
        check_encoding(self)
        self.operands = _parse_syntax(name, syntax, self.fields)
        self.effects = _trace(self, define)

    def __repr__(self) -> str:
        return f"<Insn {self.name}>"

    def encode(self, **values: int) -> int:
        """The instruction word; fields not named are 0. Raises EncodeError for a value without room."""
        word = self.match
        for name, value in values.items():
            field = self.fields[name]
            low, high, multiple = field.bounds()
            if not low <= value <= high or value % multiple:
                raise EncodeError(name, value, low, high, multiple)
            word |= field.insert(value)
        return word

    def decode(self, word: int) -> dict[str, int]:
        """The fields of a word that this instruction matches."""
        return {name: field.extract(word) for name, field in self.fields.items()}


class Trace:
    """What a definition is called with: it reads operands from here and says its effects here."""

    def __init__(self, fields: dict[str, Field], length: int) -> None:
        self.effects: list[Effect] = []
        self._fields, self._temps = fields, 0
        self.pc = Value("pc", XLEN)
        self.next_pc = self.pc + length
        self.reservation = Value("reservation", XLEN)

    def x(self, field: str) -> Value:
        """The integer register that `field` names, as it was before this instruction."""
        return Value("xreg", XLEN, (), self._register(field))

    def imm(self, field: str = "imm") -> Value:
        """The immediate field, extended to 64 bits as its encoding says."""
        if field in REGISTERS:
            raise DefinitionError(f"{field} is a register: write s.x({field!r})")
        return Value("field", XLEN, (), self._known(field))

    def load(self, address: Value, width: int, access: str = "load") -> Value:
        """`width` bits of memory. access: "load", "lr" or "amo" (both naturally aligned; "amo" faults as a store)."""
        return self._let(Value("load", width, (address,), access))

    def csr(self, unless_zero: str | None = None) -> Value:
        """The CSR that field csr names; with `unless_zero`, not read where that field is 0."""
        self._known("csr")
        return self._let(Value("csr", XLEN, (), unless_zero))

    def write_csr(self, value: Value, unless_zero: str | None = None) -> None:
        """Write the CSR that field csr names, unless field `unless_zero` is 0."""
        self.effects.append(WriteCsr(self._wide(value), unless_zero))

    def store(self, address: Value, value: Value, access: str = "store", when: Value | None = None) -> None:
        """Write value's bits to memory, if `when`. access "amo" must be naturally aligned, whatever `when` says."""
        self.effects.append(Store(address, value, access, when))

    def set_x(self, field: str, value: Value) -> None:
        """Write the 64-bit value to the integer register that `field` names."""
        self.effects.append(SetX(self._register(field), self._wide(value)))

    def branch(self, condition: Value, target: Value) -> None:
        """Go on at `target` if the one-bit condition holds."""
        self.effects.append(Jump(self._wide(target), self._bit(condition)))

    def jump(self, target: Value) -> None:
        """Go on at `target`."""
        self.effects.append(Jump(self._wide(target), None))

    def reserve(self, address: Value | None) -> None:
        """Reserve the address for a later sc, or drop the reservation."""
        self.effects.append(Reserve(const(NO_RESERVATION, XLEN) if address is None else address))

    def trap(self, cause: int) -> None:
        """Raise an exception: the instruction does nothing else."""
        self.effects.append(Raise(cause))

    def select(self, condition: Value, then: Value, otherwise: Value) -> Value:
        """then if the one-bit condition holds, else otherwise. Both are computed."""
        if then.width != otherwise.width:
            raise DefinitionError(f"select: {then.width}-bit and {otherwise.width}-bit values")
        return Value("select", then.width, (self._bit(condition), then, otherwise))

    def finish(self) -> tuple[Effect, ...]:
        """The effects; a value that reads a register after one was written is computed before the write."""
        early: list[Effect] = []
        late: list[Effect] = []
        for effect in self.effects:
            if late and isinstance(effect, Jump) and _reads_register(effect.target):
                early.append(Let(self._temps, effect.target))
                effect = Jump(Value("temp", XLEN, (), self._temps), effect.when)
                self._temps += 1
            elif late and any(_reads_register(v) for v in effect if isinstance(v, Value)):
                raise DefinitionError("a register is read after one was written: write set_x last")
            (late if late or isinstance(effect, SetX) else early).append(effect)
        return (*early, *late)

    def _let(self, value: Value) -> Value:
        temp = Value("temp", value.width, (), self._temps)
        self.effects.append(Let(self._temps, value))
        self._temps += 1
        return temp

    def _known(self, field: str) -> str:
        if field not in self._fields:
            raise DefinitionError(f"the pattern has no field {field!r}; it has {', '.join(self._fields)}")
        return field

    def _register(self, field: str) -> str:
        if self._known(field) not in REGISTERS:
            raise DefinitionError(f"{field} is no register: write s.imm({field!r}) for its value")
        return field

    def _wide(self, value: Value) -> Value:
        if not isinstance(value, Value):
            raise DefinitionError(f"{value!r} is no value: write const({value!r}, 64)")
        if value.width != XLEN:
            raise DefinitionError(f"{value!r} is {value.width} bits, but 64 are needed: use zext or sext")
        return value

    def _bit(self, value: Value) -> Value:
        if value.width != 1:
            raise DefinitionError(f"{value!r} is {value.width} bits; a condition has 1: compare it with something")
        return value


Definition = Callable[[Trace], object]

TABLE: dict[str, Insn] = {}
_BY_OPCODE: dict[int, list[Insn]] = {}


def insn(
    name: str, pattern: str, syntax: str, source: str, within: str | None = None
) -> Callable[[Definition], Definition]:
    """Register an instruction. `within` names the one instruction whose encoding space this one lies in."""

    def register(define: Definition) -> Definition:
        new = Insn(name, pattern, syntax, source, define)
        if name in TABLE:
            raise DefinitionError(f"{name} is defined already, at {TABLE[name].source}: choose another name")
        same_opcode = _BY_OPCODE.setdefault(new.match & 0x7F, [])
        for other in same_opcode:
            if (new.match ^ other.match) & new.mask & other.mask == 0 and other.name != within:
                raise DefinitionError(
                    f"{name} overlaps {other.name}: {pattern} and {other.pattern}; correct one of them, "
                    f"or say within={other.name!r} if {name} is a special case of it"
                )
        same_opcode.insert(0 if within else len(same_opcode), new)
        TABLE[name] = new
        return define

    return register


def decode(word: int) -> tuple[Insn, dict[str, int]] | None:
    """The instruction that a 32-bit word is, and its fields; None if it is none."""
    for candidate in _BY_OPCODE.get(word & 0x7F, ()):
        if word & candidate.mask == candidate.match:
            return candidate, candidate.decode(word)
    return None


def lookup(mnemonic: str) -> tuple[Insn, dict[str, int]] | None:
    """The instruction of a mnemonic, and the fields that its suffix presets (.aq, .rl, .aqrl); None if unknown."""
    found = TABLE.get(mnemonic)
    if found is not None:
        return found, {"aq": 0, "rl": 0} if "aq" in found.fields else {}
    stem, _, suffix = mnemonic.rpartition(".")
    found = TABLE.get(stem)
    if found is None or "aq" not in found.fields or suffix not in ("aq", "rl", "aqrl"):
        return None
    return found, {"aq": int("aq" in suffix), "rl": int("rl" in suffix)}


def _parse_pattern(name: str, pattern: str) -> tuple[int, int, dict[str, Field], int]:
    """mask, match, fields and length in bytes of a pattern read from its highest bit down."""
    tokens = [parse_token(name, token) for token in pattern.split()]
    length = sum(width for width, *_ in tokens)
    if length not in (16, 32):
        raise DefinitionError(f"{name}: the pattern covers {length} bits; an instruction has 16 or 32")
    mask = match = 0
    bit = length
    slices: dict[str, list[Slice]] = {}
    for width, bits, field, ranges in tokens:
        if bits is not None:
            mask |= (1 << width) - 1 << bit - width
            match |= bits << bit - width
        for high, low in ranges:
            bit -= high - low + 1
            slices.setdefault(field, []).append(Slice(bit, high - low + 1, low))
        bit -= width if bits is not None else 0
    fields = {field: Field(tuple(parts), field == "imm") for field, parts in slices.items()}
    return mask, match, fields, length // 8


def parse_token(name: str, token: str) -> tuple[int, int | None, str, list[tuple[int, int]]]:
    """(width, constant bits or None, field, [(high, low)…]) of one token of a pattern."""
    if not token.strip("01"):
        return len(token), int(token, 2), "", []
    field, bracket, inside = token.partition("[")
    if not bracket and field not in FIELD_BITS:
        raise DefinitionError(f"{name}: how many bits has {field!r}? Write {field}[high:low]")
    text = inside.rstrip("]") if bracket else f"{FIELD_BITS[field] - 1}:0"
    ranges = []
    for part in text.split("|"):
        high, _, low = part.partition(":")
        if not high.isdecimal() or not (low or high).isdecimal() or int(low or high) > int(high):
            raise DefinitionError(f"{name}: {token!r} is no field: write {field}[high:low], with the higher bit first")
        ranges.append((int(high), int(low or high)))
    return sum(high - low + 1 for high, low in ranges), None, field, ranges


def _parse_syntax(name: str, syntax: str, fields: dict[str, Field]) -> tuple[Operand, ...]:
    """The operands of a syntax such as "rd, imm(rs1)", in order."""
    operands = []
    for word in syntax.replace("(", " ").replace(")", " ").replace(",", " ").split():
        if word not in OPERANDS or OPERANDS[word][0] not in fields:
            raise DefinitionError(f"{name}: operand {word!r} of the syntax is no field of the pattern")
        operands.append(Operand(*OPERANDS[word]))
    return tuple(operands)


def _trace(new: Insn, define: Definition) -> tuple[Effect, ...]:
    trace = Trace(new.fields, new.length)
    try:
        if define(trace) is not None:
            raise DefinitionError("it returns a value: say what becomes of it, like s.set_x('rd', value)")
        effects = trace.finish()
        check_meaning(effects, new.fields)
        return effects
    except DefinitionError as error:
        raise DefinitionError(f"{new.name}: {error}") from None


def _reads_register(value: Value) -> bool:
    return value.op == "xreg" or any(_reads_register(arg) for arg in value.args)
