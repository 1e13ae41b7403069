"""Random Sv39 tables: same translation, trap, A and D bits as the manual's algorithm and as qemu-system-riscv64.

Where qemu (7.2) departs from the manual, which our model follows:

- A page table outside of memory: qemu raises a page fault. The manual (step 2 of the translation): an access fault.
- A faulting AMO is a load that faults first: see test_against_qemu.py. So A is set, which speculation may do, and D
  not where translation goes well and there is no memory. The manual: the translation of an AMO sets D.
- A store across two pages that faults: qemu has set D of the first. The manual: D must be exact.
- A misaligned access to where no memory is: qemu's tval is an aligned address below. The manual: of the access.
- An access across two pages, the first of which leads to no memory while the second faults: qemu tells the second.
  The manual doesn't say which of two faults comes first; here it is that of the lower address.
- A word that ends in 00, 01 or 10 is illegal here as a whole, since there is no C; qemu's tval is its low half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vm import qemu_board
from tests.vm.support import HEAT, MASK, batched, examples, registers_of
from tests.vm.sv39_model import Access
from tests.vm.tables import FRAMES, Case, Scene, lay_out, scenes
from vm import engine_python
from vm.hart import Hart
from vm.isa.cause import Cause
from vm.machine import Machine
from vm.mmu import PTE_A, PTE_D
from vm.ram import RAM_BASE
from vm.trap import Exit, Trap

MEMORY = 2 << 20
#: The page fault that qemu raises instead of an access fault, and what an AMO's load fault should be.
AS_PAGE_FAULT = {
    Cause.FETCH_ACCESS: Cause.FETCH_PAGE,
    Cause.LOAD_ACCESS: Cause.LOAD_PAGE,
    Cause.STORE_ACCESS: Cause.STORE_PAGE,
}
AS_STORE = {
    Cause.LOAD_MISALIGNED: Cause.STORE_MISALIGNED,
    Cause.LOAD_ACCESS: Cause.STORE_ACCESS,
    Cause.LOAD_PAGE: Cause.STORE_PAGE,
}
NOTHING = Access("load", 0, 1)
SLOT_PPN = RAM_BASE + (1 << 20) >> 12


def run_here(machine: Machine, case: Case, base: int, heat: str) -> tuple[Exit, Hart, bytes]:
    """Run a case; its slot's bytes afterwards."""
    before, engine_python.HOT = engine_python.HOT, HEAT[heat]
    try:
        machine.ram.write(base, case.slot)
        machine.sfence()
        hart = Hart(case.hart.save())
        return machine.run(hart, 1000), hart, machine.ram.read(base, FRAMES * 4096)
    finally:
        engine_python.HOT = before


def words_that_differ(ours: bytes, theirs: bytes, forgive: int = 0) -> list[str]:
    """The 64-bit words that differ (in other bits than those to forgive), by frame and index."""
    ours64, theirs64 = memoryview(ours).cast("Q"), memoryview(theirs).cast("Q")
    unequal = [(at, a, b) for at, (a, b) in enumerate(zip(ours64, theirs64, strict=True)) if (a ^ b) & ~forgive]
    return [f"frame {at >> 9} word {at & 511}: {a:#x}, not {b:#x}" for at, a, b in unequal]


@given(scenes(), st.sampled_from(sorted(HEAT)))
def test_random_tables_and_accesses_do_what_the_manual_says(scene: Scene, heat: str) -> None:
    case = lay_out(scene, SLOT_PPN, range(RAM_BASE, RAM_BASE + MEMORY))
    result, hart, slot = run_here(Machine(MEMORY), case, SLOT_PPN << 12, heat)
    assert result.trap is not None
    trap = case.expected.trap or (Cause.ECALL, 0)
    assert (result.trap.cause, result.trap.tval) == trap, case.accesses
    assert {number: hart.x[number] for number in case.expected.loaded} == case.expected.loaded
    assert words_that_differ(slot, case.expected.slot) == [], case.accesses


@pytest.mark.parametrize("heat", list(HEAT))
def test_random_tables_and_accesses_do_what_they_do_on_qemu(heat: str) -> None:
    for batch in batched(examples(scenes(), 200), qemu_board.MOST_CASES):
        compare_with_qemu(batch, heat)


def compare_with_qemu(batch: Sequence[Scene], heat: str) -> None:
    """Run the scenes here and there."""
    bases = [qemu_board.slot_base(index) for index in range(len(batch))]
    ram = range(RAM_BASE, RAM_BASE + qemu_board.MEMORY)
    pairs = zip(batch, bases, strict=True)
    cases = [lay_out(scene, base >> 12, ram) for scene, base in pairs]
    machine = Machine(qemu_board.MEMORY)
    outcomes = qemu_board.run([qemu_board.Case(case.hart, case.slot) for case in cases])
    for case, base, theirs in zip(cases, bases, outcomes, strict=True):
        result, hart, slot = run_here(machine, case, base, heat)
        assert result.trap is not None
        found = list(disagreements(result.trap, hart, slot, theirs, case.accesses[-1] if case.accesses else NOTHING))
        assert not found, (found, case.accesses)


def disagreements(trap: Trap, hart: Hart, slot: bytes, theirs: qemu_board.Outcome, access: Access) -> Iterator[str]:
    """What differs, but for the departures that the module's docstring names."""
    beyond = (access.va | 0xFFF) + 1 & MASK
    if trap.cause in AS_PAGE_FAULT and trap.tval == access.va and theirs.tval == beyond:
        return
    cause = theirs.cause
    if trap.cause in AS_PAGE_FAULT and cause in AS_PAGE_FAULT.values():
        cause = trap.cause if AS_PAGE_FAULT[trap.cause] in (cause, AS_STORE.get(cause)) else cause
    if access.kind == "amo" and trap.cause in AS_STORE.values() and cause in AS_STORE:
        cause = trap.cause
    tval = trap.tval
    if cause == Cause.ILLEGAL and tval & 3 != 3:
        tval &= 0xFFFF
    if cause in AS_PAGE_FAULT and access.size > 1 and theirs.tval == tval & -access.size:
        tval = theirs.tval
    if (trap.cause, tval, trap.pc) != (cause, theirs.tval, theirs.hart.pc):
        yield f"{trap}, not {theirs.cause} {theirs.tval:#x} at {theirs.hart.pc:#x}"
    if registers_of(hart) != registers_of(theirs.hart):
        yield f"{registers_of(hart)}, not {registers_of(theirs.hart)}"
    across = access.kind == "store" and trap.cause in AS_STORE.values() and access.va % 4096 + access.size > 4096
    faulting_amo = access.kind == "amo" and trap.cause in AS_STORE.values()
    forgive = PTE_A | PTE_D if across or faulting_amo else 0
    yield from words_that_differ(slot, theirs.slot, forgive)
