"""Every policy of fork gives the same two memories; shared-tables gives them with tables that both come by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel import pagetable
from kernel.boot import BootError
from kernel.check import check, check_end
from kernel.errno import ENOMEM
from kernel.mm import Mm
from kernel.signal_numbers import SIGKILL
from tests.kernel.puppet import DATA, HEAP, RODATA, TEXT, Puppets
from tests.kernel.test_out_of_memory import Injector, private
from vm.mmu import PTE_V, PTE_W

PAGE = 4096
MIB = 1 << 20
AT = 0x20_0000_0000
R, W = 1, 2
SHARED, PRIVATE, FIXED, ANON = 1, 2, 0x10, 0x20
DONTNEED, DONTFORK, WIPEONFORK = 4, 10, 18

Act = Callable[[Puppets, int], object]


def mm_of(p: Puppets, pid: int) -> Mm:
    return p.k.mms.peek(p.k.tasks.peek(pid).mm)


def tables(p: Puppets, pid: int, va: int) -> tuple[int, int]:
    return pagetable.path(p.k, mm_of(p, pid).root, va)


def entry(p: Puppets, pid: int, va: int) -> int:
    return pagetable.find_entry(p.k, mm_of(p, pid).root, va)


def heap(pages: int = 4, policy: str = "shared-tables", memory: int = 8 * MIB) -> Puppets:
    """A process with that many pages of heap, each with its number in it."""
    p = Puppets(memory=memory, fork=policy)
    p.call(1, "brk", HEAP + pages * PAGE)
    for page in range(pages):
        p.store(1, HEAP + page * PAGE, page + 1)
    return p


def far_from_the_text() -> Puppets:
    """The same with pages that have a leaf table to themselves: whoever runs after a fork opens that of the text."""
    p = Puppets(fork="shared-tables")
    assert p.call(1, "mmap", AT, 4 * PAGE, R | W, PRIVATE | ANON | FIXED, -1, 0) == AT
    for page in range(4):
        p.store(1, AT + page * PAGE, page + 1)
    return p


def family(generations: int) -> tuple[Puppets, list[int]]:
    """A process, its child, its grandchild... all of which share their tables."""
    p = heap()
    pids = [1]
    for _ in range(generations):
        pids.append(p.fork(pids[-1]))
    return p, pids


# --- sharing ------------------------------------------------------------------------------------------------


def test_fork_shares_the_tables_and_takes_one_frame_whatever_the_size() -> None:
    used = []
    for pages in (1, 1500):
        p = heap(pages, memory=16 * MIB)
        before = p.k.frames.used
        child = p.fork(1)
        used.append(p.k.frames.used - before)
        assert tables(p, 1, HEAP) == tables(p, child, HEAP)
        assert mm_of(p, child).resident == mm_of(p, 1).resident
        check(p.k)
    assert used == [1, 1], "the child's root"


def test_fork_closes_the_entries_above_the_leaf_tables_and_the_first_access_opens_them_for_all() -> None:
    p = far_from_the_text()
    child = p.fork(1)
    for pid in (1, child):
        assert pagetable.reached(p.k, mm_of(p, pid).root, AT) == 0
    assert entry(p, 1, AT) & PTE_W, "write protection comes with the first access"
    before = p.k.stats.faults["table"]
    assert p.load(child, AT) == 1
    assert p.k.stats.faults["table"] == before + 1
    for pid in (1, child):
        assert pagetable.reached(p.k, mm_of(p, pid).root, AT) & (PTE_V | PTE_W) == PTE_V
    check(p.k)


def test_a_write_copies_the_tables_above_its_page_and_that_page() -> None:
    p = heap()
    child = p.fork(1)
    assert p.store(child, HEAP, 77)
    assert (p.load(1, HEAP), p.load(child, HEAP)) == (1, 77)
    assert tables(p, 1, HEAP)[0] != tables(p, child, HEAP)[0]
    assert tables(p, 1, HEAP)[1] != tables(p, child, HEAP)[1]
    assert entry(p, 1, HEAP) >> 10 != entry(p, child, HEAP) >> 10
    assert entry(p, 1, HEAP + PAGE) >> 10 == entry(p, child, HEAP + PAGE) >> 10
    assert p.k.frames.count(entry(p, 1, HEAP + PAGE) >> 10) == 2
    check(p.k)


def test_a_parent_whose_child_has_gone_has_its_rights_back_at_once() -> None:
    p = far_from_the_text()
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    faults = dict(p.k.stats.faults)
    for page in range(4):
        assert p.store(1, AT + page * PAGE, 9)
    now = p.k.stats.faults
    assert now["cow-copy"] == faults["cow-copy"] and now["cow-reuse"] == faults["cow-reuse"]
    assert now["table"] <= faults["table"] + 2, "one for each leaf table, not for each page"
    check(p.k)


def test_a_page_with_one_entry_in_a_shared_table_is_copied_all_the_same() -> None:
    p = far_from_the_text()
    child = p.fork(1)
    assert p.k.frames.count(entry(p, 1, AT) >> 10) == 1
    before = p.k.stats.faults["cow-copy"]
    p.store(1, AT, 5)
    assert p.k.stats.faults["cow-copy"] == before + 1
    assert p.load(child, AT) == 1
    check(p.k)


def test_a_fork_of_a_fork_of_a_fork_shares_one_table_and_each_write_leaves_it() -> None:
    p, pids = family(3)
    assert len({tables(p, pid, HEAP) for pid in pids}) == 1
    assert p.k.frames.count(tables(p, 1, HEAP)[0]) == 4
    for pid in pids:
        assert p.store(pid, HEAP + PAGE, 100 + pid)
        check(p.k)
    assert len({tables(p, pid, HEAP) for pid in pids}) == 4
    assert [p.load(pid, HEAP + PAGE) for pid in pids] == [100 + pid for pid in pids]
    assert [p.load(pid, HEAP) for pid in pids] == [1, 1, 1, 1]
    for pid in reversed(pids[1:]):
        p.call(pid, "exit_group", 0)
        check(p.k)
    p.call(1, "exit_group", 0)
    check_end(p.k)


@pytest.mark.parametrize("who", [0, 1, 2])
def test_whoever_ends_or_execs_first_takes_nothing_from_the_others(who: int) -> None:
    for act in ("exit_group", "execute"):
        p, pids = family(2)
        pids = [p.fork(1), *pids[1:]]
        (p.call(pids[who], act, 0) if act == "exit_group" else p.execute(pids[who]))
        check(p.k)
        for pid in pids[:who] + pids[who + 1 :]:
            assert p.load(pid, HEAP + 3 * PAGE) == 4
            assert p.store(pid, HEAP + 3 * PAGE, pid)
        check(p.k)


def test_a_page_that_is_touched_first_after_the_fork_is_the_childs_alone() -> None:
    p = Puppets(fork="shared-tables")
    p.call(1, "brk", HEAP + 4 * PAGE)
    p.store(1, HEAP, 1)
    child = p.fork(1)
    assert p.load(child, HEAP + 2 * PAGE) == 0
    assert entry(p, 1, HEAP + 2 * PAGE) == 0
    assert p.store(child, HEAP + 2 * PAGE, 3)
    assert p.load(1, HEAP + 2 * PAGE) == 0
    check(p.k)


# --- what unshares first ----------------------------------------------------------------------------------


def munmap(p: Puppets, pid: int) -> object:
    return p.call(pid, "munmap", HEAP + PAGE, 2 * PAGE)


def brk_down(p: Puppets, pid: int) -> object:
    return p.call(pid, "brk", HEAP + PAGE)


def mprotect(p: Puppets, pid: int) -> object:
    return p.call(pid, "mprotect", HEAP + PAGE, 2 * PAGE, R)


def no_access(p: Puppets, pid: int) -> object:
    return p.call(pid, "mprotect", HEAP, 2 * PAGE, 0)


def dontneed(p: Puppets, pid: int) -> object:
    return p.call(pid, "madvise", HEAP + PAGE, 2 * PAGE, DONTNEED)


def mremap(p: Puppets, pid: int) -> object:
    return p.call(pid, "mremap", HEAP + PAGE, 2 * PAGE, 2 * PAGE, 3, AT)


def map_over(p: Puppets, pid: int) -> object:
    return p.call(pid, "mmap", HEAP + PAGE, PAGE, R | W, SHARED | ANON | FIXED, -1, 0)


def kernel_write(p: Puppets, pid: int) -> object:
    return p.call(pid, "uname", HEAP + PAGE)


CHANGES: list[Act] = [munmap, brk_down, mprotect, no_access, dontneed, mremap, map_over, kernel_write]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("touched", [False, True])
def test_what_one_process_changes_the_other_does_not_see(change: Act, touched: bool) -> None:
    for changing in (0, 1):
        p = heap()
        pids = [1, p.fork(1)]
        if touched:
            p.load(pids[1], HEAP)
        other = pids[1 - changing]
        result = change(p, pids[changing])
        assert isinstance(result, int) and result >= 0
        check(p.k)
        assert [p.load(other, HEAP + page * PAGE) for page in range(4)] == [1, 2, 3, 4]
        for page in range(4):
            assert p.store(other, HEAP + page * PAGE, 50 + page)
        check(p.k)
        assert mm_of(p, other).resident >= 4


@pytest.mark.parametrize("change", CHANGES)
def test_a_call_that_finds_no_memory_to_unshare_fails_whole_and_works_later(
    change: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    p, pids = family(2)
    injector = Injector(monkeypatch)
    before, failures = p.k.snapshot(), 0
    while True:
        injector.left = failures
        result = change(p, 1)
        injector.left = 1 << 30
        check(p.k)
        if result != -ENOMEM and not (change is brk_down and result != HEAP + PAGE):
            break
        for pid in pids:
            assert [p.load(pid, HEAP + page * PAGE) for page in range(4)] == [1, 2, 3, 4]
        assert p.store(1, HEAP + 2 * PAGE, 3)
        check(p.k)
        p.k.restore(before)
        failures += 1
    assert failures >= 2, "the upper and the leaf table"
    assert [p.load(pids[1], HEAP + page * PAGE) for page in range(4)] == [1, 2, 3, 4]


def test_a_store_that_finds_no_memory_to_unshare_ends_the_process_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    injector = Injector(monkeypatch)
    for left in range(3):  # the upper table, the leaf table, the page
        p = heap()
        child = p.fork(1)
        used = private(p)
        injector.left = left
        assert not p.store(child, HEAP, 9)
        injector.left = 1 << 30
        assert p.k.groups.peek(child).death.signal == SIGKILL
        assert private(p) == used - 1, "nothing of the child is left: its root was all that it had"
        assert p.store(1, HEAP, 2)
        check(p.k)


def test_unmapping_all_of_it_copies_nothing() -> None:
    p = Puppets(memory=16 * MIB, fork="shared-tables")
    assert p.call(1, "mmap", AT, 4 * MIB, R | W, PRIVATE | ANON | FIXED, -1, 0) == AT
    for va in range(AT, AT + 4 * MIB, 64 * PAGE):
        p.store(1, va, va)
    child = p.fork(1)
    before = p.k.stats.work["call"]["tables"]
    resident = mm_of(p, child).resident
    assert p.call(child, "munmap", AT, 1 << 30) == 0
    assert p.k.stats.work["call"]["tables"] == before
    assert mm_of(p, child).resident == resident - 16
    assert p.load(1, AT) == AT
    check(p.k)


# --- what is never shared ---------------------------------------------------------------------------------


def test_shared_memory_in_a_table_with_private_pages_is_shared_memory_still() -> None:
    p = heap()
    shared = HEAP + 8 * PAGE & -PAGE
    assert p.call(1, "mmap", shared, 2 * PAGE, R | W, SHARED | ANON | FIXED, -1, 0) == shared
    p.store(1, shared, 11)
    child = p.fork(1)
    check(p.k)
    assert tables(p, child, HEAP) != tables(p, 1, HEAP)
    p.store(child, shared, 12)
    p.store(child, HEAP, 13)
    assert (p.load(1, shared), p.load(1, HEAP)) == (12, 1)
    p.store(1, shared + PAGE, 14)
    assert p.load(child, shared + PAGE) == 14
    check(p.k)


@pytest.mark.parametrize("policy", ["cow", "eager", "shared-tables"])
def test_what_madvise_keeps_from_a_child_is_kept_from_it(policy: str) -> None:
    p = heap(policy=policy)
    p.call(1, "madvise", HEAP, PAGE, WIPEONFORK)
    p.call(1, "madvise", HEAP + PAGE, PAGE, DONTFORK)
    child = p.fork(1)
    check(p.k)
    assert (p.load(child, HEAP), p.load(child, HEAP + 2 * PAGE)) == (0, 3)
    grandchild = p.fork(child)
    assert p.load(grandchild, HEAP) == 0
    assert p.load(grandchild, HEAP + PAGE) is None
    assert (p.load(1, HEAP), p.load(1, HEAP + PAGE)) == (1, 2)
    check(p.k)


def test_advice_given_after_a_fork_holds_for_the_next_one() -> None:
    p = heap()
    first = p.fork(1)
    p.call(1, "madvise", HEAP, PAGE, WIPEONFORK)
    second = p.fork(1)
    assert (p.load(first, HEAP), p.load(second, HEAP), p.load(1, HEAP)) == (1, 0, 1)
    check(p.k)


# --- the TLB, and what else knows of pages ----------------------------------------------------------------


@pytest.mark.parametrize("policy", ["cow", "eager", "shared-tables"])
def test_what_the_tlb_knew_before_the_fork_is_not_written_through_after_it(policy: str) -> None:
    p = heap(policy=policy)
    for page in range(4):
        p.store(1, HEAP + page * PAGE, page + 1)
    child = p.fork(1)
    for page in range(4):
        p.store(1, HEAP + page * PAGE, 70)
    assert [p.load(child, HEAP + page * PAGE) for page in range(4)] == [1, 2, 3, 4]


def test_rights_that_came_back_are_lost_again_at_the_next_fork() -> None:
    p = heap()
    for _ in range(3):
        child = p.fork(1)
        p.call(child, "exit_group", 0)
        assert p.store(1, HEAP, 5), "its own again"
        child = p.fork(1)
        p.store(1, HEAP, 6)
        assert p.load(child, HEAP) == 5
        check(p.k)


def test_a_child_that_was_vforked_shares_the_fork_of_its_parent() -> None:
    p = heap()
    child = p.fork(1)
    assert p.call(child, "clone", 0x4111) is None
    borrower = max(p.k.tasks.ids())
    grandchild = p.fork(borrower)
    p.store(borrower, HEAP, 55)
    assert (p.load(1, HEAP), p.load(grandchild, HEAP)) == (1, 1)
    p.call(borrower, "exit_group", 0)
    p.run(child)
    assert p.load(child, HEAP) == 55
    check(p.k)


@pytest.mark.parametrize("policy", ["cow", "eager", "shared-tables"])
def test_a_thread_that_did_not_fork_itself_writes_its_own_memory_after_it(policy: str) -> None:
    p = heap(policy=policy)
    thread = p.call(1, "clone", 0x10F00)
    assert thread is not None and thread > 1
    for tid in (1, thread):
        p.store(tid, HEAP + PAGE, 2)
    child = p.fork(thread)
    p.store(1, HEAP + PAGE, 90)
    p.store(thread, HEAP + 2 * PAGE, 91)
    assert (p.load(thread, HEAP + PAGE), p.load(1, HEAP + 2 * PAGE)) == (90, 91)
    assert (p.load(child, HEAP + PAGE), p.load(child, HEAP + 2 * PAGE)) == (2, 3)
    check(p.k)


def test_asids_that_are_used_again_find_nothing_of_those_who_had_shared_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.mm.ASIDS", 4)
    p = heap()
    for turn in range(6):
        child = p.fork(1)
        assert p.load(child, HEAP) == max(turn, 1)
        assert p.store(child, HEAP, 1000)
        assert p.store(1, HEAP, turn + 1)
        assert p.load(child, HEAP) == 1000
        p.call(child, "exit_group", 0)
        assert p.call(1, "wait4", child, 0, 0) == child
        check(p.k)


def test_what_is_shared_through_tables_counts_as_shared() -> None:
    p = heap()
    assert pagetable.holders(p.k, mm_of(p, 1).root, HEAP) == 1
    child = p.fork(1)
    p.fork(1)
    for pid in (1, child):
        assert pagetable.holders(p.k, mm_of(p, pid).root, HEAP) == 3
    p.store(1, HEAP, 5)
    assert pagetable.holders(p.k, mm_of(p, 1).root, HEAP) == 1
    assert pagetable.holders(p.k, mm_of(p, child).root, HEAP) == 2
    assert pagetable.holders(p.k, mm_of(p, 1).root, HEAP + PAGE) >= 2


def test_snapshots_go_back_and_forth_over_shared_tables() -> None:
    p, pids = family(2)
    shared = p.k.snapshot()
    for pid in pids:
        p.store(pid, HEAP, pid + 20)
    apart = p.k.snapshot()
    p.k.restore(shared)
    check(p.k)
    assert len({tables(p, pid, HEAP) for pid in pids}) == 1
    p.store(pids[1], HEAP, 9)
    assert p.load(1, HEAP) == 1
    p.k.restore(apart)
    check(p.k)
    assert [p.load(pid, HEAP) for pid in pids] == [pid + 20 for pid in pids]


def test_constants_and_text_are_run_from_shared_tables() -> None:
    p = Puppets(fork="shared-tables")
    p.load(1, RODATA)
    child = p.fork(1)
    assert p.load(child, RODATA) == p.load(1, RODATA)
    assert entry(p, child, TEXT) >> 10 == entry(p, 1, TEXT) >> 10
    assert not p.store(child, RODATA, 1)
    check(p.k)


# --- tables that are empty ----------------------------------------------------------------------------------


@pytest.mark.parametrize("forked", [False, True])
def test_tables_that_munmap_or_brk_empties_are_given_back_at_once(forked: bool) -> None:
    p = Puppets(memory=8 * MIB, fork="shared-tables")
    p.load(1, DATA)
    used = p.k.frames.used
    for _ in range(3):
        assert p.call(1, "mmap", AT, 4 * MIB, R | W, PRIVATE | ANON | FIXED, -1, 0) == AT
        p.store(1, AT, 1)
        p.store(1, AT + 3 * MIB, 1)
        p.call(1, "brk", HEAP + 4 * MIB)
        p.store(1, HEAP + 3 * MIB, 1)
        child = p.fork(1) if forked else 0
        assert p.call(1, "munmap", AT, PAGE) == 0
        assert p.call(1, "munmap", AT + PAGE, 4 * MIB - PAGE) == 0
        p.call(1, "brk", HEAP)
        check(p.k)
        if child:
            assert p.load(child, AT + 3 * MIB) == 1
            p.call(child, "exit_group", 0)
            assert p.call(1, "wait4", child, 0, 0) == child
        assert pagetable.find(p.k, mm_of(p, 1).root, AT) == 0
        assert pagetable.find(p.k, mm_of(p, 1).root, HEAP + 3 * MIB) == 0
        check(p.k)
        assert p.k.frames.used == used


# --- the work -------------------------------------------------------------------------------------------------


def test_a_policy_that_there_is_not_is_refused_at_boot() -> None:
    with pytest.raises(BootError, match="no policy of fork is called 'magic'"):
        Puppets(fork="magic")


def test_each_policy_pays_in_its_own_way() -> None:
    paid = {}
    for policy in ("eager", "cow", "shared-tables"):
        p = heap(100, policy)
        p.fork(1)
        paid[policy] = p.k.stats.work["fork"]
    assert paid["eager"]["frames"] >= 100 and paid["eager"]["flushes"] == 0
    assert paid["cow"]["frames"] == 0 and paid["cow"]["entries"] >= 100 and paid["cow"]["flushes"] == 1
    assert paid["shared-tables"]["entries"] == 2 and paid["shared-tables"]["flushes"] == 1
