"""Typed symbolic values and effects: what an instruction's definition is made of.

A definition runs once, on values that have a width but no number; what it does is recorded as a short list
of effects. The engines render those effects; nothing else says what an instruction means.
"""

from __future__ import annotations

from typing import NamedTuple

#: Operators whose result has the width of both operands.
ARITHMETIC = ("add", "sub", "mul", "and", "or", "xor", "divu", "remu", "divs", "rems")
#: Operators that compare two operands of one width and give one bit.
COMPARISONS = ("eq", "ne", "ult", "slt")
#: Operators that shift by an amount of any width; the amount must be less than the width of the value.
SHIFTS = ("shl", "shr", "sar")


class DefinitionError(TypeError):
    """An instruction's definition that cannot mean anything; the message says what to write instead."""


class Value:
    """A node of an expression: an operator, a width in bits, operands, and an attribute for leaves.

    Leaves are ``const`` (attr: the number), ``field`` (an immediate of the instruction, sign-extended to 64
    bits), ``xreg`` (the register that a field names, as it was when the instruction began), ``pc``,
    ``reservation`` and ``temp`` (what an earlier ``Let`` of the same instruction gave).
    """

    __slots__ = ("args", "attr", "op", "width")

    def __init__(self, op: str, width: int, args: tuple[Value, ...] = (), attr: int | str | None = None) -> None:
        self.op, self.width, self.args, self.attr = op, width, args, attr

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.args)) if self.args else self.attr
        return f"{self.op}{self.width}({inside})"

    def __add__(self, other: Value | int) -> Value:
        return self._binary("add", other)

    def __sub__(self, other: Value | int) -> Value:
        return self._binary("sub", other)

    def __mul__(self, other: Value | int) -> Value:
        return self._binary("mul", other)

    def __and__(self, other: Value | int) -> Value:
        return self._binary("and", other)

    def __or__(self, other: Value | int) -> Value:
        return self._binary("or", other)

    def __xor__(self, other: Value | int) -> Value:
        return self._binary("xor", other)

    def __invert__(self) -> Value:
        return self._binary("xor", -1)

    def __eq__(self, other: object) -> Value:  # type: ignore[override]
        return self._compare("eq", other)

    def __ne__(self, other: object) -> Value:  # type: ignore[override]
        return self._compare("ne", other)

    __hash__ = object.__hash__

    def ult(self, other: Value | int) -> Value:
        """1 if self is less than other, both unsigned."""
        return self._compare("ult", other)

    def slt(self, other: Value | int) -> Value:
        """1 if self is less than other, both in two's complement."""
        return self._compare("slt", other)

    def divu(self, other: Value) -> Value:
        """The unsigned quotient; 0 where other is 0 (total, so that every engine may compute it early)."""
        return self._binary("divu", other)

    def remu(self, other: Value) -> Value:
        """The unsigned remainder; self where other is 0."""
        return self._binary("remu", other)

    def divs(self, other: Value) -> Value:
        """The signed quotient rounded towards zero, modulo 2**width; 0 where other is 0."""
        return self._binary("divs", other)

    def rems(self, other: Value) -> Value:
        """The signed remainder, with the sign of self; self where other is 0."""
        return self._binary("rems", other)

    def shl(self, amount: Value | int) -> Value:
        """Shift left; the definition keeps the amount below the width."""
        return Value("shl", self.width, (self, self._operand("shl", amount)))

    def shr(self, amount: Value | int) -> Value:
        """Shift right, filling with zeros."""
        return Value("shr", self.width, (self, self._operand("shr", amount)))

    def sar(self, amount: Value | int) -> Value:
        """Shift right, filling with the sign."""
        return Value("sar", self.width, (self, self._operand("sar", amount)))

    def trunc(self, width: int) -> Value:
        """The low bits."""
        return self._resize("trunc", width, width < self.width)

    def zext(self, width: int) -> Value:
        """Wider, with zeros above."""
        return self._resize("zext", width, width > self.width)

    def sext(self, width: int) -> Value:
        """Wider, with copies of the sign bit above."""
        return self._resize("sext", width, width > self.width)

    def __bool__(self) -> bool:
        raise DefinitionError(
            f"{self!r} has no truth while an instruction is being defined: write s.branch(condition, target) "
            "or s.select(condition, then, otherwise)"
        )

    def __lt__(self, other: object) -> Value:
        raise DefinitionError("signed or unsigned? write a.slt(b) or a.ult(b)")

    __gt__ = __le__ = __ge__ = __lt__

    def __lshift__(self, other: object) -> Value:
        raise DefinitionError("write a.shl(amount)")

    def __rshift__(self, other: object) -> Value:
        raise DefinitionError("with zeros or with the sign? write a.shr(amount) or a.sar(amount)")

    def __floordiv__(self, other: object) -> Value:
        raise DefinitionError("signed or unsigned? write a.divs(b) or a.divu(b)")

    __truediv__ = __floordiv__

    def __mod__(self, other: object) -> Value:
        raise DefinitionError("signed or unsigned? write a.rems(b) or a.remu(b)")

    def __neg__(self) -> Value:
        raise DefinitionError("write const(0, width) - a")

    def __radd__(self, other: object) -> Value:
        raise DefinitionError("write the value first and the number second, like a + 1; or const(1, width)")

    __rsub__ = __rmul__ = __rand__ = __ror__ = __rxor__ = __radd__

    def _operand(self, op: str, other: object) -> Value:
        if isinstance(other, int):
            return const(other, self.width)
        if not isinstance(other, Value):
            raise DefinitionError(f"{op}: {other!r} is neither a value nor an int")
        return other

    def _binary(self, op: str, other: object) -> Value:
        right = self._operand(op, other)
        if right.width != self.width:
            raise DefinitionError(
                f"{op}: {self.width}-bit and {right.width}-bit operands; say which one to trunc, zext or sext"
            )
        return Value(op, self.width, (self, right))

    def _compare(self, op: str, other: object) -> Value:
        same = self._binary(op, other)
        return Value(op, 1, same.args)

    def _resize(self, op: str, width: int, right_way: bool) -> Value:
        if width == self.width:
            return self
        if not right_way:
            raise DefinitionError(f"{op} to {width} bits of a {self.width}-bit value goes the wrong way")
        return Value(op, width, (self,))


def const(number: int, width: int) -> Value:
    """The constant `number` modulo 2**width."""
    return Value("const", width, (), number & (1 << width) - 1)


class Let(NamedTuple):
    """Name a value: a memory load (address in args[0]) or the read of a CSR. May fault."""

    temp: int
    value: Value


class Store(NamedTuple):
    """Write `value` (its width is the access's) to memory at `address`, if `when` is 1 or None. May fault."""

    address: Value
    value: Value
    access: str
    when: Value | None


class SetX(NamedTuple):
    """Write a 64-bit value to the integer register that field `field` names; x0 stays 0."""

    field: str
    value: Value


class Jump(NamedTuple):
    """Go on at `target` if `when` is 1 or None; a misaligned target faults at this instruction."""

    target: Value
    when: Value | None


class Reserve(NamedTuple):
    """Set the hart's reservation: an address, or NO_RESERVATION."""

    address: Value


class WriteCsr(NamedTuple):
    """Write a CSR, unless field `unless_zero` is 0."""

    value: Value
    unless_zero: str | None


class Raise(NamedTuple):
    """Trap with this cause; nothing of the instruction is done and it does not retire."""

    cause: int


Effect = Let | Store | SetX | Jump | Reserve | WriteCsr | Raise

#: The reservation register when nothing is reserved: no aligned address has this value.
NO_RESERVATION = (1 << 64) - 1
