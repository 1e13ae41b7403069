"""The llvm engine and the python engine are interchangeable: same registers, memory, traps and counts, however cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.programs import Program, programs, slicings
from tests.vm.support import CODE_VA, ECALL, RWX, Board, i, registers_of
from vm import engine
from vm.native import code, layout, worker
from vm.trap import Exit

STEPS = 200


@pytest.fixture(scope="module", autouse=True)
def eager() -> Iterator[None]:
    """Translate regions when a jump is taken for the second time, and at once."""

    def nobody(self: worker.Worker) -> None:
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "HOT_JUMPS", 2)
        patch.setattr(worker.Worker, "__init__", nobody)
        patch.setattr(code, "_natives", {})
        code._handlers.cache_clear()
        yield
    code._handlers.cache_clear()


def run_on(name: str, program: Program, slices: list[int]) -> tuple[Exit, Board]:
    """Run STEPS instructions or to a trap in slices, the last of which repeats; the whole as one Exit."""
    board = Board([*program.code, ECALL], registers=program.registers, code_flags=RWX, engine=name)
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


def compare(name: str, program: Program, slices: list[int]) -> Board:
    """Run on an engine in slices, and on python in one go: everything is equal."""
    expected, reference = run_on("python", program, [STEPS])
    result, board = run_on(name, program, slices)
    assert result == expected
    assert registers_of(board.hart) == registers_of(reference.hart)
    assert board.state() == reference.state()
    return board


@given(programs(), slicings)
def test_native_and_python_code_do_the_same(program: Program, slices: list[int]) -> None:
    compare("llvm", program, slices)


@given(programs(data=CODE_VA), slicings)
def test_programs_that_write_over_their_own_code_do_the_same(program: Program, slices: list[int]) -> None:
    compare("llvm", program, slices)


@given(programs(), slicings, st.integers(1, STEPS))
def test_changing_over_in_the_middle_changes_nothing(program: Program, slices: list[int], after: int) -> None:
    before, engine.WORTHWHILE = engine.WORTHWHILE, after
    try:
        compare("auto", program, slices)
    finally:
        engine.WORTHWHILE = before


def loop(rounds: int) -> Program:
    """A loop that reads the retired count and its own clock while it is hot."""
    body = [
        i("csrrs", rd=5, csr=0xC02, rs1=0),
        i("add", rd=6, rs1=6, rs2=5),
        i("sd", rs1=8, rs2=6, imm=0),
        i("addi", rd=31, rs1=31, imm=-1),
        i("bne", rs1=31, rs2=0, imm=-16),
    ]
    return Program(body, {8: 0x20000, 31: rounds})


@pytest.mark.parametrize("slices", ([1], [3, 7, 5], [STEPS]))
def test_counters_are_exact_inside_a_region(slices: list[int]) -> None:
    board = compare("llvm", loop(30), slices)
    assert board.machine.stats["regions"] >= 1


def test_a_region_is_gone_once_its_code_is_written_over() -> None:
    board = Board([*loop(1000).code, ECALL], registers=loop(1000).registers, engine="llvm")
    board.run(100)
    assert board.machine.stats["regions"] >= 1
    at = (board.code_ppn << 12) + 4
    board.ram.write(at, i("addi", rd=6, rs1=0, imm=77).to_bytes(4, "little"))
    board.run(100)
    assert board.hart.x[6] == 77


def test_new_code_without_end_keeps_memory_bounded() -> None:
    """The pages with records are counted, and given up past a limit: here the same page, written ten thousand times."""
    board = Board([i("addi", rd=5, rs1=5, imm=1), ECALL], code_flags=RWX, engine="llvm")
    for _ in range(10_000):
        board.ram.zero_frame(board.code_ppn)
        board.ram.write(
            board.code_ppn << 12, b"".join(w.to_bytes(4, "little") for w in (i("addi", rd=5, rs1=5, imm=1), ECALL))
        )
        board.hart.pc = CODE_VA
        board.run(10)
    assert board.hart.x[5] == 10_000
