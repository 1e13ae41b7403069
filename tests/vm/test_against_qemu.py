"""Random programs in U-mode under Sv39, here and on qemu-system-riscv64: same traps, registers, memory, A and D bits.

Where qemu (7.2 to 10) departs from the manual or takes a freedom that we take otherwise:

- A misaligned jump target: qemu's tval may be an address before the jump, since its translator has not stored the
  pc yet. The manual (Privileged, stval): the address that the jump goes to.
- An AMO that faults: qemu 7.2 says "load" (misaligned, access fault, page fault) where its load comes first; the
  manual (Privileged, mcause): "store/AMO".
- ebreak: qemu's tval is 0, ours the pc. The manual (Privileged, stval) allows both.
- A misaligned sc without a reservation: qemu fails it in silence; the manual (Unprivileged 13.2): an exception.
- sc after lr and an ordinary store to the same address by the same hart: qemu compares the value and fails, we
  compare the address and succeed. Both are allowed (Unprivileged 13.2: only a store by *another* hart and
  another sc must make it fail). No program here has both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.vm import qemu_board
from tests.vm.programs import PLAIN, WITHOUT_STORES, Program, programs
from tests.vm.support import CODE_VA, DATA_VA, ECALL, RW, RX, Pages, as_bytes, batched, examples, registers_of
from vm.hart import Hart
from vm.isa import decode
from vm.isa.cause import Cause
from vm.machine import Machine
from vm.mmu import make_satp

_OF_STORE = {
    Cause.LOAD_MISALIGNED: Cause.STORE_MISALIGNED,
    Cause.LOAD_ACCESS: Cause.STORE_ACCESS,
    Cause.LOAD_PAGE: Cause.STORE_PAGE,
}
#: The frame of its slot that a program's code lies in: behind three tables.
CODE_FRAME = 3
#: Instructions after which a program counts as endless; the board's timer allows more.
ENDLESS = 20_000


def build(machine: Machine, index: int, program: Program) -> qemu_board.Case:
    """Lay a program out in the slot of case `index`: three tables, code, and two pages of data and what is behind."""
    base = qemu_board.slot_base(index)
    pages = Pages(machine.ram, base >> 12)
    root = pages.frame()
    pages.entry(root, CODE_VA)  # makes the two other tables
    pages.map(root, CODE_VA, pages.frame(as_bytes([*program.code, ECALL])), RX)
    for page in range(2):
        content = bytes((index * 7 + offset * 37 + page) % 251 for offset in range(4096))
        pages.map(root, DATA_VA + page * 4096, pages.frame(content), RW)
    hart = Hart()
    hart.pc, hart.satp = CODE_VA, make_satp(1, root)
    for number, value in program.registers.items():
        hart.x[number] = value
    return qemu_board.Case(hart, machine.ram.read(base, qemu_board.SLOT))


def run_here(machine: Machine, index: int, case: qemu_board.Case) -> qemu_board.Outcome:
    """Run a case on our machine; like the board, end an endless one with the cause TIMER."""
    hart = Hart(case.hart.save())
    machine.sfence()
    trap = machine.run(hart, ENDLESS).trap
    cause, tval = (trap.cause, trap.tval) if trap else (qemu_board.TIMER, 0)
    return qemu_board.Outcome(cause, tval, hart, machine.ram.read(qemu_board.slot_base(index), qemu_board.SLOT))


def compare(batch: Sequence[Program]) -> None:
    """Run the programs here and there."""
    machine = Machine(qemu_board.MEMORY)
    cases = [build(machine, index, program) for index, program in enumerate(batch)]
    for index, theirs in enumerate(qemu_board.run(cases)):
        ours = run_here(machine, index, cases[index])
        found = list(disagreements(ours, theirs))
        assert not found, "\n".join([*found, repr(batch[index])])


def disagreements(ours: qemu_board.Outcome, theirs: qemu_board.Outcome) -> Iterator[str]:
    """In words: what differs, except for the departures above."""
    if ours.cause == theirs.cause == qemu_board.TIMER:
        return
    if ours.cause == Cause.STORE_MISALIGNED and _name_at_pc(ours).startswith("sc."):
        return
    cause = theirs.cause
    if _name_at_pc(ours).startswith("amo"):
        cause = _OF_STORE.get(cause, cause)
    if ours.cause != cause or ours.hart.pc != theirs.hart.pc:
        yield f"trap: here {ours.cause:#x} at {ours.hart.pc:#x}, there {cause:#x} at {theirs.hart.pc:#x}"
    elif ours.tval != theirs.tval and cause not in (Cause.INSTRUCTION_MISALIGNED, Cause.BREAKPOINT):
        yield f"tval: here {ours.tval:#x}, there {theirs.tval:#x}"
    there = registers_of(theirs.hart)
    for name, value in registers_of(ours.hart).items():
        if value != there[name]:
            yield f"{name}: here {value:#x}, there {there[name]:#x}"
    for at in range(0, qemu_board.SLOT, 8):
        here, theirs_here = ours.slot[at : at + 8], theirs.slot[at : at + 8]
        if here != theirs_here:
            yield f"memory {at:#x}: here {here[::-1].hex()}, there {theirs_here[::-1].hex()}"


def _name_at_pc(ours: qemu_board.Outcome) -> str:
    """The name of the instruction that trapped, as long as the program did not overwrite it."""
    at = CODE_FRAME * 4096 + ours.hart.pc % 4096
    found = decode(int.from_bytes(ours.slot[at : at + 4], "little"))
    return found[0].name if found else ""


@pytest.mark.usefixtures("heat")
def test_random_programs_do_what_they_do_on_qemu() -> None:
    for batch in batched(examples(programs(PLAIN), 200), qemu_board.MOST_CASES):
        compare(batch)


@pytest.mark.usefixtures("heat")
@pytest.mark.parametrize("size", [".w", ".d"])
def test_reservations_do_what_they_do_on_qemu(size: str) -> None:
    strategy = programs((*WITHOUT_STORES, *("lr" + size, "sc" + size) * 8))
    for batch in batched(examples(strategy, 100), qemu_board.MOST_CASES):
        compare(batch)
