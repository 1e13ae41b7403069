"""The llvm engine and the python engine are interchangeable: same registers, memory, traps and counts, however cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.programs import Program, programs, slicings
from tests.vm.support import CODE_VA, ECALL, RWX, RX, Board, i, registers_of
from vm import engine
from vm.mmu import make_satp
from vm.trap import Exit

STEPS = 200


pytestmark = pytest.mark.usefixtures("eager")


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


def test_a_fault_in_a_region_is_one_miss() -> None:
    """The region finds it, and the instruction's handler finds it again."""
    step = [i("sd", rs1=8, rs2=5, imm=0), i("addi", rd=8, rs1=8, imm=2040), i("jal", rd=0, imm=-8)]
    misses = []
    for name in ("python", "llvm"):
        board = Board(step, data_pages=20, registers={8: 0x20000}, engine=name)
        result = board.run()
        assert result.trap is not None and result.trap.tval >= 0x20000 + 20 * 4096
        misses.append(board.machine.stats["tlb_misses"])
    assert misses == [21, 21]
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


def test_a_region_made_at_once_knows_its_first_instruction_where_the_budget_ends_behind_it() -> None:
    """That one runs by its own handler, from a record that nobody has decoded since it was written over."""
    body = [i("addi", rd=5, rs1=5, imm=1), i("addi", rd=31, rs1=31, imm=-1), i("bne", rs1=31, rs2=0, imm=-8), ECALL]
    board = Board(body, registers={31: 1000}, engine="llvm")
    board.run(5)
    assert board.hart.pc == CODE_VA + 8 and board.hart.x[5] == 2
    board.ram.write(board.code_ppn << 12, i("addi", rd=6, rs1=5, imm=7).to_bytes(4, "little"))
    board.run(2)
    assert (board.hart.x[5], board.hart.x[6]) == (2, 9)


def two_pages(rounds: int) -> list[int]:
    """A loop on one page that calls a function on the next, and comes back."""
    body = [
        i("jal", rd=1, imm=4096),
        i("addi", rd=31, rs1=31, imm=-1),
        i("bne", rs1=31, rs2=0, imm=-8),
        ECALL,
    ]
    function = [i("addi", rd=5, rs1=5, imm=3), i("sd", rs1=8, rs2=5, imm=0), i("jalr", rd=0, rs1=1, imm=0)]
    return [*body, *[ECALL] * (1024 - len(body)), *function]


@pytest.mark.parametrize("slices", ([1], [3, 7, 5], [5000]))
def test_a_region_of_two_pages_is_exact(slices: list[int]) -> None:
    states = []
    for name in ("python", "llvm"):
        board = Board(two_pages(100), registers={8: 0x20000, 31: 100}, engine=name)
        retired, turn = 0, 0
        while True:
            result = board.run(slices[turn % len(slices)])
            retired, turn = retired + result.retired, turn + 1
            if result.trap is not None:
                break
        states.append((retired, result.trap, registers_of(board.hart), board.state()))
    assert states[0] == states[1]
    assert board.machine.stats["regions"] >= 1


def test_a_region_of_two_pages_does_not_run_where_the_second_page_is_another() -> None:
    """Two address spaces share the first page; the function behind it is not the same."""
    board = Board(two_pages(100), registers={8: 0x20000, 31: 100}, engine="llvm")
    board.run(5000)
    assert board.hart.x[5] == 300 and board.machine.stats["regions"] >= 1
    other = [i("addi", rd=5, rs1=5, imm=7), i("jalr", rd=0, rs1=1, imm=0)]
    root = board.pages.frame()
    frame = board.pages.frame(b"".join(word.to_bytes(4, "little") for word in other))
    board.pages.map(root, CODE_VA, board.code_ppn, RX)
    board.pages.map(root, CODE_VA + 4096, frame, RX)
    hart = board.new_hart({31: 100})
    hart.satp = make_satp(7, root)
    assert board.machine.run(hart, 5000).trap is not None
    assert hart.x[5] == 700
    board.hart.pc, board.hart.x[31] = CODE_VA, 100
    board.run(5000)
    assert board.hart.x[5] == 600


def test_a_region_of_two_pages_is_gone_once_the_second_page_is_written_over() -> None:
    board = Board(two_pages(1000), registers={8: 0x20000, 31: 1000}, engine="llvm")
    board.run(600)
    assert board.machine.stats["regions"] >= 1
    function = board.machine.translate(board.hart, CODE_VA + 4096, "fetch")
    board.ram.write(function, i("addi", rd=5, rs1=0, imm=77).to_bytes(4, "little"))
    board.run(600)
    assert board.hart.x[5] == 77


def test_an_indirect_jump_that_was_seen_is_part_of_the_region() -> None:
    """A jump through a register to one of two places, which alternate."""
    code = [
        i("xori", rd=6, rs1=6, imm=8),
        i("add", rd=7, rs1=9, rs2=6),
        i("jalr", rd=0, rs1=7, imm=12),
        i("addi", rd=5, rs1=5, imm=1),
        i("jal", rd=0, imm=8),
        i("addi", rd=5, rs1=5, imm=100),
        i("addi", rd=31, rs1=31, imm=-1),
        i("bne", rs1=31, rs2=0, imm=-28),
        ECALL,
    ]
    states = []
    for name in ("python", "llvm"):
        board = Board(code, registers={9: CODE_VA, 31: 200}, engine=name)
        states.append((board.run(10_000), registers_of(board.hart)))
    assert states[0] == states[1]
    assert board.hart.x[5] == 100 + 100 * 100


@pytest.mark.parametrize("name", ["lw", "lh", "ld", "sw", "sh", "sd"])
def test_misaligned_accesses_within_a_page_need_no_help(name: str) -> None:
    body = [
        i(name, rs1=8, imm=1, **({"rd": 5} if name[0] == "l" else {"rs2": 31})),
        i("addi", rd=31, rs1=31, imm=-1),
        i("bne", rs1=31, rs2=0, imm=-8),
        ECALL,
    ]
    states = []
    for engine_name in ("python", "llvm"):
        board = Board(body, registers={8: 0x20800, 31: 50}, engine=engine_name)
        states.append((board.run(10_000), registers_of(board.hart), board.state()))
    assert states[0] == states[1]
    assert board.machine.stats["instructions_helped"] <= 2


def test_hot_code_that_is_written_anew_again_and_again_leaves_no_regions_behind() -> None:
    board = Board(loop(100).code, registers=loop(100).registers, code_flags=RWX, engine="llvm")
    for number in range(1, 13):
        words = [i("addi", rd=5, rs1=5, imm=number), *loop(100).code[3:4], i("bne", rs1=31, rs2=0, imm=-8), ECALL]
        content = b"".join(word.to_bytes(4, "little") for word in words)
        board.ram.write(board.code_ppn << 12, content.ljust(4096, b"\0"))
        board.hart.pc, board.hart.x[5], board.hart.x[31] = CODE_VA, 0, 100
        assert board.run(10_000).trap is not None
        assert board.hart.x[5] == 100 * number
    assert board.machine.stats["regions"] >= 12
    assert board.machine.stats["regions_in_use"] <= 1
