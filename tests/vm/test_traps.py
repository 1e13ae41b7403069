"""What traps, with which cause and tval, and that a trapping instruction changes nothing."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, NOP, Board, i, registers_of
from vm.trap import Cause, Exit, Trap

pytestmark = pytest.mark.usefixtures("heat")


def trap_of(*code: int, before: int = 0, **registers: int) -> tuple[Exit, Board, dict[str, int]]:
    """Run code to its trap; the registers as they were before the instruction that trapped."""
    board = Board(list(code), registers={int(name[1:]): value for name, value in registers.items()})
    if before:
        board.run(before)
    kept = registers_of(board.hart)
    return board.run(), board, kept


@pytest.mark.parametrize(
    ("word", "registers"),
    [
        (i("jal", rd=1, imm=6), {}),
        (i("jal", rd=1, imm=-2), {}),
        (i("jalr", rd=1, rs1=5, imm=2), {"x5": CODE_VA}),
        (i("jalr", rd=5, rs1=5, imm=3), {"x5": CODE_VA}),
        (i("beq", rs1=0, rs2=0, imm=2), {}),
    ],
)
def test_a_jump_to_a_misaligned_target_traps_there_and_writes_no_register(word: int, registers: dict[str, int]) -> None:
    result, board, before = trap_of(NOP, word, before=1, **registers)
    target = {2: CODE_VA + 2, 3: CODE_VA + 2}.get(_imm(word), CODE_VA + 4 + _imm(word))
    if registers == {}:
        target = CODE_VA + 4 + _imm(word)
    assert result == Exit(0, Trap(Cause.INSTRUCTION_MISALIGNED, CODE_VA + 4, target))
    assert registers_of(board.hart) == before


def _imm(word: int) -> int:
    from vm.isa import decode

    found = decode(word)
    assert found is not None
    return found[1]["imm"]
