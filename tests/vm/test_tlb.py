"""The TLB: what it may keep, what it must not, what sfence.vma takes away, and A and D bits on a hit."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, DATA_VA, ECALL, RW, RWX, RX, Board, R, i
from vm import tlb
from vm.hart import Hart
from vm.mmu import PTE_A, PTE_D, PTE_G, make_pte, make_satp
from vm.trap import Cause, Exit, Trap

pytestmark = pytest.mark.usefixtures("heat")

#: Reads and then writes the word at x8, again and again.
READ_THEN_WRITE = [
    i("ld", rd=5, rs1=8, imm=0),
    i("addi", rd=31, rs1=31, imm=-1),
    i("bne", rs1=31, rs2=0, imm=-8),
    i("sd", rs1=8, rs2=5, imm=0),
    ECALL,
]
#: Loads from x8 as often as x31 says; the last value is in x5.
LOAD = [i("ld", rd=5, rs1=8, imm=0), i("addi", rd=31, rs1=31, imm=-1), i("bne", rs1=31, rs2=0, imm=-8), ECALL]
LOAD_ROUNDS = 20


def load(board: Board, hart: Hart | None = None, va: int = DATA_VA) -> int:
    """What a program reads at `va` (LOAD_ROUNDS times, so that code gets hot)."""
    hart = hart or board.hart
    hart.pc, hart.x[8], hart.x[31] = CODE_VA, va, LOAD_ROUNDS
    result = board.machine.run(hart, 1000)
    assert result.trap is not None and result.trap.cause == Cause.ECALL, result
    return int(hart.x[5])


def test_a_page_that_is_read_gets_a_and_when_it_is_written_later_d() -> None:
    board = Board(READ_THEN_WRITE, registers={8: DATA_VA, 31: 10})
    board.run(25)
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == PTE_A
    board.run()
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == PTE_A | PTE_D


def test_a_page_that_is_written_gets_a_and_d_and_code_gets_a() -> None:
    board = Board([i("sd", rs1=8, rs2=5, imm=0), ECALL], registers={8: DATA_VA})
    board.run()
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == PTE_A | PTE_D
    assert board.pte(CODE_VA) & (PTE_A | PTE_D) == PTE_A


def test_an_amo_sets_d_and_a_failing_sc_does_not() -> None:
    board = Board([i("sc.d", rd=5, rs1=8, rs2=0), ECALL], registers={8: DATA_VA})
    board.run()
    assert (board.hart.x[5], board.pte(DATA_VA) & PTE_D) == (1, 0)
    board = Board([i("amoor.d", rd=5, rs1=8, rs2=0), ECALL], registers={8: DATA_VA})
    board.run()
    assert board.pte(DATA_VA) & PTE_D


@pytest.mark.parametrize("name", ["sh", "sw", "sd"])
@pytest.mark.parametrize("beyond", ["unmapped", "read-only"])
def test_a_store_whose_second_page_faults_changes_nothing(name: str, beyond: str) -> None:
    board = Board([i(name, rs1=8, rs2=9, imm=0), ECALL], data_pages=1, registers={8: DATA_VA + 4095, 9: (1 << 64) - 1})
    if beyond == "read-only":
        board.map(DATA_VA + 4096, board.pages.frame(), R)
    before = [board.ram.read(ppn << 12, 4096) for ppn in board.data_ppns]
    tables = board.pte(DATA_VA)
    assert board.run() == Exit(0, Trap(Cause.STORE_PAGE, CODE_VA, DATA_VA + 4096))
    assert [board.ram.read(ppn << 12, 4096) for ppn in board.data_ppns] == before
    assert board.pte(DATA_VA) == tables, "updates of D are exact (Privileged, Sv39): no store, no D"


@pytest.mark.parametrize("name", ["lh", "lwu", "ld"])
def test_a_load_whose_second_page_faults_writes_no_register(name: str) -> None:
    board = Board([i(name, rd=5, rs1=8, imm=0), ECALL], data_pages=1, registers={8: DATA_VA + 4095, 5: 77})
    assert board.run() == Exit(0, Trap(Cause.LOAD_PAGE, CODE_VA, DATA_VA + 4096))
    assert board.hart.x[5] == 77


def test_the_first_page_of_two_that_fault_is_told() -> None:
    board = Board([i("sd", rs1=8, rs2=9, imm=0)], data_pages=0, registers={8: DATA_VA + 4093})
    assert board.run() == Exit(0, Trap(Cause.STORE_PAGE, CODE_VA, DATA_VA + 4093))


def test_a_misaligned_access_across_two_pages_reaches_two_frames_that_are_not_neighbours() -> None:
    code = [i("sd", rs1=8, rs2=9, imm=0), i("ld", rd=5, rs1=8, imm=0), ECALL]
    board = Board(code, data_pages=0, registers={8: DATA_VA + 4093, 9: 0x0102030405060708})
    second, first = board.pages.frame(), board.pages.frame()
    board.map(DATA_VA, first, RW)
    board.map(DATA_VA + 4096, second, RW)
    board.run()
    assert board.hart.x[5] == 0x0102030405060708
    assert board.ram.read((first << 12) + 4093, 3) == bytes([8, 7, 6])
    assert board.ram.read(second << 12, 5) == bytes([5, 4, 3, 2, 1])


# --- sfence.vma ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["all", "asid", "page", "page of all"])
def test_after_sfence_a_changed_mapping_is_seen(how: str) -> None:
    board = Board(LOAD)
    old, new = board.data_ppns
    board.ram.write64(old << 12, 1)
    board.ram.write64(new << 12, 2)
    assert load(board) == 1
    board.map(DATA_VA, new, RW)
    asid = None if how in ("all", "page of all") else board.asid
    board.machine.sfence(asid, DATA_VA + 123 if "page" in how else None)
    assert load(board) == 2


def test_sfence_of_one_page_or_address_space_leaves_the_others_in_the_tlb() -> None:
    board = Board(LOAD)
    other = second_space(board, asid=2)
    for va in (DATA_VA, DATA_VA + 4096):
        load(board, va=va)
    load(board, other)
    before = board.machine.stats["tlb_misses"]
    board.machine.sfence(board.asid, DATA_VA)
    load(board, va=DATA_VA + 4096)
    load(board, other)
    assert board.machine.stats["tlb_misses"] == before
    load(board)
    assert board.machine.stats["tlb_misses"] == before + 1


def test_a_permission_that_is_taken_away_is_gone_after_sfence() -> None:
    board = Board([i("sd", rs1=8, rs2=0, imm=0), i("jal", rd=0, imm=-4)], registers={8: DATA_VA})
    board.run(100)
    board.map(DATA_VA, board.data_ppns[0], R)
    board.machine.sfence(board.asid)
    assert board.run(100).trap == Trap(Cause.STORE_PAGE, CODE_VA, DATA_VA)


def test_execution_of_a_page_ends_with_its_right_to_execute() -> None:
    board = Board([i("jal", rd=0, imm=0)])
    assert board.run(100).trap is None
    board.map(CODE_VA, board.code_ppn, R)
    board.machine.sfence(board.asid, CODE_VA)
    assert board.run(100) == Exit(0, Trap(Cause.FETCH_PAGE, CODE_VA, CODE_VA))


def test_sfence_of_any_address_in_a_superpage_forgets_all_of_it() -> None:
    """Its one leaf entry changed: sfence.vma with any of its addresses is enough (Privileged, SFENCE.VMA)."""
    board = Board(LOAD, memory=8 << 20)
    first, second = 0x80200, 0x80400
    board.ram.write64((first << 12) + 0x5000, 1)
    board.ram.write64((second << 12) + 0x5000, 2)
    va = 0x20_0000
    board.map(va, first, RW, level=1)
    assert load(board, va=va + 0x5000) == 1
    board.map(va, second, RW, level=1)
    board.machine.sfence(board.asid, va)
    assert load(board, va=va + 0x5000) == 2


def test_code_of_a_page_is_forgotten_by_sfence_when_the_tlb_has_long_dropped_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The jump cache may know more than the TLB's map of fetches, which is emptied when it is full."""
    monkeypatch.setattr(tlb, "CAPACITY", 2)
    board = Board([i("jalr", rd=0, rs1=8, imm=0)], registers={8: CODE_VA + 4096})
    for page in range(1, 5):
        next_page = CODE_VA + (page + 1) * 4096
        words = [i("lui", rd=8, imm=next_page), i("jalr", rd=0, rs1=8, imm=0)] if page < 4 else [ECALL]
        board.map(CODE_VA + page * 4096, board.pages.frame(b"".join(w.to_bytes(4, "little") for w in words)), RX)
    assert board.run().trap == Trap(Cause.ECALL, CODE_VA + 4 * 4096, 0)
    board.map(CODE_VA + 4096, board.pages.frame(ECALL.to_bytes(4, "little")), RX)
    board.machine.sfence(board.asid, CODE_VA + 4096)
    board.hart.pc, board.hart.x[8] = CODE_VA, CODE_VA + 4096
    assert board.run().trap == Trap(Cause.ECALL, CODE_VA + 4096, 0)


def test_an_entry_that_was_not_valid_needs_no_sfence() -> None:
    board = Board(LOAD, data_pages=0, registers={8: DATA_VA, 31: 1})
    assert board.run() == Exit(0, Trap(Cause.LOAD_PAGE, CODE_VA, DATA_VA))
    board.map(DATA_VA, board.pages.frame(), RW)
    assert load(board) == 0


# --- address spaces --------------------------------------------------------------------------------------------


def second_space(board: Board, asid: int, content: int = 0) -> Hart:
    """Another address space with the same code and its own page of data; a hart in it."""
    root = board.pages.frame()
    board.pages.map(root, CODE_VA, board.code_ppn, RX)
    board.pages.map(root, DATA_VA, board.pages.frame(content.to_bytes(8, "little")), RW)
    hart = board.new_hart()
    hart.satp = make_satp(asid, root)
    return hart


def test_going_from_a_to_b_and_back_to_a_refills_no_tlb_entry() -> None:
    board = Board(LOAD)
    other = second_space(board, asid=2, content=22)
    assert load(board) == 0
    assert load(board, other) == 22
    before = board.machine.stats
    for _ in range(3):
        assert load(board) == 0
        assert load(board, other) == 22
    for figure in ("tlb_misses", "fetch_misses"):
        assert board.machine.stats[figure] == before[figure]


def test_a_reused_asid_sees_its_new_tables_after_sfence() -> None:
    board = Board(LOAD)
    board.ram.write64(board.data_ppns[0] << 12, 11)
    assert load(board) == 11
    other = second_space(board, asid=board.asid, content=22)
    board.machine.sfence(board.asid)
    assert load(board, other) == 22


def test_global_pages_are_found_in_every_address_space_that_maps_them() -> None:
    board = Board(LOAD)
    at = board.pages.entry(board.root, DATA_VA)
    board.ram.write64(at, make_pte(board.data_ppns[0], RW | PTE_G))
    board.ram.write64(board.data_ppns[0] << 12, 11)
    other = second_space(board, asid=2, content=22)
    assert (load(board), load(board, other), load(board)) == (11, 22, 11)


def test_an_address_space_that_the_hart_leaves_bare_is_physical_memory() -> None:
    board = Board(LOAD)
    board.ram.write64(board.data_ppns[1] << 12, 33)
    hart = Hart()
    hart.pc, hart.x[8], hart.x[31] = board.code_ppn << 12, board.data_ppns[1] << 12, LOAD_ROUNDS
    result = board.machine.run(hart, 1000)
    assert result.trap is not None and result.trap.cause == Cause.ECALL
    assert hart.x[5] == 33


def test_more_pages_than_the_tlb_holds_are_still_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tlb, "CAPACITY", 3)
    step = [i("sd", rs1=8, rs2=8, imm=0), i("ld", rd=5, rs1=8, imm=0), i("bne", rs1=5, rs2=8, imm=12)]
    board = Board(
        [*step, i("add", rd=8, rs1=8, rs2=9), i("bltu", rs1=8, rs2=10, imm=-16), ECALL],
        data_pages=10,
        registers={8: DATA_VA, 9: 4096, 10: DATA_VA + 10 * 4096},
        code_flags=RWX,
    )
    board.run()
    assert board.hart.x[8] == DATA_VA + 10 * 4096
    assert [board.ram.read64(ppn << 12) for ppn in board.data_ppns] == [DATA_VA + n * 4096 for n in range(10)]
