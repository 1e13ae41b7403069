"""The corners of single instructions, with the values that the manual states."""

from __future__ import annotations

import pytest

from tests.vm.support import CODE_VA, DATA_VA, ECALL, MASK, RX, Board, R, i, registers_of
from vm.isa import TABLE
from vm.isa.expr import SetX
from vm.trap import Cause, Exit, Trap

pytestmark = pytest.mark.usefixtures("heat")
LEAST = 1 << 63
LEAST_W = 0xFFFF_FFFF_8000_0000


def result(name: str, a: int, b: int) -> int:
    """rd of a register-register instruction; run twice, so that compiled code answers too."""
    board = Board([i(name, rd=5, rs1=6, rs2=7), ECALL], registers={6: a, 7: b})
    for _ in range(3):
        board.hart.pc, board.hart.x[5] = CODE_VA, 0x77
        board.run()
    return int(board.hart.x[5])


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [  # Unprivileged 12.2, Table 11
        ("div", 7, 0, MASK),
        ("divu", 7, 0, MASK),
        ("rem", -7 & MASK, 0, -7 & MASK),
        ("remu", 7, 0, 7),
        ("div", LEAST, MASK, LEAST),
        ("rem", LEAST, MASK, 0),
        ("divw", 7, 1 << 32, MASK),
        ("divuw", 7, 1 << 32, MASK),
        ("remw", 0x1_8000_0001, 0, 0xFFFF_FFFF_8000_0001),
        ("remuw", 0x1_8000_0001, 0, 0xFFFF_FFFF_8000_0001),
        ("divw", 0x8000_0000, 0xFFFF_FFFF, LEAST_W),
        ("remw", 0x8000_0000, 0xFFFF_FFFF, 0),
        ("div", -7 & MASK, 2, -3 & MASK),
        ("rem", -7 & MASK, 2, -1 & MASK),
        ("rem", 7, -2 & MASK, 1),
        ("mulh", LEAST, LEAST, 1 << 62),
        ("mulhsu", MASK, MASK, MASK),
        ("mulhu", MASK, MASK, MASK - 1),
        ("mulw", 0xFFFF_FFFF, 0xFFFF_FFFF, 1),
        ("sll", 1, 64 + 63, LEAST),
        ("sra", LEAST, 63, MASK),
        ("srlw", LEAST_W, 32, LEAST_W),
        ("sraw", 0x8000_0000, 31, MASK),
        ("sltu", 0, MASK, 1),
        ("slt", 0, MASK, 0),
        ("subw", 0, 0x8000_0000, LEAST_W),
        ("addw", 0x7FFF_FFFF, 1, LEAST_W),
    ],
)
def test_a_corner_of_arithmetic(name: str, a: int, b: int, expected: int) -> None:
    assert result(name, a, b) == expected


@pytest.mark.parametrize(
    "name", [insn.name for insn in TABLE.values() if any(isinstance(e, SetX) for e in insn.effects)]
)
def test_x0_is_never_written(name: str) -> None:
    insn = TABLE[name]
    fields = {"rd": 0} | {field: 8 for field in ("rs1",) if field in insn.fields and "csr" not in insn.fields}
    fields |= {"csr": 0xC00} if "csr" in insn.fields else {}
    fields |= {"imm": 4} if name == "jal" else {}
    board = Board([insn.encode(**fields), ECALL], registers={8: CODE_VA + 4 if name == "jalr" else DATA_VA})
    for _ in range(3):
        board.hart.pc = CODE_VA
        board.run()
        assert board.hart.x[0] == 0


@pytest.mark.parametrize("name", ["lb", "ld", "amoadd.w", "lr.d"])
def test_a_load_to_x0_faults_all_the_same(name: str) -> None:
    board = Board([i(name, rd=0, rs1=8)], registers={8: 0x9000})
    cause = Cause.STORE_PAGE if name.startswith("amo") else Cause.LOAD_PAGE
    assert board.run() == Exit(0, Trap(cause, CODE_VA, 0x9000))


def test_jalr_may_link_the_register_that_it_jumps_by() -> None:
    board = Board([i("jalr", rd=5, rs1=5, imm=9), ECALL, ECALL], registers={5: CODE_VA})
    assert board.run() == Exit(1, Trap(Cause.ECALL, CODE_VA + 8, 0))
    assert board.hart.x[5] == CODE_VA + 4


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith(("amo", "sc."))])
def test_a_misaligned_atomic_store_is_a_store_fault_that_changes_nothing(name: str) -> None:
    board = Board([i(name, rd=5, rs1=8, rs2=9)], registers={8: DATA_VA + 2, 9: 1, 5: 55})
    before = registers_of(board.hart)
    assert board.run() == Exit(0, Trap(Cause.STORE_MISALIGNED, CODE_VA, DATA_VA + 2))
    assert registers_of(board.hart) == before


@pytest.mark.parametrize("name", ["lr.w", "lr.d"])
def test_a_misaligned_lr_is_a_load_fault(name: str) -> None:
    board = Board([i(name, rd=5, rs1=8)], registers={8: DATA_VA + 2})
    assert board.run() == Exit(0, Trap(Cause.LOAD_MISALIGNED, CODE_VA, DATA_VA + 2))


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("amo")])
def test_an_amo_on_a_read_only_page_is_a_store_fault(name: str) -> None:
    board = Board([i(name, rd=5, rs1=8, rs2=9)], registers={8: DATA_VA})
    board.map(DATA_VA, board.data_ppns[0], R)
    assert board.run() == Exit(0, Trap(Cause.STORE_PAGE, CODE_VA, DATA_VA))


# --- reservations (Unprivileged 13.2) ---------------------------------------------------------------------------

LR, SC = i("lr.d", rd=5, rs1=8), i("sc.d", rd=6, rs1=8, rs2=9)


def after(*code: int, **more: int) -> Board:
    """Run code that ends in an ecall, with x8 pointing to data and x9 = 99."""
    board = Board(
        [*code, ECALL], registers={8: DATA_VA, 10: DATA_VA + 8, 9: 99, 6: 7, **{int(k[1:]): v for k, v in more.items()}}
    )
    board.run()
    return board


def test_sc_after_lr_stores_once_and_a_second_fails() -> None:
    board = after(LR, SC, i("sc.d", rd=7, rs1=8, rs2=8))
    assert (board.hart.x[6], board.hart.x[7]) == (0, 1)
    assert board.ram.read64(board.data_ppns[0] << 12) == 99


def test_sc_without_lr_fails_and_stores_nothing() -> None:
    board = after(SC)
    assert (board.hart.x[6], board.ram.read64(board.data_ppns[0] << 12)) == (1, 0)


def test_sc_to_another_address_fails_and_drops_the_reservation() -> None:
    board = after(LR, i("sc.d", rd=7, rs1=10, rs2=9), SC)
    assert (board.hart.x[7], board.hart.x[6]) == (1, 1)


def test_the_last_lr_counts() -> None:
    assert after(i("lr.d", rd=5, rs1=10), LR, SC).hart.x[6] == 0
    assert after(LR, i("lr.d", rd=5, rs1=10), SC).hart.x[6] == 1


def test_a_switch_of_task_drops_the_reservation() -> None:
    board = Board([LR, SC, ECALL], registers={8: DATA_VA, 9: 99})
    board.run(1)
    board.hart.clear_reservation()
    board.run()
    assert board.hart.x[6] == 1


def test_an_lr_that_faults_reserves_nothing() -> None:
    board = Board([LR, SC], registers={8: 0x9000, 9: 99})
    before = board.hart.reservation
    assert board.run() == Exit(0, Trap(Cause.LOAD_PAGE, CODE_VA, 0x9000))
    assert board.hart.reservation == before


def test_sc_may_have_the_same_register_for_value_and_result() -> None:
    board = after(LR, i("sc.d", rd=9, rs1=8, rs2=9))
    assert (board.hart.x[9], board.ram.read64(board.data_ppns[0] << 12)) == (0, 99)


def test_an_sc_whose_page_became_read_only_faults_and_keeps_its_reservation() -> None:
    board = Board([LR, SC, ECALL], registers={8: DATA_VA, 9: 99})
    board.run(1)
    board.map(DATA_VA, board.data_ppns[0], R)
    board.machine.sfence()
    assert board.run() == Exit(0, Trap(Cause.STORE_PAGE, CODE_VA + 4, DATA_VA))
    board.map(DATA_VA, board.data_ppns[0], R | 4)
    board.machine.sfence()
    board.run()
    assert board.hart.x[6] == 0


def test_the_highest_page_of_memory_can_hold_code_and_data() -> None:
    """Addresses end at 2**64: pc-relative and base-relative ones wrap."""
    top = (1 << 64) - 4096
    board = Board([ECALL])
    code = [i("auipc", rd=5, imm=0x1000), i("ld", rd=6, rs1=0, imm=-8), i("jal", rd=0, imm=-8 + 4096)]
    words = b"".join(word.to_bytes(4, "little") for word in code)
    board.map(top, board.pages.frame(words + bytes(4076) + (77).to_bytes(8, "little")), RX)
    board.map(0, board.pages.frame(ECALL.to_bytes(4, "little")), RX)
    for _ in range(3):
        board.hart.pc = top
        assert board.run() == Exit(3, Trap(Cause.ECALL, 0, 0))
        assert (board.hart.x[5], board.hart.x[6]) == (0, 77)
