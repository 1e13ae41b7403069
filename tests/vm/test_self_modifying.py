"""Fetch is coherent: a store affects the very next instruction, whoever stores, and through whichever address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.programs import Program, programs, slicings
from tests.vm.support import (
    CODE_VA,
    DATA_VA,
    ECALL,
    HEAT,
    ILLEGAL,
    NOP,
    RW,
    RWX,
    RX,
    Board,
    as_bytes,
    i,
    li,
    registers_of,
)
from tests.vm.test_budgets import STEPS
from vm import engine_python
from vm.mmu import PTE_A, PTE_R, PTE_U, PTE_V, make_pte, make_satp
from vm.trap import Cause, Trap

ADD_1, ADD_2 = i("addi", rd=5, rs1=5, imm=1), i("addi", rd=5, rs1=5, imm=2)
ALIAS_VA = 0x30000


def warm_up(board: Board, rounds: int = 20) -> None:
    """Run the program from its beginning so often that its code is compiled."""
    for _ in range(rounds):
        board.hart.pc = CODE_VA
        board.run()


@pytest.mark.usefixtures("heat")
@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_a_store_changes_the_very_next_instruction(size: int) -> None:
    store = i({1: "sb", 2: "sh", 4: "sw", 8: "sd"}[size], rs1=8, rs2=9, imm=0)
    board = Board([store, NOP, ADD_1, ECALL], code_flags=RWX)
    board.hart.x[8] = CODE_VA + 4
    board.hart.x[9] = ADD_2 | ADD_2 << 32
    changed = int.from_bytes(as_bytes([ADD_2])[:size] + as_bytes([NOP])[size:], "little")
    board.run()
    assert board.ram.read32((board.code_ppn << 12) + 4) == changed
    assert board.hart.x[5] == {8: 4, 4: 3}.get(size, board.hart.x[5])


@pytest.mark.usefixtures("heat")
@pytest.mark.parametrize("alias", [False, True])
def test_a_store_inside_a_hot_loop_changes_the_loop_at_once(alias: bool) -> None:
    """Round by round the loop overwrites its own addi with one that adds the number of the round."""
    body = [
        i("slli", rd=6, rs1=31, shamt=20),
        i("or", rd=6, rs1=6, rs2=9),
        i("sw", rs1=8, rs2=6, imm=16),
        i("addi", rd=7, rs1=7, imm=1),
        ILLEGAL,  # becomes addi x5, x5, x31
        i("addi", rd=31, rs1=31, imm=-1),
        i("bne", rs1=31, rs2=0, imm=-24),
        ECALL,
    ]
    board = Board(body, code_flags=RWX, registers={31: 50, 9: i("addi", rd=5, rs1=5, imm=0)})
    board.map(ALIAS_VA, board.code_ppn, RW)
    board.hart.x[8] = ALIAS_VA if alias else CODE_VA
    board.run()
    assert (board.hart.x[5], board.hart.x[7]) == (sum(range(1, 51)), 50)


@pytest.mark.usefixtures("heat")
def test_a_misaligned_store_across_two_pages_of_code_changes_both() -> None:
    """From the second half of the last word of a page to the first half of the second word of the next."""
    new = ADD_2 >> 16 | ADD_2 << 16 | (ECALL & 0xFFFF) << 48
    board = Board([NOP] * 1023 + [ADD_1, ADD_1, ECALL], code_flags=RWX, registers={8: CODE_VA + 4094, 9: new})
    warm_up(board)
    board.ram.write(board.code_ppn << 12, as_bytes([i("sd", rs1=8, rs2=9, imm=0)]))
    board.hart.pc, board.hart.x[5] = CODE_VA, 0
    board.run()
    assert board.hart.x[5] == 4


@pytest.mark.usefixtures("heat")
@pytest.mark.parametrize("how", ["write", "write64", "copy_frame", "zero_frame"])
def test_what_the_kernel_writes_into_code_runs_next(how: str) -> None:
    board = Board([ADD_1, NOP, ECALL])
    warm_up(board)
    pa = board.code_ppn << 12
    source = board.pages.frame(as_bytes([ADD_2, NOP, ECALL]))
    match how:
        case "write":
            board.ram.write(pa, as_bytes([ADD_2]))
        case "write64":
            board.ram.write64(pa, ADD_2 | NOP << 32)
        case "copy_frame":
            board.ram.copy_frame(board.code_ppn, source)
        case _:
            board.ram.zero_frame(board.code_ppn)
    board.hart.pc, board.hart.x[5] = CODE_VA, 0
    result = board.run()
    if how == "zero_frame":
        assert result.trap == Trap(Cause.ILLEGAL, CODE_VA, 0)
    else:
        assert board.hart.x[5] == 2


@pytest.mark.usefixtures("heat")
def test_code_and_data_in_one_page_don_t_disturb_each_other() -> None:
    count = [
        i("ld", rd=5, rs1=8, imm=0),
        i("addi", rd=5, rs1=5, imm=1),
        i("sd", rs1=8, rs2=5, imm=0),
        i("bne", rs1=5, rs2=9, imm=-12),
        ECALL,
    ]
    board = Board(count, code_flags=RWX, registers={8: CODE_VA + 2048, 9: 300})
    assert board.run().retired == 1200
    assert board.ram.read64((board.code_ppn << 12) + 2048) == 300


@pytest.mark.usefixtures("heat")
def test_a_frame_of_code_that_is_freed_and_used_again_runs_its_new_code() -> None:
    board = Board([ADD_1, ECALL])
    warm_up(board)
    board.map(CODE_VA, board.data_ppns[0], RX)
    board.machine.sfence(board.asid, CODE_VA)
    board.ram.zero_frame(board.code_ppn)
    board.map(DATA_VA + 0x8000, board.code_ppn, RWX)
    board.ram.write(board.code_ppn << 12, as_bytes([ADD_2, ECALL]))
    board.hart.pc, board.hart.x[5] = DATA_VA + 0x8000, 0
    board.run()
    assert board.hart.x[5] == 2


@pytest.mark.usefixtures("heat")
def test_a_program_that_writes_code_and_jumps_to_it_runs_it() -> None:
    """Data becomes code, is written again as data, and runs anew: 30 times."""
    board = Board([i("sw", rs1=8, rs2=9, imm=0), i("jalr", rd=1, rs1=8, imm=0), i("addi", rd=9, rs1=9, imm=0), ECALL])
    board.map(DATA_VA, board.data_ppns[0], RWX)
    board.ram.write(board.data_ppns[0] << 12, as_bytes([0, i("jalr", rd=0, rs1=1, imm=0)]))
    for number in range(30):
        board.hart.pc, board.hart.x[8] = CODE_VA, DATA_VA
        board.hart.x[9] = i("addi", rd=5, rs1=0, imm=number)
        board.run()
        assert board.hart.x[5] == number


@pytest.mark.usefixtures("heat")
def test_a_mapping_changed_under_a_translation_runs_the_new_code() -> None:
    board = Board([ADD_1, ECALL])
    warm_up(board)
    board.map(CODE_VA, board.pages.frame(as_bytes([ADD_2, ECALL])), RX)
    board.machine.sfence(board.asid)
    board.hart.pc, board.hart.x[5] = CODE_VA, 0
    board.run()
    assert board.hart.x[5] == 2


def test_a_forked_child_runs_its_parent_s_translation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_python, "HOT", 1)
    board = Board([ADD_1, i("bne", rs1=5, rs2=9, imm=-4), ECALL], registers={9: 50}, engine="python")
    board.run()
    compiled = board.machine.stats["blocks_compiled"]
    assert compiled
    root = board.pages.frame()
    board.pages.map(root, CODE_VA, board.code_ppn, RX)
    child = board.new_hart({9: 50})
    child.satp = make_satp(2, root)
    board.machine.run(child, 1000)
    assert child.x[5] == 50
    assert board.machine.stats["blocks_compiled"] == compiled


@pytest.mark.usefixtures("heat")
def test_the_mmu_s_own_writes_count_too() -> None:
    """A page table that runs as code: the load's A bit turns the next instruction, a PTE, into an illegal one."""
    board = Board([NOP], data_pages=0)
    low = PTE_V | PTE_R | PTE_U  # 0010011, the opcode of addi
    ppn = board.pages.next
    board.pages.next = 0x80000 + 0x20  # bits 11:7 of the word, rd, and bit 12 are bits of the ppn
    table = board.pages.frame()
    target = make_pte(0x80000 + 0x40, low)
    assert target & 0x7F == ADD_1 & 0x7F
    board.pages.next = ppn
    board.pages.entry(board.root, CODE_VA)
    # one more level-0 table for 0x200000.., which is mapped as a page of code too
    at = board.pages.entry(board.root, 0x200000, level=1)
    board.ram.write64(at, make_pte(table, PTE_V))
    board.map(DATA_VA, table, RX)
    code = [i("ld", rd=6, rs1=8, imm=0), NOP]
    board.ram.write(table << 12, as_bytes(code))
    board.ram.write64((table << 12) + 8, target)
    board.ram.write(((table << 12) + 16), as_bytes([ECALL]))
    board.hart.pc, board.hart.x[8] = DATA_VA, 0x200000 + 0x1000
    result = board.run()
    assert result.trap == Trap(Cause.ILLEGAL, DATA_VA + 8, (target | PTE_A) & 0xFFFF_FFFF)


def test_what_the_engine_keeps_of_a_guest_s_code_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word of a page is jumped to: far more entries than are kept."""
    monkeypatch.setattr(engine_python, "KEPT_AT_MOST", 500)
    code = [*li(8, DATA_VA), i("jalr", rd=1, rs1=8, imm=0), i("addi", rd=8, rs1=8, imm=4), i("jal", rd=0, imm=-8)]
    board = Board(code, data_pages=0, engine="python")
    page = [NOP] * 1023 + [i("jalr", rd=0, rs1=1, imm=0)]
    board.map(DATA_VA, board.pages.frame(as_bytes(page)), RX)
    result = board.run(10_000_000)
    assert result.trap is not None and result.trap.cause == Cause.FETCH_PAGE
    assert result.retired == 17 + sum(1023 - start + 4 for start in range(1024)) + 1
    kept = board.machine.engine._pages  # type: ignore[attr-defined]
    assert sum(len(page.codes) + len(page.steps) for page in kept.values()) < 600


def run_mixed(program: Program, slices: list[int], hot: int) -> Board:
    """Run a program whose data are its own code."""
    before, engine_python.HOT = engine_python.HOT, hot
    try:
        board = Board([*program.code, ECALL], code_flags=RWX, registers=program.registers, memory=64 << 10)
        board.map(CODE_VA + 4096, board.pages.frame(), RWX)
        retired, turn = 0, 0
        while retired < STEPS:
            result = board.run(min(slices[min(turn, len(slices) - 1)], STEPS - retired))
            turn, retired = turn + 1, retired + result.retired
            if result.trap:
                break
        return board
    finally:
        engine_python.HOT = before


@given(programs(data=CODE_VA), slicings, st.sampled_from(sorted(HEAT)))
def test_programs_that_write_over_themselves_are_the_same_in_any_slices(
    program: Program, slices: list[int], heat: str
) -> None:
    board, reference = run_mixed(program, slices, HEAT[heat]), run_mixed(program, [1], HEAT["cold"])
    assert registers_of(board.hart) == registers_of(reference.hart)
    assert board.state() == reference.state()
