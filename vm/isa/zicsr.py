"""Zicsr: access to control and status registers (Unprivileged, chapter "Zicsr")."""

from __future__ import annotations

from collections.abc import Callable

from vm.isa.expr import Value
from vm.isa.spec import Trace, insn

New = Callable[[Value, Value], Value]


def _csr(name: str, funct3: str, words: str, operand: str, new: New, swap: bool) -> None:
    """A read and write of a CSR. csrrw does not read with rd = x0; the others do not write with operand 0."""

    def define(s: Trace) -> None:
        old = s.csr(unless_zero="rd" if swap else None)
        given = s.x("rs1") if operand == "rs1" else s.imm("zimm")
        s.write_csr(new(old, given), unless_zero=None if swap else operand)
        s.set_x("rd", old)

    define.__doc__ = f"rd = csr; csr = {words.format(b=operand)}."
    insn(name, f"csr {operand} {funct3} rd 1110011", f"rd, csr, {operand}", "Unprivileged 7.1")(define)


for _name, _low, _words, _new in (
    ("csrrw", "01", "{b}", lambda old, given: given),
    ("csrrs", "10", "csr or {b}, bit by bit", lambda old, given: old | given),
    ("csrrc", "11", "csr and not {b}, bit by bit", lambda old, given: old & ~given),
):
    _csr(_name, "0" + _low, _words, "rs1", _new, _name == "csrrw")
    _csr(_name + "i", "1" + _low, _words, "zimm", _new, _name == "csrrw")
