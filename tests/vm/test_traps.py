"""Jumps to misaligned targets: they trap at the jump, and the jump has changed nothing."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, ECALL, NOP, Board, i, registers_of
from vm.trap import Cause, Exit, Trap

pytestmark = pytest.mark.usefixtures("heat")
PC = CODE_VA + 4


@pytest.mark.parametrize(
    ("word", "x5", "target"),
    [
        (i("jal", rd=1, imm=6), 0, PC + 6),
        (i("jal", rd=1, imm=-2), 0, PC - 2),
        (i("jalr", rd=1, rs1=5, imm=2), CODE_VA, CODE_VA + 2),
        (i("jalr", rd=5, rs1=5, imm=3), CODE_VA, CODE_VA + 2),
        (i("jalr", rd=0, rs1=5, imm=-1), 3, 2),
        (i("beq", rs1=0, rs2=0, imm=2), 0, PC + 2),
        (i("bgeu", rs1=5, rs2=5, imm=-6), 0, PC - 6),
    ],
)
def test_a_jump_to_a_misaligned_target_traps_there_and_writes_no_register(word: int, x5: int, target: int) -> None:
    board = Board([NOP, word], registers={5: x5})
    board.run(1)
    before = registers_of(board.hart)
    for _ in range(20):
        assert board.run() == Exit(0, Trap(Cause.INSTRUCTION_MISALIGNED, PC, target))
        assert registers_of(board.hart) == before


def test_a_branch_with_a_misaligned_target_that_is_not_taken_is_no_trap() -> None:
    board = Board([i("bne", rs1=0, rs2=0, imm=2), ECALL])
    assert board.run() == Exit(1, Trap(Cause.ECALL, PC, 0))


def test_a_hart_that_is_started_at_a_misaligned_address_traps() -> None:
    board = Board([NOP, NOP])
    board.hart.pc = CODE_VA + 2
    assert board.run() == Exit(0, Trap(Cause.INSTRUCTION_MISALIGNED, CODE_VA + 2, CODE_VA + 2))
