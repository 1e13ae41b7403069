"""Accesses of regions: one check for many pages and for many accesses, and yet each one means what it always does."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.support import CODE_VA, DATA_VA, ECALL, RW, Board, R, i, registers_of
from vm.isa.cause import Cause
from vm.mmu import PTE_A, PTE_D, make_pte, make_satp
from vm.native.slots import FEW
from vm.ram import PAGE
from vm.trap import Exit, Trap

pytestmark = pytest.mark.usefixtures("eager")

PAGES = 60
TOUCHED = RW | PTE_A | PTE_D
READS = [word for at in (24, 8, 16, 0) for word in (i("ld", rd=6, rs1=8, imm=at), i("add", rd=5, rs1=5, rs2=6))]
#: Adds the words at x8 up to x8 + 24 to x5, and stores the sum at x8 + 32; then x8 += x9, up to x10.
SUMS = [
    *READS,
    i("sd", rs1=8, rs2=5, imm=32),
    i("add", rd=8, rs1=8, rs2=9),
    i("bltu", rs1=8, rs2=10, imm=-40),
    ECALL,
]
#: The same without the store.
LOADS = [*READS, i("add", rd=8, rs1=8, rs2=9), i("bltu", rs1=8, rs2=10, imm=-36), ECALL]


def summed(engine: str, order: list[int], words: list[int] = SUMS) -> Board:
    """A board whose data pages have their frames in this order, each full of its own number in every word."""
    board = Board(words, data_pages=len(order), engine=engine)
    for page, number in enumerate(order):
        ppn = board.data_ppns[number]
        board.ram.write(ppn * PAGE, (number + 1).to_bytes(8, "little") * (PAGE // 8))
        board.map(DATA_VA + page * PAGE, ppn, TOUCHED)
    return board


def go(board: Board, start: int = DATA_VA, step: int = 512, pages: int = PAGES) -> Exit:
    """Run the loop from `start` on."""
    return go_to(board, start, DATA_VA + pages * PAGE, step)


def go_to(board: Board, start: int, end: int, step: int = 512) -> Exit:
    """Run the loop from `start` to `end`. It is hot at once: on the llvm engine a region runs it."""
    result = loop(board, start, end, step)
    assert board.machine.stats.get("regions") != 0
    return result


def loop(board: Board, start: int, end: int, step: int) -> Exit:
    """The same, with a region or without."""
    board.hart.pc = CODE_VA
    board.hart.x[5], board.hart.x[8], board.hart.x[9], board.hart.x[10] = 0, start, step, end
    return board.run(1 << 20)


def same(boards: list[Board], *results: Exit) -> None:
    """Both boards have come to the same."""
    assert results[0] == results[1]
    assert registers_of(boards[0].hart) == registers_of(boards[1].hart)
    assert boards[0].state() == boards[1].state()


ORDERS = {
    "upwards": list(range(PAGES)),
    "downwards": list(range(PAGES))[::-1],
    "in pairs": [page ^ 1 for page in range(PAGES)],
    "in runs of five": [page // 5 * 5 + 4 - page % 5 if page // 5 % 2 else page for page in range(PAGES)],
}


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("step", [512, 4096, 4088, 1000])
def test_whatever_the_order_of_frames_the_right_words_are_read(order: str, step: int) -> None:
    boards = [summed(engine, ORDERS[order]) for engine in ("python", "llvm")]
    same(boards, *(go(board, step=step, pages=PAGES - 1) for board in boards))


def test_frames_in_a_row_need_one_walk() -> None:
    """One for loads and one for stores, when all frames are open for them; of the code, nothing is left to find."""
    board = summed("llvm", ORDERS["upwards"])
    go(board)
    board.machine.sfence(board.asid, None)
    before = board.machine.stats["tlb_misses"]
    go(board)
    assert board.machine.stats["regions"] == 1
    assert board.machine.stats["tlb_misses"] == before + 2


def test_a_page_in_the_middle_of_a_run_can_be_mapped_anew() -> None:
    boards = [summed(engine, ORDERS["upwards"]) for engine in ("python", "llvm")]
    for board in boards:
        go(board)
        board.map(DATA_VA + 30 * PAGE, board.data_ppns[2], TOUCHED)
        board.machine.sfence(board.asid, DATA_VA + 30 * PAGE)
    same(boards, *(go(board) for board in boards))


def test_a_page_in_the_middle_of_a_run_can_be_taken_away() -> None:
    board = summed("llvm", ORDERS["upwards"])
    go(board)
    board.map(DATA_VA + 30 * PAGE, 0, 0)
    board.machine.sfence(board.asid, DATA_VA + 30 * PAGE)
    result = go(board)
    assert result == Exit(30 * 8 * 11, Trap(Cause.LOAD_PAGE, CODE_VA, DATA_VA + 30 * PAGE + 24))


def test_a_run_for_stores_ends_before_a_page_that_may_be_read_only() -> None:
    """Its frame is open still: somebody else may store there."""
    board = summed("llvm", ORDERS["upwards"])
    go(board)
    board.map(DATA_VA + 30 * PAGE, board.data_ppns[30], R | PTE_A | PTE_D)
    board.machine.sfence(board.asid, DATA_VA + 30 * PAGE)
    result = go(board)
    assert result == Exit(30 * 8 * 11 + 8, Trap(Cause.STORE_PAGE, CODE_VA + 32, DATA_VA + 30 * PAGE + 32))


@pytest.mark.parametrize(("words", "flags"), [(LOADS, RW), (SUMS, RW), (SUMS, RW | PTE_A)])
def test_a_run_ends_before_pages_whose_a_or_d_bit_is_to_be_set(words: list[int], flags: int) -> None:
    """Where there are stores all frames are open already: nothing but the bits ends the run."""
    boards = [summed(engine, ORDERS["upwards"], words) for engine in ("python", "llvm")]
    for board in boards:
        go(board)
        for page in range(30, 50):
            board.map(DATA_VA + page * PAGE, board.data_ppns[page], flags)
        board.machine.sfence(board.asid, None)
    same(boards, *(go(board, DATA_VA + 20 * PAGE, pages=45) for board in boards))
    assert boards[1].pte(DATA_VA + 40 * PAGE) & PTE_A


def test_stores_through_a_run_are_seen_again_after_a_snapshot() -> None:
    written = []
    for engine in ("python", "llvm"):
        board = summed(engine, ORDERS["upwards"])
        go(board)
        board.machine.snapshot()
        assert not board.ram.dirty
        go(board)
        written.append(sorted(board.ram.dirty))
    assert written[0] == written[1]
    assert len(written[0]) >= PAGES


def test_two_address_spaces_use_one_region_with_runs_of_their_own() -> None:
    """Their code is the same frame; their data is not."""
    boards = [summed(engine, ORDERS["upwards"]) for engine in ("python", "llvm")]
    for board in boards:
        other = board.pages.frame()
        board.pages.map(other, CODE_VA, board.code_ppn, board.pte(CODE_VA) & 0x3FF)
        for page in range(PAGES):
            board.pages.map(other, DATA_VA + page * PAGE, board.data_ppns[PAGES - 1 - page], TOUCHED)
        for turn in range(6):
            board.hart.satp = make_satp(1 + turn % 2, other if turn % 2 else board.root)
            go(board, step=2048 + 64 * turn)
    same(boards, *(go(board) for board in boards))


def test_an_instruction_between_data_is_not_in_a_run_for_stores() -> None:
    """A page of code in the middle of the data: what is stored there is what runs then."""
    results = []
    for engine in ("python", "llvm"):
        board = summed(engine, ORDERS["upwards"])
        board.map(DATA_VA + 30 * PAGE, board.code_ppn, TOUCHED)
        # The sum that is stored over the ECALL of its own loop is no instruction any more.
        results.append((go(board, DATA_VA + 28 * PAGE + 16, step=16), registers_of(board.hart), board.state()))
    assert results[0] == results[1]


# --- where a run must end ---------------------------------------------------------------------------------------

#: Pages on each side of a border between two lowest tables, and where that is.
SIDE = 8
BORDER = 0x60_0000
FIRST, END = BORDER - SIDE * PAGE, BORDER + SIDE * PAGE
FORTH, BACK = list(range(SIDE)), list(range(SIDE))[::-1]


def bordered(engine: str, below: list[int], above: list[int]) -> Board:
    """A board with data on both sides of BORDER: the frames of the pages below it, and of those above, in this order.

    Between the two tables lies a frame that looks as if all frames were in a row: it goes on as the first table would,
    and ends as the second one would begin.
    """
    board = Board(SUMS, data_pages=2 * SIDE, engine=engine)
    lower, upper = board.data_ppns[:SIDE], board.data_ppns[SIDE:]
    for ppn in board.data_ppns:
        board.ram.write(ppn * PAGE, ppn.to_bytes(8, "little") * (PAGE // 8))
    table = board.pages.entry(board.root, FIRST) // PAGE
    between = board.pages.frame()
    assert [table, board.pages.entry(board.root, BORDER) // PAGE] == [between - 1, between + 1]
    for page in range(SIDE):
        board.map(FIRST + page * PAGE, lower[below[page]], TOUCHED)
        board.map(BORDER + page * PAGE, upper[above[page]], TOUCHED)
        board.ram.write64(between * PAGE + page * 8, make_pte(upper[page], TOUCHED))
        board.ram.write64(between * PAGE + PAGE - (SIDE - page) * 8, make_pte(lower[page], TOUCHED))
    return board


@pytest.mark.parametrize("start", [FIRST, BORDER + 2 * PAGE])
@pytest.mark.parametrize(("below", "above"), [(FORTH, FORTH), (FORTH, BACK), (BACK, FORTH)])
def test_across_the_end_of_a_table_the_right_words_are_read(below: list[int], above: list[int], start: int) -> None:
    """Whether the first access is below the border or above it (not beside it): runs are looked for to both sides."""
    boards = [bordered(engine, below, above) for engine in ("python", "llvm")]
    for first in (start, FIRST):
        same(boards, *(go_to(board, first, END - PAGE) for board in boards))
    assert boards[1].machine.stats["regions"] == 1


@pytest.mark.parametrize("start", [FIRST, BORDER + 2 * PAGE])
def test_frames_in_a_row_need_one_walk_across_the_end_of_a_table(start: int) -> None:
    board = bordered("llvm", FORTH, FORTH)
    go_to(board, FIRST, END - PAGE)
    board.machine.sfence(board.asid, None)
    before = board.machine.stats["tlb_misses"]
    go_to(board, start, END - PAGE)
    go_to(board, FIRST, END - PAGE)
    assert board.machine.stats["tlb_misses"] == before + 2


#: The ends of the lower and the upper half of all addresses. Sv39 does not look at the bits in which they differ.
LOWER_END, UPPER_START = 0x40_0000_0000, 0xFFFF_FFC0_0000_0000


@pytest.mark.parametrize("engine", ["python", "llvm"])
def test_no_run_goes_on_behind_the_lower_half_of_addresses(engine: str) -> None:
    """The page table has entries there: those of the upper half, and their frames are next in the row."""
    board = summed(engine, [0, 1])
    board.map(LOWER_END - PAGE, board.data_ppns[0], TOUCHED)
    board.map(UPPER_START, board.data_ppns[1], TOUCHED)
    result = go_to(board, LOWER_END - PAGE, LOWER_END + PAGE)
    assert result == Exit(8 * 11, Trap(Cause.LOAD_PAGE, CODE_VA, LOWER_END + 24))


@pytest.mark.parametrize("engine", ["python", "llvm"])
def test_no_run_begins_before_the_upper_half_of_addresses(engine: str) -> None:
    board = summed(engine, [0, 1])
    board.map(LOWER_END - PAGE, board.data_ppns[0], TOUCHED)
    board.map(UPPER_START, board.data_ppns[1], TOUCHED)
    assert go_to(board, UPPER_START, UPPER_START + PAGE).trap == Trap(Cause.ECALL, CODE_VA + 44, 0)
    result = go_to(board, UPPER_START - PAGE, UPPER_START)
    assert result == Exit(0, Trap(Cause.LOAD_PAGE, CODE_VA, UPPER_START - PAGE + 24))


@pytest.mark.parametrize("engine", ["python", "llvm"])
@pytest.mark.parametrize("bit", range(54, 64))
def test_a_run_ends_before_a_leaf_with_reserved_bits(bit: int, engine: str) -> None:
    board = summed(engine, ORDERS["upwards"])
    go(board)
    board.map(DATA_VA + 30 * PAGE, board.data_ppns[30], TOUCHED | 1 << bit)
    board.machine.sfence(board.asid, None)
    assert go(board) == Exit(30 * 8 * 11, Trap(Cause.LOAD_PAGE, CODE_VA, DATA_VA + 30 * PAGE + 24))


@pytest.mark.parametrize("engine", ["python", "llvm"])
def test_a_run_ends_where_ram_does(engine: str) -> None:
    """Its last frames are in a row with what is no RAM."""
    board = summed(engine, ORDERS["upwards"])
    end = board.ram.first_ppn + board.ram.frames
    for page in range(8):
        board.map(DATA_VA + page * PAGE, end - 4 + page, TOUCHED)
    assert go(board) == Exit(4 * 8 * 11, Trap(Cause.LOAD_ACCESS, CODE_VA, DATA_VA + 4 * PAGE + 24))


# --- any pages, any accesses -----------------------------------------------------------------------------------


class Access(NamedTuple):
    """A load into or a store of x5, `at` bytes from register `base`: x8, or x11, one step ahead of it."""

    name: str
    at: int
    base: int


class Change(NamedTuple):
    """Page `page` is mapped to frame number `frame` with these flags."""

    page: int
    frame: int
    flags: int


_accesses = st.builds(
    Access,
    st.sampled_from(["ld", "lw", "lbu", "sd", "sh", "sb"]),
    st.sampled_from([-8, -1, 0, 1, 4, 8, 64, 2040]),
    st.sampled_from([8, 8, 11]),
)
#: With few a region has its slots in variables, with more in memory.
_bodies = st.lists(_accesses, min_size=1, max_size=5) | st.lists(_accesses, min_size=FEW + 1, max_size=FEW + 4)
_flags = st.sampled_from([TOUCHED, TOUCHED, TOUCHED, RW, RW | PTE_A, R | PTE_A, 0])
_pages = st.integers(0, 7)
_changes = st.lists(st.builds(Change, _pages, _pages, _flags), max_size=3)
_starts = st.integers(0, 7 * PAGE)
_steps = st.sampled_from([8, 64, 1000, 4096])


def program(accesses: list[Access]) -> list[int]:
    """A loop that makes the accesses at x8 and x11, adds what it loads, and goes on at x8 + x9, up to x10."""
    words = [i("add", rd=11, rs1=8, rs2=9)]
    for name, at, base in accesses:
        if name[0] == "s":
            words += [i(name, rs1=base, rs2=5, imm=at)]
        else:
            words += [i(name, rd=6, rs1=base, imm=at), i("add", rd=5, rs1=5, rs2=6)]
    words += [i("add", rd=8, rs1=8, rs2=9)]
    return [*words, i("bltu", rs1=8, rs2=10, imm=-4 * len(words)), ECALL]


def regions_made(accesses: list[Access], order: list[int], rounds: list[tuple[list[Change], int, int]]) -> int:
    """Both engines do the same in each round, before which pages change. How many regions there were."""
    boards = [Board(program(accesses), data_pages=8, engine=engine) for engine in ("python", "llvm")]
    for board in boards:
        for page, number in enumerate(order):
            board.map(DATA_VA + page * PAGE, board.data_ppns[number], TOUCHED)
    for changes, start, step in rounds:
        results = []
        for board in boards:
            for page, number, flags in changes:
                board.map(DATA_VA + page * PAGE, board.data_ppns[number], flags)
                board.machine.sfence(board.asid, DATA_VA + page * PAGE)
            results.append(loop(board, DATA_VA + start, DATA_VA + 8 * PAGE, step))
        same(boards, *results)
    return boards[1].machine.stats["regions"]


def test_any_accesses_to_any_pages_do_what_they_do_in_python() -> None:
    regions = {"few": 0, "many": 0}

    @given(
        _bodies,
        st.permutations(range(8)) | st.just(list(range(8))),
        st.lists(st.tuples(_changes, _starts, _steps), min_size=1, max_size=3),
    )
    def agree(accesses: list[Access], order: list[int], rounds: list[tuple[list[Change], int, int]]) -> None:
        regions["few" if len(accesses) <= FEW else "many"] += regions_made(accesses, order, rounds)

    agree()
    assert min(regions.values()) > 0
