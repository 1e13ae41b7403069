"""vfork: one address space for two, and a parent that stands still. (vfork(2), clone(2).)"""

from __future__ import annotations

import pytest

from kernel import clone
from kernel.check import check
from kernel.signal_numbers import SIGKILL, SIGSTOP, SIGTERM, SIGUSR1
from kernel.task import RUNNING, SLEEPING
from tests.kernel.puppet import DATA, SIGCHLD, Puppets

VFORK = clone.CLONE_VM | clone.CLONE_VFORK | SIGCHLD


def vfork(p: Puppets, parent: int) -> int:
    """The child; the parent sleeps."""
    before = set(p.k.tasks.ids())
    assert p.call(parent, "clone", VFORK) is None
    assert p.k.tasks.peek(parent).state == SLEEPING
    (child,) = set(p.k.tasks.ids()) - before
    return child


def goes_on(p: Puppets, parent: int, child: int) -> bool:
    if p.k.tasks.peek(parent).state != RUNNING:
        return False
    p.run(parent)
    return p.result(parent) == child


def test_what_the_child_writes_its_parent_has() -> None:
    p = Puppets()
    p.call(1, "getpid")  # its text is there now
    used = p.k.frames.used
    child = vfork(p, 1)
    assert p.k.frames.used == used, "no table and no page is copied"
    assert p.store(child, DATA, 4711)
    check(p.k)
    p.call(child, "exit_group", 0)
    assert goes_on(p, 1, child)
    assert p.load(1, DATA) == 4711
    check(p.k)


def test_the_parent_goes_on_when_the_child_has_another_program() -> None:
    p = Puppets()
    child = vfork(p, 1)
    p.store(child, DATA, 1)
    assert p.execute(child) == 0
    assert goes_on(p, 1, child)
    assert p.k.tasks.peek(1).mm != p.k.tasks.peek(child).mm
    assert p.store(child, DATA, 2)
    assert p.load(1, DATA) == 1
    check(p.k)


def test_a_failed_exec_keeps_the_parent_waiting() -> None:
    p = Puppets()
    child = vfork(p, 1)
    assert p.execute(child, DATA) < 0
    assert p.k.tasks.peek(1).state == SLEEPING
    p.call(child, "exit_group", 127)
    assert goes_on(p, 1, child)


@pytest.mark.parametrize("end", [SIGKILL, SIGTERM])
def test_the_parent_goes_on_when_the_child_is_killed(end: int) -> None:
    p = Puppets()
    child = vfork(p, 1)
    other = p.fork(child)
    p.call(other, "kill", child, end)
    p.run(child)
    assert goes_on(p, 1, child)
    check(p.k)


@pytest.mark.parametrize(("signal", "dies"), [(SIGKILL, True), (SIGTERM, True), (SIGSTOP, False), (SIGUSR1, True)])
def test_only_death_interrupts_the_wait(signal: int, dies: bool) -> None:
    p = Puppets()
    parent = p.fork(1)
    child = vfork(p, parent)
    p.call(child, "kill", parent, signal)
    assert (p.k.tasks.peek(parent).state == RUNNING) == dies
    if dies:
        p.run(parent)
        assert p.k.groups.peek(parent).status == signal
        assert p.store(child, DATA, 1), "the child keeps the memory"
    p.call(child, "exit_group", 0)
    check(p.k)


def test_vfork_with_memory_of_its_own_waits_too() -> None:
    p = Puppets()
    assert p.call(1, "clone", clone.CLONE_VFORK | SIGCHLD) is None
    p.store(2, DATA, 7)
    p.call(2, "exit_group", 0)
    assert goes_on(p, 1, 2)
    assert p.load(1, DATA) != 7


def test_a_child_can_have_a_stack_of_its_own_as_posix_spawn_gives_it() -> None:
    p = Puppets()
    sp = p.k.tasks.peek(1).hart.x[2]
    assert p.call(1, "clone", VFORK, DATA + 4096) is None
    assert p.k.tasks.peek(2).hart.x[2] == DATA + 4096
    p.call(2, "exit_group", 0)
    assert goes_on(p, 1, 2)
    assert p.k.tasks.peek(1).hart.x[2] == sp


def test_a_child_with_the_same_memory_needs_no_waiting() -> None:
    p = Puppets()
    child = p.call(1, "clone", clone.CLONE_VM | SIGCHLD, DATA + 4096)
    assert child == 2
    p.store(2, DATA, 7)
    assert p.load(1, DATA) == 7
    p.call(2, "exit_group", 0)
    check(p.k)


def test_a_snapshot_in_the_middle_of_vfork_can_be_gone_back_to() -> None:
    p = Puppets()
    child = vfork(p, 1)
    state = p.k.snapshot()
    for _ in range(2):
        p.k.restore(state)
        check(p.k)
        p.call(child, "exit_group", 3)
        assert goes_on(p, 1, child)
