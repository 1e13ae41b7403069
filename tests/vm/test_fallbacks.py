"""Every instruction has its native translation; one that had none would be python's, and counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import fallbacks
from tests.vm.support import CODE_VA, ECALL, ILLEGAL, Board, i, registers_of
from vm.isa import TABLE
from vm.isa.spec import Insn
from vm.native import code, ir
from vm.trap import Cause, Exit, Trap

#: Multiplies x5 by x6 as often as x31 says.
MULTIPLY = [
    i("mul", rd=5, rs1=5, rs2=6),
    i("addi", rd=31, rs1=31, imm=-1),
    i("bne", rs1=31, rs2=0, imm=-8),
    ECALL,
]
BRANCHES = ("beq", "bne", "blt", "bge", "bltu", "bgeu")


@pytest.mark.parametrize("insn", TABLE.values(), ids=lambda insn: insn.name)
def test_every_instruction_has_native_code(insn: Insn) -> None:
    assert ir.can_render(insn)


@pytest.fixture
def no_multiplication(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if native code could not multiply."""
    monkeypatch.delitem(ir._BINARY, "mul")
    monkeypatch.setattr(code, "_natives", {})
    code._parts.cache_clear()
    yield
    code._parts.cache_clear()


@pytest.mark.usefixtures("no_multiplication")
def test_an_instruction_without_native_code_is_python_s_and_counted_and_fails_the_test() -> None:
    assert not ir.can_render(TABLE["mul"])
    states = []
    for engine in ("python", "llvm"):
        board = Board(MULTIPLY, registers={5: 1, 6: 3, 31: 30}, engine=engine)
        states.append((board.run(), registers_of(board.hart), board.state()))
    assert states[0] == states[1]
    assert board.hart.x[5] == 3**30
    assert board.machine.stats["python_fallbacks"] == 30
    with pytest.raises(AssertionError, match="without a native translation: mul t0,t0,t1"):
        fallbacks.demand_none()


def test_a_machine_in_another_process_tells_by_its_statistics() -> None:
    fallbacks.demand_none_in("  instructions helped   7\n  python fallbacks      0\n")
    with pytest.raises(AssertionError, match="1,200 instructions"):
        fallbacks.demand_none_in("  instructions helped   7\n  python fallbacks  1,200\n")


@pytest.mark.parametrize(
    "word",
    [
        ILLEGAL,
        i("csrrw", rd=5, csr=0xC00, rs1=6),
        i("csrrwi", rd=0, csr=0xC00, zimm=0),
        i("csrrs", rd=5, csr=0xC00, rs1=6),
        i("csrrs", rd=5, csr=0x300, rs1=0),
        i("csrrw", rd=0, csr=0x300, rs1=0),
    ],
)
def test_what_is_illegal_traps_without_help(word: int) -> None:
    for engine in ("python", "llvm"):
        board = Board([i("addi", rd=5, rs1=0, imm=1), word, ECALL], registers={6: 7}, engine=engine)
        assert board.run() == Exit(1, Trap(Cause.ILLEGAL, CODE_VA + 4, word))
        assert board.hart.x[5] == 1
    assert board.machine.stats["instructions_helped"] == 0


@pytest.mark.parametrize("name", BRANCHES)
@pytest.mark.parametrize("far", [0, 4094], ids=["near", "far"])
@pytest.mark.parametrize("values", [(3, 3), (3, 4), (4, 3), ((1 << 64) - 1, 1)])
def test_a_branch_to_where_no_instruction_can_be_needs_help_only_if_it_is_taken(
    name: str, far: int, values: tuple[int, int]
) -> None:
    """The branch is passed by 50 times, if it is not taken."""
    body = [
        i(name, rs1=5, rs2=6, imm=far or 2),
        i("addi", rd=31, rs1=31, imm=-1),
        i("bne", rs1=31, rs2=0, imm=-8),
        ECALL,
    ]
    outcomes = []
    for engine in ("python", "llvm"):
        board = Board(body, registers={5: values[0], 6: values[1], 31: 50}, engine=engine)
        outcomes.append((board.run(), registers_of(board.hart)))
    assert outcomes[0] == outcomes[1]
    trap = outcomes[0][0].trap
    assert trap is not None
    assert board.machine.stats["instructions_helped"] == (trap.cause == Cause.INSTRUCTION_MISALIGNED)


@pytest.mark.parametrize("imm", [2, -2, 4094])
def test_a_jump_to_where_no_instruction_can_be_writes_no_register(imm: int) -> None:
    for engine in ("python", "llvm"):
        board = Board([i("jal", rd=5, imm=imm), ECALL], registers={5: 77}, engine=engine)
        assert board.run() == Exit(0, Trap(Cause.INSTRUCTION_MISALIGNED, CODE_VA, CODE_VA + imm))
        assert board.hart.x[5] == 77
