"""fork copies nothing; who writes first pays for one page."""

from __future__ import annotations

import pytest

from kernel.check import check, check_end
from tests.kernel.puppet import DATA, RODATA, TEXT, Puppets
from vm.hart import Hart
from vm.ram import RAM_BASE


def page_frame(puppets: Puppets, pid: int, va: int) -> int:
    from kernel import pagetable

    k = puppets.k
    return k.machine.ram.read64(pagetable.find(k, k.mms.peek(k.tasks.peek(pid).mm).root, va)) >> 10


@pytest.mark.parametrize("policy", ["cow", "shared-tables"])
def test_a_child_sees_what_its_parent_had_and_neither_sees_what_the_other_writes(policy: str) -> None:
    p = Puppets(fork=policy)
    p.store(1, DATA, 1)
    child = p.fork(1)
    assert p.load(child, DATA) == 1
    p.store(child, DATA, 2)
    p.store(1, DATA, 3)
    assert (p.load(child, DATA), p.load(1, DATA)) == (2, 3)
    check(p.k)


def test_one_store_into_a_shared_page_copies_that_page_and_no_other() -> None:
    p = Puppets(fork="cow")
    p.store(1, DATA, 1)
    p.store(1, DATA + 0x2000, 1)
    child = p.fork(1)
    used = p.k.frames.used
    p.store(child, DATA, 2)
    assert p.k.frames.used == used + 1
    assert p.k.stats.faults["cow-copy"] == 2  # .data from the file, and this one
    assert page_frame(p, 1, DATA + 0x2000) == page_frame(p, child, DATA + 0x2000)


def test_the_last_holder_of_a_page_gets_its_right_to_write_back_without_a_copy() -> None:
    p = Puppets(fork="cow")
    p.store(1, DATA, 1)
    child = p.fork(1)
    frame = page_frame(p, 1, DATA)
    p.store(child, DATA, 2)
    p.store(1, DATA, 3)
    assert p.k.stats.faults["cow-reuse"] == 1
    assert page_frame(p, 1, DATA) == frame


@pytest.mark.parametrize("policy", ["cow", "shared-tables"])
def test_the_kernel_copies_a_shared_page_too_when_it_writes_for_a_process(policy: str) -> None:
    p = Puppets(fork=policy)
    p.store(1, DATA, 1)
    child = p.fork(1)
    assert p.call(child, "uname", DATA) == 0
    assert p.load(1, DATA) == 1
    assert (p.load(child, DATA) or 0).to_bytes(8, "little").startswith(b"Linux\0")


@pytest.mark.parametrize("policy", ["cow", "shared-tables"])
def test_a_store_that_the_tlb_knew_before_the_fork_is_caught_after_it(policy: str) -> None:
    p = Puppets(fork=policy)
    p.store(1, DATA, 1)
    p.store(1, DATA, 1)
    child = p.fork(1)
    p.store(1, DATA, 2)
    assert p.load(child, DATA) == 1


def test_read_only_pages_stay_shared_between_fork_and_exec() -> None:
    p = Puppets()
    p.load(1, RODATA)
    child = p.fork(1)
    assert p.execute(child) == 0
    p.load(child, RODATA)
    for va in (TEXT, RODATA):
        assert page_frame(p, 1, va) == page_frame(p, child, va)


def test_a_page_of_zeros_is_made_for_each_process_that_touches_one_first() -> None:
    p = Puppets()
    child = p.fork(1)
    assert p.load(1, DATA + 0x3000) == 0
    assert p.load(child, DATA + 0x3000) == 0
    assert page_frame(p, 1, DATA + 0x3000) != page_frame(p, child, DATA + 0x3000)


def test_grandchildren_share_what_nobody_has_written() -> None:
    p = Puppets(fork="cow")
    p.store(1, DATA, 7)
    child = p.fork(1)
    grandchild = p.fork(child)
    assert p.k.frames.count(page_frame(p, 1, DATA)) == 3
    p.call(child, "exit_group", 0)
    assert p.k.frames.count(page_frame(p, 1, DATA)) == 2
    assert p.load(grandchild, DATA) == 7
    check(p.k)


@pytest.mark.parametrize("policy", ["cow", "shared-tables"])
def test_nothing_is_left_when_all_have_ended(policy: str) -> None:
    p = Puppets(fork=policy)
    child = p.fork(1)
    p.store(child, DATA, 1)
    p.fork(child)
    p.call(1, "exit_group", 0)
    check_end(p.k)


@pytest.mark.parametrize("policy", ["cow", "eager", "shared-tables"])
def test_the_look_ahead_after_a_fault_changes_no_page_table_entry(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A and D are exact: an access that has not been made yet sets none."""
    p = Puppets(fork=policy)
    machine, seen = p.k.machine, []
    refill = machine.refill

    def watched(hart: Hart, va: int, access: str) -> None:
        before = machine.ram.read(RAM_BASE, machine.ram.size)
        refill(hart, va, access)
        assert machine.ram.read(RAM_BASE, machine.ram.size) == before
        seen.append(access)

    monkeypatch.setattr(machine, "refill", watched)
    p.load(1, RODATA)
    p.store(1, DATA, 1)
    p.load(1, DATA + 0x1000)
    child = p.fork(1)
    p.store(child, DATA, 2)
    p.store(1, DATA, 3)
    p.store(child, DATA + 0x1000, 4)
    assert {"load", "store"} <= set(seen)
