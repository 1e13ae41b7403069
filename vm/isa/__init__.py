"""The instruction set: one definition per instruction, from which all else is derived."""

from vm.isa import a, m, rv64i, zicsr, zifencei
from vm.isa.spec import TABLE, EncodeError, Field, Insn, Operand, decode, lookup

__all__ = ["TABLE", "EncodeError", "Field", "Insn", "Operand", "decode", "lookup"]

#: The modules of definitions, in the order of the manual: importing them fills TABLE.
EXTENSIONS = (rv64i, zifencei, zicsr, m, a)
