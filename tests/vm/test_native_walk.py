"""The llvm engine's own walk of the page tables: what the python engine's MMU does, without its help."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.vm.support import CODE_VA, DATA_VA, ECALL, MASK, RW, RX, Board, R, i, registers_of
from tests.vm.tables import FRAMES, Scene, lay_out, scenes
from vm.hart import Hart
from vm.isa.cause import Cause
from vm.machine import Machine
from vm.mmu import PTE_A, PTE_D, PTE_R
from vm.ram import RAM_BASE
from vm.trap import Exit, Trap

MEMORY = 8 << 20
PAGES = 50
#: Adds up the words at x8, x8 + x9, ... up to x10, in x5.
READ = [
    i("ld", rd=6, rs1=8, imm=0),
    i("add", rd=5, rs1=5, rs2=6),
    i("add", rd=8, rs1=8, rs2=9),
    i("bltu", rs1=8, rs2=10, imm=-12),
    ECALL,
]
#: Stores x8 at x8, x8 + x9, ... up to x10.
WRITE = [
    i("sd", rs1=8, rs2=8, imm=0),
    i("add", rd=8, rs1=8, rs2=9),
    i("bltu", rs1=8, rs2=10, imm=-8),
    ECALL,
]
#: Where a superpage of each level is mapped, of which frame, and at which offset what is read and written lies.
SUPERPAGES = {1: (0x60_0000, 0x80200, 0x40_000), 2: (3 << 30, 0x80000, 0x24_0000)}


def touch(board: Board, va: int, pages: int = PAGES) -> Exit:
    """Run the board's program over `pages` pages from `va` on."""
    board.hart.pc = CODE_VA
    board.hart.x[5], board.hart.x[8], board.hart.x[9], board.hart.x[10] = 0, va, 4096, va + pages * 4096
    return board.run()


def helped(board: Board) -> int:
    """How often native code asked for help."""
    return board.machine.stats["instructions_helped"]


def superpage(program: list[int], level: int, engine: str) -> tuple[Board, int, int]:
    """A board with a superpage; the address and the ppn to touch."""
    board = Board(program, memory=MEMORY, engine=engine)
    va, ppn, offset = SUPERPAGES[level]
    board.map(va, ppn, RW, level)
    frame = ppn + (offset >> 12)
    for page in range(PAGES):
        board.ram.write64((frame + page) << 12, page + 1)
    return board, va + offset, frame


@pytest.mark.parametrize("level", list(SUPERPAGES))
@pytest.mark.parametrize("program", [READ, WRITE], ids=["read", "written"])
def test_a_superpage_needs_no_help(program: list[int], level: int) -> None:
    states = []
    for engine in ("python", "llvm"):
        board, va, _ = superpage(program, level, engine)
        result = touch(board, va)
        assert result.trap is not None and result.trap.cause == Cause.ECALL
        states.append((result, registers_of(board.hart), board.state()))
    assert states[0] == states[1]
    assert program is WRITE or board.hart.x[5] == sum(range(1, PAGES + 1))
    assert helped(board) == 0
    assert board.machine.stats["tlb_misses"] == PAGES


@pytest.mark.parametrize("level", list(SUPERPAGES))
def test_sfence_of_any_page_forgets_a_superpage_that_only_native_code_walked(level: int) -> None:
    """Python saw no superpage here, but must know that there is one."""
    board, va, _ = superpage(READ, level, "llvm")
    touch(board, va, 2)
    assert board.hart.x[5] == 3 and helped(board) == 0
    board.map(SUPERPAGES[level][0], 0, 0, level)
    board.machine.sfence(board.asid, SUPERPAGES[level][0] + 0x1000)
    assert touch(board, va, 2) == Exit(0, Trap(Cause.LOAD_PAGE, CODE_VA, va))


@pytest.mark.parametrize(("level", "odd"), [(1, 1), (1, 256), (2, 1), (2, 512)])
def test_a_misaligned_superpage_faults(level: int, odd: int) -> None:
    board = Board(READ, memory=MEMORY, engine="llvm")
    board.map(3 << 30, 0x80000 + odd, RW, level)
    assert touch(board, 3 << 30) == Exit(0, Trap(Cause.LOAD_PAGE, CODE_VA, 3 << 30))


def test_a_superpage_that_memory_does_not_fill_ends_where_memory_does() -> None:
    board = Board(READ, memory=MEMORY, engine="llvm")
    board.map(3 << 30, 0x80000, RW, 2)
    end = (3 << 30) + MEMORY
    result = touch(board, end - 2 * 4096)
    assert result == Exit(8, Trap(Cause.LOAD_ACCESS, CODE_VA, end))


# --- A and D, frames that are opened --------------------------------------------------------------------------


@pytest.mark.parametrize(("program", "bits"), [(READ, PTE_A), (WRITE, PTE_A | PTE_D)], ids=["read", "written"])
def test_a_and_d_are_set_without_help_where_nobody_wants_to_know(program: list[int], bits: int) -> None:
    states = []
    for engine in ("python", "llvm"):
        board = Board(program, data_pages=PAGES, engine=engine)
        for ppn in board.data_ppns:
            board.ram.write64(ppn << 12, ppn)
        states.append((touch(board, DATA_VA), registers_of(board.hart), board.state()))
    assert states[0] == states[1]
    assert [board.pte(DATA_VA + 4096 * n) & (PTE_A | PTE_D) for n in range(PAGES)] == [bits] * PAGES
    assert helped(board) == 0


def test_what_is_first_written_after_a_snapshot_is_in_the_next_one() -> None:
    """The data's frames and that of the table whose D bits change, though nobody but native code saw the stores."""
    board = Board(WRITE, data_pages=PAGES, engine="llvm")
    table = (board.pages.entry(board.root, DATA_VA) >> 12) - board.ram.first_ppn
    frames = [ppn - board.ram.first_ppn for ppn in board.data_ppns]
    before = board.machine.snapshot()
    touch(board, DATA_VA)
    assert helped(board) == 0
    after = board.machine.snapshot()
    assert {table, *frames} <= set(after.pages)
    touch(board, DATA_VA)
    assert set(frames) <= set(board.machine.snapshot().pages)
    board.machine.restore(before)
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == 0
    board.machine.restore(after)
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == PTE_A | PTE_D


def test_loads_after_a_snapshot_mark_the_table_whose_a_bits_they_set() -> None:
    board = Board(READ, data_pages=2, engine="llvm")
    table = (board.pages.entry(board.root, DATA_VA) >> 12) - board.ram.first_ppn
    touch(board, DATA_VA, 1)  # sets A of the code's page, whose entry lies in the same table
    board.machine.snapshot()
    touch(board, DATA_VA + 4096, 1)
    assert helped(board) == 0
    assert set(board.machine.snapshot().pages) == {table}


@pytest.mark.parametrize("engine", ["python", "llvm"])
def test_a_frame_is_listed_once_however_often_it_is_written(engine: str) -> None:
    """By the host, by a program, and once more after a snapshot; those that were never written are not listed."""
    board = Board(WRITE, data_pages=PAGES, engine=engine)
    frames = [ppn - board.ram.first_ppn for ppn in board.data_ppns]
    board.ram.write64(board.data_ppns[3] << 12, 0)
    touch(board, DATA_VA, 9)
    touch(board, DATA_VA, 9)
    dirty = board.ram.dirty
    assert len(dirty) == len(set(dirty)) and set(dirty) & set(frames) == set(frames[:9])
    board.machine.snapshot()
    assert board.ram.dirty == []
    touch(board, DATA_VA, 5)
    board.ram.write64(board.data_ppns[3] << 12, 0)
    assert board.ram.dirty == frames[:5]


def test_a_store_that_opened_a_frame_is_seen_once_the_frame_holds_code() -> None:
    """Native code opened it; then its content is run, and written over: the new instruction runs."""
    code = [i("sd", rs1=8, rs2=9, imm=0), i("jalr", rd=1, rs1=8, imm=0), ECALL]
    board = Board(code, engine="llvm", registers={8: DATA_VA})
    board.ram.write64(board.data_ppns[0] << 12, 0)
    board.map(DATA_VA, board.data_ppns[0], RW | RX)
    back = i("jalr", rd=0, rs1=1, imm=0) << 32
    for number in (11, 22, 33):
        board.hart.pc, board.hart.x[9] = CODE_VA, i("addi", rd=5, rs1=0, imm=number) | back
        assert board.run().trap == Trap(Cause.ECALL, CODE_VA + 8, 0)
        assert board.hart.x[5] == number


def test_an_a_bit_that_changes_an_instruction_is_seen() -> None:
    """The page table runs as code: with A, an entry that was an auipc is no instruction any more."""
    board = Board([ECALL], engine="llvm")
    slot = board.pages.entry(board.root, DATA_VA)
    assert board.ram.read32(slot) & 0x7F == 0x17, "V, R, W and U are the opcode of auipc"
    board.map(CODE_VA, slot >> 12, RX)
    at, program = CODE_VA + slot % 4096, CODE_VA + 2048
    board.ram.write((slot & -4096) + 2048, i("ld", rd=6, rs1=8).to_bytes(4, "little") + ECALL.to_bytes(4, "little"))
    board.hart.x[8] = DATA_VA
    board.hart.pc = at
    assert board.run() == Exit(1, Trap(Cause.ILLEGAL, at + 4, 0))
    board.hart.pc = program
    assert board.run() == Exit(1, Trap(Cause.ECALL, program + 4, 0))
    board.hart.pc = at
    result = board.run()
    assert result == Exit(0, Trap(Cause.ILLEGAL, at, board.ram.read32(slot)))


def test_a_page_without_the_right_to_be_written_gets_no_bits() -> None:
    board = Board(WRITE, engine="llvm")
    board.map(DATA_VA, board.data_ppns[0], R)
    board.ram.write64(board.data_ppns[0] << 12, 0)
    assert touch(board, DATA_VA) == Exit(0, Trap(Cause.STORE_PAGE, CODE_VA, DATA_VA))
    assert board.pte(DATA_VA) & (PTE_A | PTE_D) == 0


@pytest.mark.parametrize(
    ("program", "cause", "offset"),
    [
        (READ, Cause.LOAD_PAGE, 0),
        (WRITE, Cause.STORE_PAGE, 8),
        ([i("amoadd.w", rd=5, rs1=8), ECALL], Cause.STORE_PAGE, 4),
    ],
)
def test_a_page_fault_needs_no_help_and_says_what_python_says(program: list[int], cause: int, offset: int) -> None:
    """Nothing is mapped there, and then a page that may only be executed."""
    ends = []
    for engine in ("python", "llvm"):
        board = Board(program, engine=engine)
        faults = [touch(board, 0x7000_0000 + offset)]
        board.map(0x7000_0000, board.data_ppns[0], RX & ~PTE_R)
        faults.append(touch(board, 0x7000_0000 + offset))
        assert faults == [Exit(0, Trap(cause, CODE_VA, 0x7000_0000 + offset))] * 2
        ends.append((registers_of(board.hart), board.machine.stats["tlb_misses"]))
    assert ends[0] == ends[1]
    assert helped(board) == 0


# --- random tables --------------------------------------------------------------------------------------------

SLOT_PPN = RAM_BASE + (1 << 20) >> 12


@given(scenes())
def test_random_tables_and_accesses_do_what_the_manual_says(scene: Scene) -> None:
    case = lay_out(scene, SLOT_PPN, range(RAM_BASE, RAM_BASE + (2 << 20)))
    machine = Machine(2 << 20, "llvm")
    machine.ram.write(SLOT_PPN << 12, case.slot)
    hart = Hart(case.hart.save())
    result = machine.run(hart, 1000)
    assert result.trap is not None
    assert (result.trap.cause, result.trap.tval) == (case.expected.trap or (Cause.ECALL, 0)), case.accesses
    assert {number: hart.x[number] & MASK for number in case.expected.loaded} == case.expected.loaded
    assert machine.ram.read(SLOT_PPN << 12, FRAMES * 4096) == case.expected.slot
