"""M: multiplication and division (Unprivileged, chapter "M")."""

from __future__ import annotations

from collections.abc import Callable

from vm.isa.expr import Value, const
from vm.isa.spec import Trace, insn

Binary = Callable[[Trace, Value, Value], Value]


def _op(name: str, funct3: str, words: str, compute: Binary, source: str = "Unprivileged 12.1") -> None:
    def define(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1"), s.x("rs2")))

    define.__doc__ = f"rd = {words}."
    insn(name, f"0000001 rs2 rs1 {funct3} rd 0110011", "rd, rs1, rs2", source)(define)


def _op_word(name: str, funct3: str, words: str, compute: Binary, source: str = "Unprivileged 12.1") -> None:
    def define(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1").trunc(32), s.x("rs2").trunc(32)).sext(64))

    define.__doc__ = f"rd = {words}, of the low 32 bits, sign-extended."
    insn(name, f"0000001 rs2 rs1 {funct3} rd 0111011", "rd, rs1, rs2", source)(define)


def _high(a: Value, b: Value) -> Value:
    return (a * b).shr(64).trunc(64)


def _quotient(s: Trace, a: Value, b: Value, divided: Value) -> Value:
    """Division by zero gives all ones (Unprivileged 12.2, Table 11); overflow wraps in `divided`."""
    return s.select(b == 0, const(-1, a.width), divided)


_op("mul", "000", "the low 64 bits of rs1 * rs2", lambda s, a, b: a * b)
_op("mulh", "001", "the high 64 bits of rs1 * rs2, signed", lambda s, a, b: _high(a.sext(128), b.sext(128)))
_op(
    "mulhsu",
    "010",
    "the high 64 bits of rs1 (signed) * rs2 (unsigned)",
    lambda s, a, b: _high(a.sext(128), b.zext(128)),
)
_op("mulhu", "011", "the high 64 bits of rs1 * rs2, unsigned", lambda s, a, b: _high(a.zext(128), b.zext(128)))
_DIV, _DIVU = "rs1 / rs2, signed, towards zero; -1 if rs2 is 0", "rs1 / rs2, unsigned; all ones if rs2 is 0"
_REM, _REMU = (
    "the remainder of rs1 / rs2, signed; rs1 if rs2 is 0",
    "the remainder of rs1 / rs2, unsigned; rs1 if rs2 is 0",
)
for _define, _suffix in ((_op, ""), (_op_word, "w")):
    _define("div" + _suffix, "100", _DIV, lambda s, a, b: _quotient(s, a, b, a.divs(b)), "Unprivileged 12.2")
    _define("divu" + _suffix, "101", _DIVU, lambda s, a, b: _quotient(s, a, b, a.divu(b)), "Unprivileged 12.2")
    _define("rem" + _suffix, "110", _REM, lambda s, a, b: a.rems(b), "Unprivileged 12.2")
    _define("remu" + _suffix, "111", _REMU, lambda s, a, b: a.remu(b), "Unprivileged 12.2")
_op_word("mulw", "000", "the low 32 bits of rs1 * rs2", lambda s, a, b: a * b)
