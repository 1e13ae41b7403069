"""A slice ends after exactly its last instruction, and how a run is cut into slices changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.programs import Program, programs, slicings
from tests.vm.support import ECALL, HEAT, Board, i, registers_of
from vm import engine_python
from vm.trap import Cause, Exit, Trap

STEPS = 120
MEMORY = 64 << 10


def run_sliced(program: Program, slices: list[int], hot: int) -> tuple[Exit, Board]:
    """Run STEPS instructions or to a trap in slices, the last of which repeats; the whole as one Exit."""
    before, engine_python.HOT = engine_python.HOT, hot
    try:
        board = Board([*program.code, ECALL], memory=MEMORY, registers=program.registers)
        retired, turn = 0, 0
        while retired < STEPS:
            budget = min(slices[min(turn, len(slices) - 1)], STEPS - retired)
            turn += 1
            result = board.run(budget)
            retired += result.retired
            if result.trap:
                return Exit(retired, result.trap), board
            assert result.retired == budget, "a run without a trap uses up its budget"
        return Exit(retired, None), board
    finally:
        engine_python.HOT = before


@given(programs(), slicings, st.sampled_from(list(HEAT)))
def test_any_split_of_budgets_gives_the_same_states(program: Program, slices: list[int], heat: str) -> None:
    one_by_one, reference = run_sliced(program, [1], HEAT["cold"])
    result, board = run_sliced(program, slices, HEAT[heat])
    assert result == one_by_one
    assert registers_of(board.hart) == registers_of(reference.hart)
    assert board.state() == reference.state()


@pytest.mark.parametrize("engine", ["python", "llvm"])
def test_a_run_that_begins_with_a_fetch_fault_retires_nothing(engine: str) -> None:
    board = Board([i("addi", rd=5, rs1=5, imm=1), ECALL], engine=engine)
    assert board.run(50).retired == 1
    board.hart.pc = 0x5000_0000
    result = board.run(1000)
    assert (result.retired, result.trap) == (0, Trap(Cause.FETCH_PAGE, 0x5000_0000, 0x5000_0000))
