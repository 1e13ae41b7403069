"""Random programs in U-mode under Sv39, here and on Unicorn: same traps, counts, registers, memory, A and D bits.

Unicorn (2.1.4) is an old qemu (5.0). Where it departs from the manual, we follow the manual:

- It has the C extension and cannot be told otherwise: it takes jumps to addresses that are even but no multiple
  of 4, where we trap (Unprivileged 2.2, IALIGN = 32), and runs words that end in 00, 01 and 10, which are no
  instructions here. The programs compared end where we trap so.
- A faulting AMO reports a load fault where its load comes first. The manual (Privileged, mcause): store/AMO.
- A misaligned sc without a reservation fails in silence. The manual (Unprivileged 13.2): an exception.
- sc compares the value at the address, not only the address: see test_against_qemu.py.

- After a jump to where no instruction can be fetched it may report that fault one instruction early.
- It may report ebreak as an invalid instruction.

It doesn't show tval; qemu-system-riscv64 does, in test_against_qemu.py.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm.programs import PLAIN, WITHOUT_STORES, Program, programs, slicings
from tests.vm.support import ECALL, HEAT, Board
from tests.vm.test_budgets import run_sliced
from vm.isa import decode
from vm.isa.cause import Cause
from vm.ram import RAM_BASE
from vm.trap import Exit

unicorn = pytest.importorskip("unicorn")
riscv = pytest.importorskip("unicorn.riscv_const")

MEMORY = 64 << 10
_X = [getattr(riscv, f"UC_RISCV_REG_X{number}") for number in range(32)]
#: emu_start's `until`: an address that no program reaches.
_NEVER = (1 << 64) - 4
_OF_STORE = {
    Cause.LOAD_MISALIGNED: Cause.STORE_MISALIGNED,
    Cause.LOAD_ACCESS: Cause.STORE_ACCESS,
    Cause.LOAD_PAGE: Cause.STORE_PAGE,
}


class Unicorn:
    """A copy of a board, before it runs, in Unicorn."""

    def __init__(self, board: Board) -> None:
        self.machine = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV64)
        self.machine.mem_map(RAM_BASE, MEMORY)
        self.machine.mem_write(RAM_BASE, board.ram.read(RAM_BASE, MEMORY))
        for number in range(1, 32):
            self.machine.reg_write(_X[number], board.hart.x[number])
        self.pc, self.cause = board.hart.pc, -1
        self.machine.reg_write(riscv.UC_RISCV_REG_SATP, board.hart.satp)
        self.machine.reg_write(riscv.UC_RISCV_REG_PRIV, 0)
        self.machine.hook_add(unicorn.UC_HOOK_INTR, self._trapped)
        self.machine.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._no_memory)

    def run(self, count: int) -> int:
        """Run `count` instructions; the cause of the trap that ended them, or -1."""
        self.cause = -1
        try:
            if count:
                self.machine.emu_start(self.pc, _NEVER, count=count)
        except unicorn.UcError as error:
            if error.errno != unicorn.UC_ERR_INSN_INVALID:
                raise
            self.cause = Cause.ILLEGAL
        self.pc = self.machine.reg_read(riscv.UC_RISCV_REG_PC)
        return self.cause

    def x(self) -> list[int]:
        """x0 to x31."""
        return [self.machine.reg_read(number) for number in _X]

    def memory(self) -> bytes:
        """All of RAM."""
        return bytes(self.machine.mem_read(RAM_BASE, MEMORY))

    def _trapped(self, machine: object, cause: int, _: object) -> None:
        self.cause = cause
        self.machine.emu_stop()

    def _no_memory(self, machine: object, access: int, *_: object) -> bool:
        raise AssertionError(f"the tables of these programs lead nowhere but to RAM, but: access {access}")


def compare(program: Program, slices: list[int], heat: str) -> None:
    """Run the program here in slices, and there in one go."""
    theirs = Unicorn(Board([*program.code, ECALL], memory=MEMORY, registers=program.registers))
    result, board = run_sliced(program, slices, HEAT[heat])
    early = theirs.run(result.retired)
    assert dict(enumerate(theirs.x())) == dict(enumerate(board.hart.x[:32]))
    if result.trap is not None and result.trap.cause in (Cause.FETCH_PAGE, Cause.FETCH_ACCESS):
        assert (early if early != -1 else theirs.run(1)) == result.trap.cause
    else:
        assert (early, theirs.pc) == (-1, board.hart.pc)
        if result.trap is not None and not departs(result, board):
            cause = theirs.run(1)
            assert (_OF_STORE.get(cause, cause) if is_a(board, "amo") else cause) == result.trap.cause
    assert board.ram.read(RAM_BASE, MEMORY) == theirs.memory()


def departs(result: Exit, board: Board) -> bool:
    """Whether Unicorn does not trap here as the manual says; see above."""
    assert result.trap is not None
    cause, _, tval = result.trap
    if cause == Cause.ILLEGAL:
        return tval & 3 != 3  # compressed
    if cause == Cause.STORE_MISALIGNED:
        return is_a(board, "sc.")
    return cause in (Cause.INSTRUCTION_MISALIGNED, Cause.BREAKPOINT)


def is_a(board: Board, name: str) -> bool:
    """Whether the next instruction's name begins so."""
    word = board.machine.instruction(board.hart)
    found = decode(word) if word is not None else None
    return found is not None and found[0].name.startswith(name)


@given(programs(PLAIN), slicings, st.sampled_from(sorted(HEAT)))
def test_random_programs_do_what_they_do_on_unicorn(program: Program, slices: list[int], heat: str) -> None:
    compare(program, slices, heat)


@given(
    st.sampled_from((".w", ".d")).flatmap(lambda size: programs((*WITHOUT_STORES, *("lr" + size, "sc" + size) * 8))),
    slicings,
    st.sampled_from(sorted(HEAT)),
)
def test_reservations_do_what_they_do_on_unicorn(program: Program, slices: list[int], heat: str) -> None:
    compare(program, slices, heat)
