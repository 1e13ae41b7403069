"""An instruction as text, as `objdump -M no-aliases` prints it; derived from the definitions' syntax."""

from __future__ import annotations

from collections.abc import Callable

from vm.isa import Insn, decode
from vm.isa.registers import CSR_NAMES, X_NAMES
from vm.isa.spec import EncodeError, Operand

_MASK = (1 << 64) - 1
_FENCE_SETS = "iorw"

#: Gives the name of an address, such as "loop" or "main+0x10", or None.
Symbol = Callable[[int], "str | None"]


def text(word: int, pc: int, symbol: Symbol | None = None) -> str:
    """The instruction `word` at `pc`: mnemonic, tab, operands; `.4byte 0x…` if it is none.

    A word that runs but has no way to be written (a fence with reserved bits set) is shown as `.4byte` too: what
    is shown always assembles to the same word.
    """
    found = decode(word)
    if found is None or not _writable(word, *found):
        return f".4byte\t{word:#x}"
    insn, fields = found
    name = insn.name + _suffix(fields)
    shown = insn.syntax.replace(" ", "")
    for operand in insn.operands:
        shown = _substitute(shown, operand, _operand(operand, fields, pc, symbol))
    return f"{name}\t{shown}" if shown else name


def _writable(word: int, insn: Insn, fields: dict[str, int]) -> bool:
    """Whether the operands that the syntax shows say the whole word."""
    shown = {operand.field for operand in insn.operands} | {"aq", "rl"}
    try:
        return insn.encode(**{name: value for name, value in fields.items() if name in shown}) == word
    except EncodeError:
        return False


def _suffix(fields: dict[str, int]) -> str:
    order = "aq" * fields.get("aq", 0) + "rl" * fields.get("rl", 0)
    return "." + order if order else ""


def _substitute(shown: str, operand: Operand, value: str) -> str:
    token = {"pcrel": "pc+imm", "upper": "imm[31:12]"}.get(operand.kind, operand.field)
    start = shown.index(token)
    return shown[:start] + value + shown[start + len(token) :]


def _operand(operand: Operand, fields: dict[str, int], pc: int, symbol: Symbol | None) -> str:
    value = fields[operand.field]
    match operand.kind:
        case "xreg":
            return X_NAMES[value]
        case "shamt":
            return hex(value)
        case "upper":
            return hex(value >> 12 & 0xFFFFF)
        case "csr":
            return CSR_NAMES.get(value, hex(value))
        case "pred" | "succ":
            return "".join(_FENCE_SETS[bit] for bit in range(4) if value & 8 >> bit) or "unknown"
        case "pcrel":
            return _target(pc + value & _MASK, symbol)
        case _:
            return str(value)


def _target(address: int, symbol: Symbol | None) -> str:
    name = symbol(address) if symbol else None
    return f"{address:x} <{name}>" if name else f"{address:#x}"
