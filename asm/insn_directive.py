"""`.insn`: an instruction given by its format and fields, or as plain bits.

Source: GNU as manual, 9.38.4 RISC-V-Formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm.arguments import Arguments
from asm.instructions import Code
from asm.layout import Branch
from asm.operands import memory, register
from asm.parse import Parsed, parse

if TYPE_CHECKING:
    from asm.assemble import Assembler

# The major opcodes, bits 6:2, in the order of their table (Unprivileged, "RISC-V base opcode map").
_MAJOR = """
    LOAD   LOAD_FP  CUSTOM_0 MISC_MEM OP_IMM AUIPC OP_IMM_32 -
    STORE  STORE_FP CUSTOM_1 AMO      OP     LUI   OP_32     -
    MADD   MSUB     NMSUB    NMADD    OP_FP  -     CUSTOM_2  -
    BRANCH JALR     -        JAL      SYSTEM -     CUSTOM_3  -
"""
_OPCODES = {name: number << 2 | 3 for number, name in enumerate(_MAJOR.split()) if name != "-"}

#: The operands of each format, in order.
_FORMATS: dict[str, tuple[tuple[str, ...], ...]] = {
    "r": (
        ("opcode", "funct3", "funct7", "rd", "rs1", "rs2"),
        ("opcode", "funct3", "funct2", "rd", "rs1", "rs2", "rs3"),
    ),
    "r4": (("opcode", "funct3", "funct2", "rd", "rs1", "rs2", "rs3"),),
    "i": (("opcode", "funct3", "rd", "rs1", "imm"), ("opcode", "funct3", "rd", "imm(rs1)")),
    "s": (("opcode", "funct3", "rs2", "store(rs1)"),),
    "sb": (("opcode", "funct3", "rs1", "rs2", "branch"),),
    "b": (("opcode", "funct3", "rs1", "rs2", "branch"),),
    "u": (("opcode", "rd", "upper"),),
    "uj": (("opcode", "rd", "jump"),),
    "j": (("opcode", "rd", "jump"),),
}

#: Where the plain fields lie: lowest bit and width.
_FIELDS = {"opcode": (0, 7), "funct3": (12, 3), "funct7": (25, 7), "funct2": (25, 2)}
_REGISTERS = {"rd": 7, "rs1": 15, "rs2": 20, "rs3": 27}


def run(asm: Assembler, args: Arguments) -> None:
    """Carries out one .insn. Raises StatementError."""
    asm.row()
    parsed = args.parsed
    format = parsed.texts[1] if len(parsed.texts) > 1 else ""
    if format.lower() in _FORMATS:
        at = parsed.text.index(format, parsed.start + len(parsed.texts[0]))
        _Encoder(asm, parse(parsed.text, at)).encode(_FORMATS[format.lower()])
    else:
        _raw(asm, args)


def _raw(asm: Assembler, args: Arguments) -> None:
    """`.insn value` or `.insn length, value`: the length must be what the low bits say (Unprivileged, 1.5)."""
    args.limit(1, 2, "format, operands (or: .insn length, value)")
    value = args.number(len(args) - 1)
    length = 2 if value & 3 != 3 else 4
    if value & 31 == 31 or value < 0 or value >> 8 * length:
        raise args.error("this is no instruction of 16 or 32 bits", args.nodes[-1])
    if len(args) == 2 and args.number(0) != length:
        raise args.error(f"the lowest bits say that this instruction has {length} bytes", args.nodes[0])
    asm.emit(value.to_bytes(length, "little"))


class _Encoder:
    """Puts the operands of one .insn into a word."""

    def __init__(self, asm: Assembler, parsed: Parsed) -> None:
        self.asm = asm
        self.args = Arguments(asm, parsed)
        self.code = Code(asm, parsed)

    def encode(self, forms: tuple[tuple[str, ...], ...]) -> None:
        form = next((form for form in forms if len(form) == len(self.args)), None)
        if form is None:
            usage = " or ".join(f".insn {self.args.name} {', '.join(form)}" for form in forms)
            raise self.args.error("wrong number of operands", None, f"it is written `{usage}`")
        word = 0
        branch = None
        for index, name in enumerate(form):
            if name == "branch":
                branch = self.args.value(index)
            else:
                word |= self._operand(name, index)
        self.asm.emit(word.to_bytes(4, "little"))
        if branch is not None:
            asm = self.asm
            asm.section.points.append(Branch(asm.section, asm.statement, branch, asm.options.relax))

    def _operand(self, name: str, index: int) -> int:
        node = self.args.nodes[index]
        if name in _REGISTERS:
            number = register(node, self.args.parsed.texts)
            if number is None:
                raise self.args.error(f"expected a register ({name})", node)
            return number << _REGISTERS[name]
        if name in _FIELDS:
            return self._field(name, index)
        if name.endswith("(rs1)"):
            found = memory(node, self.args.parsed.texts)
            if found is None:
                raise self.args.error("expected an address, as in `8(sp)`", node)
            return self.code.part(name[:-5], found[0]) | found[1] << _REGISTERS["rs1"]
        if node[0] != "value":
            raise self.args.error(f"expected a value ({name})", node)
        if name == "jump":
            self.asm.fix("JAL", self.args.value(index))
            return 0
        return self.code.part(name, node[1])

    def _field(self, name: str, index: int) -> int:
        low, width = _FIELDS[name]
        node = self.args.nodes[index]
        known = None
        if name == "opcode" and node[0] == "value" and node[1][0] == "name":
            known = _OPCODES.get(self.args.parsed.texts[node[1][1]])
        value = self.args.number(index) if known is None else known
        if not 0 <= value < 1 << width:
            raise self.args.error(f"{value} does not fit: {name} has {width} bits", node)
        return value << low
