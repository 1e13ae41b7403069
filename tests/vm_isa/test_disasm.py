"""The disassembler's text says the whole word: read back, operand by operand, it encodes the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.vm_isa.test_encoding import words
from vm.disasm import text
from vm.isa import lookup
from vm.isa.registers import CSR_NUMBERS, X_NUMBERS
from vm.isa.spec import Operand

MASK = (1 << 64) - 1


def read(shown: str, pc: int) -> int:
    """The word of a line of disassembly."""
    mnemonic, _, operands = shown.partition("\t")
    if mnemonic == ".4byte":
        return int(operands, 0)
    found = lookup(mnemonic)
    assert found is not None, shown
    insn, fields = found
    given_operands = operands.replace("(", ",").replace(")", "").replace(",,", ",").lstrip(",")
    values = given_operands.split(",") if given_operands else []
    for operand, value in zip(insn.operands, values, strict=True):
        fields[operand.field] = _value(operand, value, pc)
    return insn.encode(**fields)


def _value(operand: Operand, shown: str, pc: int) -> int:
    match operand.kind:
        case "xreg":
            return X_NUMBERS[shown]
        case "csr":
            return CSR_NUMBERS[shown] if shown in CSR_NUMBERS else int(shown, 0)
        case "upper":
            return _signed(int(shown, 0) << 12, 32)
        case "pcrel":
            return _signed(int(shown, 0) - pc & MASK, 64)
        case "pred" | "succ":
            return 0 if shown == "unknown" else sum(8 >> "iorw".index(letter) for letter in shown)
        case _:
            return int(shown, 0)


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> width - 1 else value


@given(words, st.integers(0, (1 << 62) - 1).map(lambda n: 4 * n))
def test_what_is_shown_encodes_the_same_word(word: int, pc: int) -> None:
    assert read(text(word, pc), pc) == word


def test_targets_are_shown_with_their_symbols() -> None:
    shown = text(0x0000056F, 0x1000, {0x1000: "loop"}.get)
    assert shown == "jal\ta0,1000 <loop>"
