"""A source with every instruction of the definitions in every form of its operands, and every pseudo-instruction.

Made from vm.isa and asm.pseudo, so that what is added there is compared with GNU as from its first day.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from asm import pseudo
from asm.operands import Slot, slots
from vm.isa import TABLE, Insn
from vm.isa.registers import X_NAMES

_NUMERIC = [f"x{number}" for number in range(32)]
_PLACES = ("before", "after", "1b", "2f", "outside", "before+8", "after-4", "weak")
_IMMEDIATES = ("0", "1", "-1", "2047", "-2048", "five", "five*2+1", "'a'", "0x7f", "%lo(value)", "%lo(0x12345)")
_LOW_PARTS = ("%lo(outside+4)", "%lo(outside-4)", "%lo(value+0x1804)", "%lo(weak+0xfff)", "%tprel_lo(thread+4)")
_HIGH_PARTS = ("%hi(outside+0x1804)", "%hi(value-0x1804)", "%hi(weak+0x80000800)", "%tprel_hi(thread+0x1804)")
_CSRS = ("cycle", "time", "instret", "0xc00", "0x300", "4095", "five")
_SETS = ("rw", "iorw", "r", "w", "io", "ir", "orw")


def registers() -> Iterator[str]:
    """All names of registers, for ever."""
    return cycle([*X_NAMES, *_NUMERIC, "fp"])


def _choices(place: Slot, insn: Insn, names: Iterator[str]) -> list[str]:
    """What can stand in one place of an instruction."""
    if place.kind == "reg":
        return [next(names) for _ in range(8)]
    if place.kind == "base":
        return [f"({next(names)})" for _ in range(4)] + ["0(a0)"]
    if place.kind == "memory":
        return [f"{value}({next(names)})" for value in _IMMEDIATES + _LOW_PARTS] + [f"({next(names)})"]
    if place.kind == "imm":
        return [*_IMMEDIATES, *_LOW_PARTS]
    if place.kind == "pcrel":
        return list(_PLACES)
    if place.kind == "csr":
        return list(_CSRS)
    if place.kind == "fence":
        return list(_SETS)
    if place.kind == "upper":
        numbers = ("0", "1", "0xfffff", "five", "%hi(0x12345fff)")
        return [*numbers, "%hi(value)", "%pcrel_hi(value)", "%hi(outside+4)", *_HIGH_PARTS]
    low, high, _ = insn.fields[place.field].bounds()
    return [str(value) for value in (low, low + 1, high - 1, high)] + ["five"]


def _lines(name: str, choices: list[list[str]]) -> Iterator[str]:
    """Each choice of each place at least once."""
    if not choices:
        yield f"    {name}"
        return
    for turn in range(max(len(options) for options in choices)):
        yield f"    {name} " + ", ".join(options[turn % len(options)] for options in choices)


def instructions() -> Iterator[str]:
    """Every instruction, the ordering suffixes of atomics included."""
    names = registers()
    for name, insn in TABLE.items():
        for suffix in ("", ".aq", ".rl", ".aqrl") if "aq" in insn.fields else ("",):
            yield from _lines(name + suffix, [_choices(place, insn, names) for place in slots(insn)])


def _pseudo_choices(operand: str, mnemonic: str, names: Iterator[str]) -> list[str]:
    if operand.startswith("%"):
        return ["%tprel_add(thread)"]
    if operand.endswith(")"):
        return [f"{value}({next(names)})" for value in ("0", "-4", "five")]
    if operand.startswith("r"):
        return [next(names) for _ in range(4)]
    if operand in ("offset", "symbol"):
        return ["thread"] if ".tls" in mnemonic else ["before", "outside", "value+4" if operand == "symbol" else "1b"]
    if operand == "csr":
        return list(_CSRS)
    return ["0", "1", "31", "five"]


def pseudo_instructions() -> Iterator[str]:
    """Every form of every pseudo-instruction. GNU as 2.40 does not know `lga` (it is in the manual)."""
    names = registers()
    for mnemonic, forms in pseudo.forms().items():
        for form in forms:
            if mnemonic != "lga":
                yield from _lines(mnemonic, [_pseudo_choices(name, mnemonic, names) for name in form.operands])


HEAD = """
    .equ five, 5
    .weak weak
    .text
before:
1:
"""
TAIL = """
2:
    .data
value: .word 1, 2
    .section .tdata, "awT", @progbits
thread: .word 1
"""


def corpus() -> str:
    """The whole source. Numeric labels are set anew often enough that every branch can reach them."""
    body: list[str] = []
    for line in (*instructions(), *pseudo_instructions()):
        if len(body) % 100 == 99:
            body += ["1:", "2:"]
        body.append(line)
    return HEAD + "\n".join(body) + "\nafter:\nweak:\n" + TAIL
