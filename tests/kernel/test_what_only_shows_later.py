"""Mistakes that show only when something else happens afterwards: stale translations, a wake-up that never comes."""

from __future__ import annotations

from tests.kernel.puppet import DATA, HEAP, Puppets
from vm.mmu import PAGE


def test_a_page_that_brk_gave_up_is_reached_no_more_though_the_tlb_knew_it() -> None:
    p = Puppets()
    p.call(1, "brk", HEAP + 2 * PAGE)
    child = p.fork(1)
    assert p.store(child, HEAP + PAGE, 7)
    assert p.load(child, HEAP + PAGE) == 7
    p.call(child, "brk", HEAP + PAGE)
    assert p.load(child, HEAP + PAGE) is None


def test_a_page_that_came_back_is_another_though_the_tlb_knew_the_old_one() -> None:
    p = Puppets()
    p.call(1, "brk", HEAP + 2 * PAGE)
    p.store(1, HEAP + PAGE, 7)
    assert p.load(1, HEAP + PAGE) == 7
    p.call(1, "brk", HEAP + PAGE)
    p.call(1, "brk", HEAP + 2 * PAGE)
    assert p.load(1, HEAP + PAGE) == 0


def test_the_new_program_sees_nothing_of_the_old_ones_memory() -> None:
    p = Puppets()
    child = p.fork(1)
    before = p.load(child, DATA)
    used = []
    for _ in range(3):
        assert p.store(child, DATA, 7)
        assert p.execute(child) == 0
        assert p.load(child, DATA) == before
        used.append(p.k.frames.used)
    assert used[1] == used[2], "what the old program had was given back"


def test_init_hears_of_a_zombie_that_it_inherits_from_a_process_that_was_not_its_child() -> None:
    """init → a → b → c: c is a zombie and b ends. a gets SIGCHLD for b, and init, which waits, must wake for c."""
    p = Puppets()
    a = p.fork(1)
    b = p.fork(a)
    c = p.fork(b)
    p.call(c, "exit_group", 0)
    assert p.call(1, "wait4", -1, 0, 0) is None, "a lives: init waits"
    p.call(b, "exit_group", 0)
    p.run(1)
    assert p.result(1) == c


def test_execve_closes_what_was_marked_for_it() -> None:
    p = Puppets()
    child = p.fork(1)
    table = p.k.fdtables[p.k.tasks.peek(child).fdtable]
    table.slots[0] = (table.slots[0][0], True)
    assert p.execute(child) == 0
    assert sorted(p.k.fdtables.peek(p.k.tasks.peek(child).fdtable).slots) == [1, 2]
