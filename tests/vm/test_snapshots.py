"""Snapshots: a run continues identically from any of them, and they cost what changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.programs import Program, programs, slicings
from tests.vm.support import CODE_VA, DATA_VA, ECALL, HEAT, RW, RWX, Board, as_bytes, i, state
from vm import engine_python
from vm.hart import Hart
from vm.mmu import PageFault
from vm.ram import RAM_BASE
from vm.snapshot import Snapshot

MEMORY = 64 << 10
FIRST = RAM_BASE >> 12
#: Adds 1 to each of the words from x8 on, a page apart, x31 times.
TOUCH = [
    i("ld", rd=5, rs1=8, imm=0),
    i("addi", rd=5, rs1=5, imm=1),
    i("sd", rs1=8, rs2=5, imm=0),
    i("add", rd=8, rs1=8, rs2=9),
    i("addi", rd=31, rs1=31, imm=-1),
    i("bne", rs1=31, rs2=0, imm=-20),
    ECALL,
]


def touch(board: Board, page: int, pages: int) -> None:
    """Let the guest write `pages` pages of data from page number `page` on."""
    board.hart.pc, board.hart.x[8], board.hart.x[9], board.hart.x[31] = CODE_VA, DATA_VA + page * 4096, 4096, pages
    board.run(10 * pages + 10)


def frames_of(snapshot: Snapshot, board: Board) -> set[int]:
    """The ppns that a snapshot copied."""
    return {frame + FIRST for frame in snapshot.pages}


def step(board: Board, budgets: list[int]) -> None:
    """Run on, over traps too, as far as they leave something to run."""
    for budget in budgets:
        result = board.run(budget)
        if result.trap is not None:
            board.hart.pc += 4


@given(programs(), slicings, slicings, st.sampled_from(sorted(HEAT)))
def test_from_a_snapshot_taken_anywhere_the_run_continues_identically(
    program: Program, first: list[int], rest: list[int], heat: str
) -> None:
    before, engine_python.HOT = engine_python.HOT, HEAT[heat]
    try:
        board = Board([*program.code, ECALL], memory=MEMORY, registers=program.registers, code_flags=RWX)
        step(board, first)
        snapshot, registers, here = board.machine.snapshot(), board.hart.save(), board.state()
        step(board, rest)
        there = board.state()
        for _ in range(2):
            board.machine.restore(snapshot)
            board.hart.load(registers)
            assert board.state() == here
            step(board, rest)
            assert board.state() == there
    finally:
        engine_python.HOT = before


@given(programs(), slicings, st.sampled_from(sorted(HEAT)))
def test_taking_snapshots_changes_nothing(program: Program, slices: list[int], heat: str) -> None:
    before, engine_python.HOT = engine_python.HOT, HEAT[heat]
    try:
        plain = Board([*program.code, ECALL], memory=MEMORY, registers=program.registers)
        step(plain, slices)
        board = Board([*program.code, ECALL], memory=MEMORY, registers=program.registers)
        for budget in slices:
            board.machine.snapshot()
            step(board, [budget])
        assert board.state() == plain.state()
    finally:
        engine_python.HOT = before


@given(st.data())
def test_trees_of_snapshots_are_restored_in_any_order(data: st.DataObject) -> None:
    board = Board(TOUCH, data_pages=6, memory=MEMORY * 2)
    taken: list[tuple[Snapshot, bytes, str]] = []
    for _ in range(data.draw(st.integers(2, 12))):
        action = data.draw(st.sampled_from(("touch", "write", "snapshot", "snapshot", "restore")))
        if action == "touch":
            touch(board, data.draw(st.integers(0, 5)), 1)
        elif action == "write":
            board.ram.write64(data.draw(st.sampled_from(board.data_ppns)) << 12, data.draw(st.integers(0, 99)))
        elif action == "snapshot" or not taken:
            taken.append((board.machine.snapshot(), board.hart.save(), board.state()))
        else:
            go_to(board, *data.draw(st.sampled_from(taken)))
    for entry in data.draw(st.permutations(taken)):
        go_to(board, *entry)


def go_to(board: Board, snapshot: Snapshot, registers: bytes, expected: str) -> None:
    """Restore, and see that all is as it was."""
    board.machine.restore(snapshot)
    board.hart.load(registers)
    assert board.state() == expected


@pytest.mark.usefixtures("heat")
def test_a_snapshot_copies_what_was_written_since_the_last_and_nothing_else() -> None:
    board = Board(TOUCH, data_pages=20)
    touch(board, 0, 20)
    board.machine.snapshot()
    assert frames_of(board.machine.snapshot(), board) == set()
    touch(board, 3, 2)
    assert frames_of(board.machine.snapshot(), board) == set(board.data_ppns[3:5])
    touch(board, 3, 1)
    assert frames_of(board.machine.snapshot(), board) == {board.data_ppns[3]}


def test_a_first_snapshot_copies_only_what_was_ever_written() -> None:
    board = Board(TOUCH, data_pages=3, memory=64 << 20)
    touch(board, 1, 1)
    tables = {board.root, board.root + 2, board.root + 3}
    assert frames_of(board.machine.snapshot(), board) <= tables | {board.code_ppn, board.data_ppns[1]}


@pytest.mark.usefixtures("heat")
def test_the_frames_of_tables_are_copied_when_the_mmu_sets_a_or_d() -> None:
    board = Board(TOUCH, data_pages=2)
    table = board.pages.entry(board.root, DATA_VA) >> 12
    touch(board, 0, 1)
    board.machine.snapshot()
    touch(board, 1, 1)
    assert frames_of(board.machine.snapshot(), board) == {table, board.data_ppns[1]}


@pytest.mark.parametrize("how", ["write", "write64", "zero_frame", "copy_frame"])
def test_what_the_kernel_writes_is_copied(how: str) -> None:
    board = Board(TOUCH, data_pages=2)
    board.machine.snapshot()
    ppn, other = board.data_ppns
    arguments = {"write": (b"x",), "write64": (1,)}
    if how == "copy_frame":
        board.ram.copy_frame(ppn, other)
    elif how == "zero_frame":
        board.ram.zero_frame(ppn)
    else:
        getattr(board.ram, how)(ppn << 12, *arguments[how])
    assert frames_of(board.machine.snapshot(), board) == {ppn}


def test_a_write_across_two_frames_dirties_both() -> None:
    board = Board(TOUCH, data_pages=2)
    board.machine.snapshot()
    board.ram.write((board.data_ppns[0] << 12) + 4090, bytes(10))
    assert frames_of(board.machine.snapshot(), board) == set(board.data_ppns)


def test_reading_copies_nothing() -> None:
    board = Board([i("ld", rd=5, rs1=8, imm=0), ECALL], registers={8: DATA_VA})
    board.run()
    board.machine.snapshot()
    board.hart.pc = CODE_VA
    board.run()
    board.machine.translate(board.hart, DATA_VA, "load")
    board.ram.read(board.data_ppns[0] << 12, 4096)
    board.ram.view64(board.data_ppns[0])
    assert frames_of(board.machine.snapshot(), board) == set()


def test_a_store_of_the_kernel_through_translate_is_copied() -> None:
    board = Board(TOUCH, data_pages=2)
    touch(board, 0, 2)
    board.machine.snapshot()
    board.ram.write(board.machine.translate(board.hart, DATA_VA + 5, "store"), b"abc")
    assert frames_of(board.machine.snapshot(), board) == {board.data_ppns[0]}


@pytest.mark.usefixtures("heat")
def test_restoring_brings_back_old_code_and_old_mappings() -> None:
    board = Board([i("addi", rd=5, rs1=0, imm=1), ECALL])
    old = board.machine.snapshot(), board.hart.save()
    for _ in range(20):
        board.hart.pc = CODE_VA
        board.run()
    board.ram.write(board.code_ppn << 12, as_bytes([i("addi", rd=5, rs1=0, imm=2)]))
    board.map(DATA_VA + 0x10000, board.data_ppns[0], RW)
    board.machine.translate(board.hart, DATA_VA + 0x10000, "load")
    new = board.machine.snapshot(), board.hart.save()
    for (snapshot, registers), expected in ((old, 1), (new, 2), (old, 1)):
        board.machine.restore(snapshot)
        board.hart.load(registers)
        board.hart.pc = CODE_VA
        board.run()
        assert board.hart.x[5] == expected
    with pytest.raises(PageFault):
        board.machine.translate(board.hart, DATA_VA + 0x10000, "load")


def test_clock_and_retired_come_back() -> None:
    board = Board([i("jal", rd=0, imm=0)])
    board.run(100)
    board.machine.clock += 1000
    snapshot = board.machine.snapshot()
    board.run(50)
    board.machine.restore(snapshot)
    assert (board.machine.clock, board.machine.retired) == (1100, 100)


def test_a_hart_is_saved_whole() -> None:
    hart = Hart()
    hart.x[1:32] = memoryview(b"".join(n.to_bytes(8, "little") for n in range(1, 32))).cast("B").cast("Q")
    hart.pc, hart.satp = 0x1234, 8 << 60 | 5
    copy = Hart(hart.save())
    assert copy.save() == hart.save()
    copy.clear_reservation()
    assert (copy.pc, copy.satp, list(copy.x[:32])) == (0x1234, 8 << 60 | 5, list(range(32)))
    assert copy.x[0] == 0


def test_ten_thousand_snapshots_in_a_row_can_be_gone_back_to() -> None:
    board = Board(TOUCH, data_pages=2, memory=MEMORY)
    touch(board, 0, 1)
    first, digest = board.machine.snapshot(), state(board.machine)
    for number in range(10_000):
        board.ram.write64(board.data_ppns[1] << 12, number)
        board.machine.snapshot()
    board.machine.restore(first)
    assert state(board.machine) == digest
