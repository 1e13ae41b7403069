"""How an instruction's operands are written, and what may stand in each place: read off the definitions' syntax.

A Slot is one place between commas. "imm(rs1)" is one slot that fills two fields.
"""

from __future__ import annotations

from typing import NamedTuple

from asm.parse import Node
from vm.isa import Insn
from vm.isa.registers import X_NUMBERS


class Slot(NamedTuple):
    """kind: reg, imm, uimm, shamt, upper, pcrel, csr, fence (pred or succ), memory (field and base) or base
    ("(rs1)").
    """

    kind: str
    field: str
    base: str = ""


_KINDS = {"xreg": "reg", "pred": "fence", "succ": "fence"}
_slots: dict[str, tuple[Slot, ...]] = {}


def slots(insn: Insn) -> tuple[Slot, ...]:
    """The places of an instruction's operands, in order."""
    found = _slots.get(insn.name)
    if found is None:
        kinds = {operand.field: operand.kind for operand in insn.operands}
        found = _slots[insn.name] = tuple(_slot(part.strip(), kinds) for part in insn.syntax.split(",") if part.strip())
    return found


def _slot(text: str, kinds: dict[str, str]) -> Slot:
    if text.endswith(")"):
        offset, _, base = text[:-1].partition("(")
        return Slot("memory", offset, base) if offset else Slot("base", "", base)
    field = text.removeprefix("pc+").partition("[")[0]
    return Slot(_KINDS.get(kinds[field], kinds[field]), field)


def register(node: Node, texts: list[str]) -> int | None:
    """The number of the register that an operand is, or None."""
    if node[0] == "value":
        inner = node[1]
        if inner[0] == "name":
            return X_NUMBERS.get(texts[inner[1]])
        if inner[0] == "reg":
            return inner[1]  # type: ignore[no-any-return]
    return None


def memory(node: Node, texts: list[str]) -> tuple[Node, int] | None:
    """(offset's tree, base register) of `imm(rs1)` or `(rs1)`; None if the operand is no such thing."""
    if node[0] == "memory":
        base = register(("value", node[2]), texts)
        return None if base is None else (node[1], base)
    if node[0] == "value" and node[1][0] == "paren":
        base = register(("value", node[1][1]), texts)
        return None if base is None else (("int", 0), base)
    return None


def fits(slot_kind: str, node: Node, texts: list[str]) -> bool:
    """Whether an operand can stand in a slot, by its form only."""
    if slot_kind == "reg":
        return register(node, texts) is not None
    if slot_kind in ("memory", "base"):
        return memory(node, texts) is not None
    return bool(node[0] == "value")
