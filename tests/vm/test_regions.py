"""Regions of several pages, and when a region is made: what the guest sees is what it sees without them."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, ECALL, RX, Board, i, registers_of
from vm.isa.cause import Cause
from vm.mmu import PTE_A, make_satp
from vm.native.engine import LlvmEngine
from vm.native.installed import Installed
from vm.ram import PAGE

pytestmark = pytest.mark.usefixtures("eager")

THERE = CODE_VA + PAGE
#: At CODE_VA a loop of x31 rounds that calls what lies 64 bytes into the next page; there x5 += 3, or more on x6 = 1.
CALLS = [i("jal", rd=1, imm=PAGE + 64), i("addi", rd=31, rs1=31, imm=-1), i("bne", rs1=31, rs2=0, imm=-8), ECALL]
CALLED = [i("addi", rd=5, rs1=5, imm=3), i("jalr", rd=0, rs1=1, imm=0)]


def calling(engine: str) -> Board:
    """Both pages are one frame."""
    board = Board([*CALLS, *[ECALL] * (16 - len(CALLS)), *CALLED], engine=engine)
    board.map(THERE, board.code_ppn, RX)
    return board


def rounds(board: Board, count: int = 100) -> dict[str, int]:
    """Run the loop; the registers at its end."""
    board.hart.pc, board.hart.x[31] = CODE_VA, count
    result = board.run(1 << 20)
    assert result.trap is not None and result.trap.cause == Cause.ECALL
    return registers_of(board.hart)


def regions(board: Board) -> list[Installed]:
    """Those in use."""
    engine = board.machine.engine
    assert isinstance(engine, LlvmEngine)
    return list(dict.fromkeys(region for regions in engine._regions._uses.values() for region in regions))


def epoch(board: Board) -> int:
    """Of the address space that ran last, as it is now."""
    engine = board.machine.engine
    assert isinstance(engine, LlvmEngine) and engine._space is not None
    return engine._space.epoch


def test_code_at_two_addresses_of_one_frame_can_change() -> None:
    found = []
    for engine in ("python", "llvm"):
        board = calling(engine)
        before = rounds(board)
        board.ram.write((board.code_ppn << 12) + 64, i("addi", rd=5, rs1=5, imm=7).to_bytes(4, "little"))
        found.append((before, rounds(board), board.state()))
    assert found[0] == found[1]
    assert found[1][1]["x5"] == 1000
    assert regions(board)


def test_a_region_of_two_pages_runs_on_after_a_flush() -> None:
    """The TLB knows neither page then, though both are where they were; and only one of them runs."""
    board = skipping()
    board.machine.sfence(board.asid, None)
    rounds(board)
    assert board.machine.stats["regions"] == 1
    assert epoch(board) in regions(board)[0].guard


def test_another_address_space_with_the_same_frames_runs_the_region() -> None:
    """As a forked child does, with its parent's page table entries."""
    board = skipping()
    other = board.pages.frame()
    for page in (CODE_VA, THERE):
        board.pages.map(other, page, board.code_ppn, board.pte(page) & 0x3FF)
    board.hart.satp = make_satp(2, other)
    rounds(board)
    assert board.machine.stats["regions"] == 1
    assert epoch(board) in regions(board)[0].guard


def test_a_region_one_of_whose_pages_is_gone_is_made_again_without_it() -> None:
    """The loop is hot, what it called is not called any more. (A jump is hot again after 65536 times.)"""
    board = skipping()
    board.map(THERE, 0, 0)
    board.machine.sfence(board.asid, None)
    rounds(board, 200_000)
    assert board.machine.stats["regions"] == 2
    assert [len(region.parts) for region in regions(board)] == [1]


def skipping() -> Board:
    """A board with a region of two pages: a loop that would call the next page if x6 were not 0."""
    words = [i("beq", rs1=6, rs2=0, imm=8), i("jal", rd=1, imm=PAGE + 60), i("addi", rd=31, rs1=31, imm=-1)]
    words += [i("bne", rs1=31, rs2=0, imm=-12), ECALL]
    board = Board([*words, *[ECALL] * (16 - len(words)), *CALLED], engine="llvm")
    board.map(THERE, board.code_ppn, RX)
    board.hart.pc, board.hart.x[1] = THERE + 64, CODE_VA + 16
    board.run(2)  # what is called has been fetched once
    rounds(board, 5)
    assert [len(region.parts) for region in regions(board)] == [2]
    return board


@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "unmapped"])
@pytest.mark.parametrize("slice_", [1, 2, 4, 7, 100])
def test_where_a_hot_jump_leads_is_not_fetched_before_its_time(mapped: bool, slice_: int) -> None:
    """A jump to another page becomes hot as the last instruction of a slice."""
    words = [i("jalr", rd=0, rs1=5, imm=0), ECALL, i("addi", rd=5, rs1=6, imm=0), i("jal", rd=0, imm=-12)]
    found = []
    for engine in ("python", "llvm"):
        board = Board(words, registers={5: CODE_VA + 8, 6: 0x40000}, engine=engine)
        board.map(0x40000, board.data_ppns[0], RX if mapped else 0)
        exits = []
        for _ in range(12):
            exits.append((board.run(slice_), board.hart.pc, board.pte(0x40000) & PTE_A))
            if exits[-1][0].trap:
                break
        found.append(exits)
    assert found[0] == found[1]
