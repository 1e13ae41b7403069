"""Counting: what retires, where a slice ends, and what the counters show in the middle of hot code."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, DATA_VA, EBREAK, ECALL, ILLEGAL, NOP, Board, i
from vm.isa.registers import CSR_NUMBERS
from vm.trap import Cause, Exit, Trap

pytestmark = pytest.mark.usefixtures("heat")

#: Twelve instructions, with a branch not taken, a store and a load, and again from the beginning.
LOOP = [
    *([i("addi", rd=5, rs1=5, imm=1)] * 5),
    i("beq", rs1=5, rs2=0, imm=8),
    i("sd", rs1=8, rs2=5, imm=0),
    i("ld", rd=6, rs1=8, imm=0),
    *([i("addi", rd=7, rs1=7, imm=1)] * 3),
    i("jal", rd=0, imm=-44),
]


@pytest.mark.parametrize("budget", [1, 2, 5, 6, 7, 11, 12, 13, 24, 25, 47, 48, 49, 1000])
def test_a_slice_ends_after_exactly_its_last_instruction(budget: int) -> None:
    board = Board(LOOP, registers={8: DATA_VA})
    total = 0
    for _ in range(30):
        assert board.run(budget) == Exit(budget, None)
        total += budget
        rounds, rest = divmod(total, 12)
        assert board.hart.pc == CODE_VA + 4 * rest
        assert board.hart.x[5] == 5 * rounds + min(rest, 5)
        assert board.hart.x[7] == 3 * rounds + max(0, min(rest - 8, 3))
        assert (board.machine.retired, board.machine.clock) == (total, total)


@pytest.mark.parametrize(
    ("word", "cause", "tval"),
    [
        (ECALL, Cause.ECALL, 0),
        (EBREAK, Cause.BREAKPOINT, CODE_VA + 8),
        (ILLEGAL, Cause.ILLEGAL, 0),
        (0xFFFF_FFFF, Cause.ILLEGAL, 0xFFFF_FFFF),
        (i("lw", rd=0, rs1=0, imm=16), Cause.LOAD_PAGE, 16),
        (i("sb", rs1=0, rs2=0, imm=-1), Cause.STORE_PAGE, (1 << 64) - 1),
        (i("jal", rd=1, imm=2), Cause.INSTRUCTION_MISALIGNED, CODE_VA + 10),
    ],
)
def test_what_traps_does_not_retire_and_can_be_tried_again(word: int, cause: int, tval: int) -> None:
    board = Board([NOP, NOP, word])
    assert board.run(2) == Exit(2, None), "the budget ends before the trap"
    for _ in range(20):
        assert board.run(100) == Exit(0, Trap(cause, CODE_VA + 8, tval))
    board.hart.pc = CODE_VA
    assert board.run(3) == Exit(2, Trap(cause, CODE_VA + 8, tval))
    assert (board.machine.retired, board.machine.clock) == (4, 4)


def test_a_jump_retires_and_the_fetch_that_fails_behind_it_does_not() -> None:
    board = Board([i("jalr", rd=1, rs1=0, imm=0)])
    assert board.run() == Exit(1, Trap(Cause.FETCH_PAGE, 0, 0))
    assert (board.hart.pc, board.hart.x[1]) == (0, CODE_VA + 4)


def test_running_off_the_end_of_a_page_of_code_is_a_fetch_fault() -> None:
    board = Board([NOP] * 1024)
    assert board.run() == Exit(1024, Trap(Cause.FETCH_PAGE, CODE_VA + 4096, CODE_VA + 4096))


@pytest.mark.parametrize("counter", ["cycle", "instret", "time"])
def test_counters_are_exact_in_the_middle_of_a_hot_loop(counter: str) -> None:
    """Each round reads the counter twice; the differences are the numbers of instructions between."""
    read = {rd: i("csrrs", rd=rd, csr=CSR_NUMBERS[counter], rs1=0) for rd in (5, 6)}
    round_ = [read[5], NOP, NOP, read[6], i("sub", rd=6, rs1=6, rs2=5), i("add", rd=7, rs1=7, rs2=6)]
    back = [i("addi", rd=31, rs1=31, imm=-1), i("bne", rs1=31, rs2=0, imm=-28), ECALL]
    board = Board([*round_, *back], registers={31: 50})
    for budget in (1, 2, 3, 30, 7, 1000):
        board.run(budget)
    assert board.hart.x[7] == 50 * 3
    assert board.hart.x[5] == 49 * 8, "what retired before the last round's first reading"


def test_time_shows_what_the_kernel_added_and_instret_does_not() -> None:
    board = Board(
        [i("csrrs", rd=5, csr=CSR_NUMBERS["time"], rs1=0), i("csrrs", rd=6, csr=CSR_NUMBERS["instret"], rs1=0)]
    )
    board.machine.clock += 1_000_000
    board.run(2)
    assert (board.hart.x[5], board.hart.x[6]) == (1_000_000, 1)


@pytest.mark.parametrize(
    "word",
    [
        i("csrrw", rd=5, csr=0xC00, rs1=0),
        i("csrrw", rd=0, csr=0xC02, rs1=6),
        i("csrrs", rd=5, csr=0xC00, rs1=6),
        i("csrrc", rd=5, csr=0xC01, rs1=31),
        i("csrrsi", rd=5, csr=0xC00, zimm=1),
        i("csrrwi", rd=0, csr=0xC00, zimm=0),
        i("csrrs", rd=5, csr=0xC03, rs1=0),
        i("csrrs", rd=5, csr=0x300, rs1=0),
        i("csrrs", rd=5, csr=0x001, rs1=0),
        i("csrrs", rd=5, csr=0xC80, rs1=0),
    ],
)
def test_writing_a_counter_and_any_other_csr_is_an_illegal_instruction(word: int) -> None:
    board = Board([NOP, word], registers={5: 55})
    assert board.run() == Exit(1, Trap(Cause.ILLEGAL, CODE_VA + 4, word))
    assert board.hart.x[5] == 55


@pytest.mark.parametrize(
    "word",
    [
        i("csrrs", rd=5, csr=0xC02, rs1=0),
        i("csrrc", rd=5, csr=0xC02, rs1=0),
        i("csrrsi", rd=5, csr=0xC02, zimm=0),
        i("csrrci", rd=5, csr=0xC02, zimm=0),
    ],
)
def test_reading_a_counter_without_writing_it_is_allowed(word: int) -> None:
    board = Board([NOP, NOP, word, ECALL])
    board.run()
    assert board.hart.x[5] == 2
