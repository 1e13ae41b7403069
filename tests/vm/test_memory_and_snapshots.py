"""Stores that fault half way, translations that went stale, and snapshots that miss nothing."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, DATA_VA, NOP, PAGE, RW, Board, R, as_bytes, i, state
from vm.machine import Machine
from vm.mmu import PTE_A, PTE_D
from vm.trap import Cause

pytestmark = pytest.mark.usefixtures("heat")


@pytest.mark.parametrize(("name", "size"), [("sh", 2), ("sw", 4), ("sd", 8)])
@pytest.mark.parametrize("inside", [1, 3, 7])
def test_a_store_whose_second_half_faults_changes_nothing(name: str, size: int, inside: int) -> None:
    if inside >= size:
        inside = 1
    va = DATA_VA + PAGE - inside
    board = Board([NOP, i(name, rs1=5, rs2=6)], data_pages=1, registers={5: va, 6: 0x1122334455667788})
    board.run(1)
    before = board.ram.read(board.data_ppns[0] << 12, PAGE)
    result = board.run()
    assert (result.retired, result.trap and result.trap.cause) == (0, Cause.STORE_PAGE)
    assert result.trap is not None
    assert result.trap.tval == DATA_VA + PAGE, "the byte that could not be stored, not the first one"
    assert board.ram.read(board.data_ppns[0] << 12, PAGE) == before


def test_a_page_that_lost_its_right_to_be_written_is_not_written_after_sfence() -> None:
    board = Board([i("sd", rs1=5, rs2=6), i("jal", imm=-4)], registers={5: DATA_VA, 6: 7})
    board.run(10)
    board.map(DATA_VA, board.data_ppns[0], R)
    board.machine.sfence(board.asid, DATA_VA)
    result = board.run(10)
    assert result.trap is not None
    assert result.trap.cause == Cause.STORE_PAGE
    board.map(DATA_VA, board.data_ppns[1], RW)
    board.machine.sfence(board.asid, DATA_VA + 8)
    board.run(10)
    assert board.ram.read64(board.data_ppns[1] << 12) == 7


def counter() -> Board:
    """Counts upwards in memory, for ever: a load, an add and a store to one address, a jump."""
    code = [i("ld", rd=6, rs1=5), i("addi", rd=6, rs1=6, imm=1), i("sd", rs1=5, rs2=6), i("jal", imm=-12)]
    return Board(code, registers={5: DATA_VA})


def test_going_back_to_a_snapshot_undoes_stores_that_the_tlb_let_through() -> None:
    board = counter()
    board.run(400)
    snapshot, saved = board.machine.snapshot(), board.hart.save()
    before = board.state()
    board.run(400)
    after = board.state()
    for _ in range(3):
        board.machine.restore(snapshot)
        board.hart.load(saved)
        assert board.state() == before
        board.run(400)
        assert board.state() == after


def test_a_snapshot_holds_the_pages_written_since_the_last_one_and_no_others() -> None:
    board = counter()
    board.run(400)
    board.machine.snapshot()
    assert board.machine.snapshot().pages == {}
    board.run(400)
    written = board.machine.snapshot().pages
    first = board.ram.first_ppn
    assert [frame + first for frame in written] == [board.data_ppns[0]]
    board.ram.write64(board.data_ppns[1] << 12, 1)
    assert [frame + first for frame in board.machine.snapshot().pages] == [board.data_ppns[1]], (
        "the kernel's writes count"
    )


def test_the_mmus_writes_count_too() -> None:
    """The first load from a page sets A in its entry: that table's frame has changed."""
    board = Board([i("ld", rd=6, rs1=5), i("jal", imm=-4)], registers={5: DATA_VA})
    board.run(1)
    board.machine.snapshot()
    board.hart.x[5] = DATA_VA + PAGE
    board.run(2)
    assert len(board.machine.snapshot().pages) == 1


def test_translated_code_is_that_of_the_snapshot_after_going_back() -> None:
    board = Board([i("addi", rd=6, rs1=6, imm=1), i("jal", imm=-4)])
    board.run(100)
    snapshot, saved = board.machine.snapshot(), board.hart.save()
    board.ram.write(board.code_ppn << 12, as_bytes([i("addi", rd=6, rs1=6, imm=5)]))
    board.run(100)
    board.machine.restore(snapshot)
    board.hart.load(saved)
    count = board.hart.x[6]
    board.run(100)
    assert board.hart.x[6] == count + 50


def test_going_there_and_back_between_address_spaces_refills_nothing() -> None:
    """A → B → A: entries of different ASIDs don't meet."""
    board = counter()
    other_root = board.pages.frame()
    for va in (CODE_VA, DATA_VA):
        ppn = board.code_ppn if va == CODE_VA else board.pages.frame()
        board.pages.map(other_root, va, ppn, RW if va == DATA_VA else board.pte(CODE_VA) & 0x3FF)
    other = board.new_hart({5: DATA_VA})
    other.satp = board.hart.satp & ~((1 << 60) - 1) | 2 << 44 | other_root
    misses = []
    for hart in (board.hart, other, board.hart, other, board.hart):
        board.machine.run(hart, 40)
        figures = board.machine.stats
        misses.append(figures["tlb_misses"] + figures["fetch_misses"])
    assert misses[1] == misses[2] == misses[3] == misses[4]
    assert board.ram.read64(board.data_ppns[0] << 12) == 30


def test_a_snapshot_goes_with_its_machine_and_costs_nothing_when_nothing_ran() -> None:
    machine = Machine(1 << 20)
    first = machine.snapshot()
    machine.ram.write64(machine.ram.first_ppn << 12, 1)
    second = machine.snapshot()
    machine.restore(first)
    assert machine.ram.read64(machine.ram.first_ppn << 12) == 0
    machine.restore(second)
    assert machine.ram.read64(machine.ram.first_ppn << 12) == 1
    assert state(machine)


def test_a_page_that_was_read_gets_its_d_bit_when_it_is_written_though_the_tlb_holds_it() -> None:
    board = Board([i("ld", rd=6, rs1=5), i("ld", rd=6, rs1=5), i("sd", rs1=5, rs2=6)], registers={5: DATA_VA})
    board.run(2)
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == PTE_A
    board.run(1)
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == PTE_A | PTE_D


@pytest.mark.parametrize(("level", "odd"), [(1, 1), (1, 256), (2, 1), (2, 512)])
def test_a_superpage_must_be_aligned_to_its_size(level: int, odd: int) -> None:
    va = 3 << 30
    board = Board([i("ld", rd=6, rs1=5)], registers={5: va})
    board.map(va, board.ram.first_ppn, RW, level)
    result = board.run(1)
    assert result.retired == 1, "an aligned one is a page like others"
    board = Board([i("ld", rd=6, rs1=5)], registers={5: va})
    board.map(va, board.ram.first_ppn + odd, RW, level)
    result = board.run(1)
    assert result.trap is not None
    assert (result.trap.cause, result.trap.tval) == (Cause.LOAD_PAGE, va)
