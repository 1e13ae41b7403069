"""wait4: who may be waited for, what one hears, and what is gone afterwards. (wait(2); Linux's kernel/exit.c.)"""

from __future__ import annotations

from struct import unpack

import pytest

from kernel import limits
from kernel.check import check
from kernel.errno import ECHILD, EFAULT, EINVAL, ESRCH
from kernel.signal_numbers import SIGCONT, SIGKILL, SIGSTOP, SIGTERM
from kernel.task import SLEEPING
from kernel.wait import WALL, WCLONE, WCONTINUED, WNOHANG, WUNTRACED
from tests.kernel.puppet import DATA, RODATA, Puppets


def status_of(p: Puppets, pid: int, *arguments: int) -> tuple[int | None, int]:
    """(what wait4 returned, the status word it stored)."""
    target, options = (*arguments, 0)[:2]
    result = p.call(pid, "wait4", target, DATA, options)
    return result, (p.load(pid, DATA) or 0) & 0xFFFFFFFF


def test_a_parent_that_waits_sleeps_until_a_child_ends() -> None:
    p = Puppets()
    child = p.fork(1)
    assert p.call(1, "wait4", -1, DATA, 0) is None
    assert p.k.tasks.peek(1).state == SLEEPING
    p.call(child, "exit_group", 42)
    p.run(1)
    assert p.result(1) == child
    assert (p.load(1, DATA) or 0) & 0xFFFFFFFF == 42 << 8


def test_a_child_that_was_waited_for_is_gone() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    assert child in p.k.groups
    assert p.call(1, "wait4", child, 0, 0) == child
    assert child not in p.k.groups
    assert p.call(1, "wait4", child, 0, 0) == -ECHILD


def test_a_zombie_holds_no_memory() -> None:
    p = Puppets()
    p.store(p.fork(1), DATA, 1)
    used = p.k.frames.used
    child = p.fork(1)
    p.store(child, DATA, 1)
    p.call(child, "exit_group", 0)
    assert p.k.frames.used == used
    assert child not in p.k.tasks


@pytest.mark.parametrize("code", [0, 1, 255, 256, 1000, -1])
def test_only_the_low_byte_of_an_exit_code_arrives(code: int) -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "exit_group", code)
    assert status_of(p, 1, child) == (child, (code & 255) << 8)


def test_the_status_of_a_process_that_a_signal_ended_is_the_signal() -> None:
    p = Puppets()
    for signal in (SIGTERM, SIGKILL):
        child = p.fork(1)
        p.call(1, "kill", child, signal)
        p.run(child)
        assert status_of(p, 1, -1) == (child, signal)


def test_wnohang_does_not_wait() -> None:
    p = Puppets()
    assert p.call(1, "wait4", -1, 0, WNOHANG) == -ECHILD
    child = p.fork(1)
    assert p.call(1, "wait4", -1, 0, WNOHANG) == 0
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", -1, 0, WNOHANG) == child


def test_several_zombies_are_found_in_the_order_of_their_birth() -> None:
    p = Puppets()
    children = [p.fork(1) for _ in range(4)]
    for child in (children[2], children[0], children[3], children[1]):
        p.call(child, "exit_group", 0)
    assert [p.call(1, "wait4", -1, 0, 0) for _ in children] == children


def test_a_pid_names_one_child_and_only_a_child() -> None:
    p = Puppets()
    first, second = p.fork(1), p.fork(1)
    grandchild = p.fork(first)
    for pid in (grandchild, second):
        p.call(pid, "exit_group", 0)
    assert p.call(1, "wait4", first, 0, WNOHANG) == 0
    assert p.call(1, "wait4", grandchild, 0, WNOHANG) == -ECHILD
    assert p.call(1, "wait4", second, 0, WNOHANG) == second


def test_a_process_group_can_be_waited_for() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", -7, 0, WNOHANG) == -ECHILD
    assert p.call(1, "wait4", 0, 0, WNOHANG) == child
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", -1 & 0xFFFFFFFF, 0, WNOHANG) == child, "pid is an int: its upper half doesn't count"


@pytest.mark.parametrize(
    ("pid", "options", "errno"),
    [(-1, 4, EINVAL), (-1, 1 << 20, EINVAL), (-(1 << 31), 0, ESRCH), (2, 0, ECHILD), (1, 0, ECHILD)],
)
def test_what_makes_no_sense_is_refused(pid: int, options: int, errno: int) -> None:
    assert Puppets().call(1, "wait4", pid, 0, options) == -errno


def test_a_status_that_cannot_be_stored_is_efault_and_the_child_is_gone_all_the_same() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", child, RODATA, 0) == -EFAULT
    assert p.call(1, "wait4", child, 0, 0) == -ECHILD


def test_stop_and_continue_are_heard_once_by_those_who_ask() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(1, "kill", child, SIGSTOP)
    p.run(child)
    assert status_of(p, 1, -1, WNOHANG) == (0, status_of(p, 1, -1, WNOHANG)[1])
    assert status_of(p, 1, -1, WNOHANG | WUNTRACED) == (child, SIGSTOP << 8 | 0x7F)
    assert p.call(1, "wait4", -1, 0, WNOHANG | WUNTRACED) == 0
    p.call(1, "kill", child, SIGCONT)
    assert p.call(1, "wait4", -1, 0, WNOHANG | WUNTRACED) == 0
    assert status_of(p, 1, -1, WNOHANG | WCONTINUED) == (child, 0xFFFF)
    assert p.call(1, "wait4", -1, 0, WNOHANG | WCONTINUED) == 0
    assert p.call(child, "getpid") == child


def test_a_child_with_another_exit_signal_is_a_clone_child() -> None:
    p = Puppets()
    child = p.call(1, "clone", SIGTERM) or 0
    assert p.call(1, "wait4", -1, 0, WNOHANG) == -ECHILD
    assert p.call(1, "wait4", -1, 0, WNOHANG | WCLONE) == 0
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", -1, 0, WNOHANG) == -ECHILD
    assert p.call(1, "wait4", -1, 0, WNOHANG | WALL) == child


def test_rusage_counts_the_child_and_those_it_waited_for() -> None:
    p = Puppets()
    child = p.fork(1)
    grandchild = p.fork(child)
    p.run(grandchild, 5000)
    p.call(grandchild, "exit_group", 0)
    p.call(child, "wait4", grandchild, 0, 0)
    p.run(child, 3000)
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", child, 0, 0, DATA) == child
    usage = unpack("<18q", b"".join((p.load(1, DATA + at) or 0).to_bytes(8, "little") for at in range(0, 144, 8)))
    assert usage[0] == 0
    assert usage[1] == 8  # microseconds; an instruction is a nanosecond
    assert usage[4] > 0  # KiB
    check(p.k)


def test_orphans_and_orphaned_zombies_become_the_children_of_init() -> None:
    p = Puppets()
    child = p.fork(1)
    alive, dead = p.fork(child), p.fork(child)
    p.call(dead, "exit_group", 3)
    p.call(child, "exit_group", 0)
    assert p.call(alive, "getppid") == 1
    assert p.call(1, "wait4", child, 0, 0) == child
    assert status_of(p, 1, dead) == (dead, 3 << 8)
    p.call(alive, "exit_group", 0)
    assert p.call(1, "wait4", -1, 0, 0) == alive
    assert p.call(1, "wait4", -1, 0, 0) == -ECHILD


def test_init_that_waits_is_woken_by_an_orphaned_zombie() -> None:
    p = Puppets()
    child = p.fork(1)
    grandchild = p.fork(child)
    p.call(grandchild, "exit_group", 0)
    assert p.call(1, "wait4", grandchild + 0, 0, 0) == -ECHILD
    assert p.call(1, "wait4", -1, 0, 0) is None
    p.call(child, "exit_group", 0)
    p.run(1)
    assert p.result(1) in (child, grandchild)
    assert p.call(1, "wait4", -1, 0, WNOHANG) in (child, grandchild)


def looked_at(p: Puppets, *arguments: int) -> int:
    """How many processes a wait4 of pid 1 looks at."""
    groups, count = p.k.groups, 0
    for_reading = type(groups).peek

    def peek(table: object, row_id: int) -> object:
        nonlocal count
        count += table is groups
        return for_reading(table, row_id)  # type: ignore[arg-type]

    type(groups).peek = peek  # type: ignore[assignment, method-assign]
    try:
        p.call(1, "wait4", *arguments)
    finally:
        type(groups).peek = for_reading  # type: ignore[method-assign]
    return count


@pytest.mark.parametrize("which", ["any", "its pid", "its group", "own group"])
@pytest.mark.parametrize("what", ["ended", "none"])
def test_a_wait_looks_at_no_more_children_when_there_are_more(which: str, what: str) -> None:
    counts = []
    for many in (3, 30):
        p = Puppets(memory=8 << 20)
        for _ in range(many):
            p.fork(1)
        child = p.fork(1)
        if which == "its group":
            p.call(1, "setpgid", child, 0)
        if what == "ended":
            p.call(child, "exit_group", 0)
        target = {"any": -1, "its pid": child, "its group": -child, "own group": 0}[which]
        counts.append(looked_at(p, target, 0, WNOHANG))
    assert counts[0] == counts[1]


def test_an_exit_signal_for_which_there_is_no_room_is_lost_and_the_child_is_not() -> None:
    p = Puppets()
    realtime = 40
    p.k.tasks[1].blocked = 1 << realtime - 1
    limits.change(p.k.groups[1], limits.SIGPENDING, 0, 0)
    child = p.call(1, "clone", realtime) or 0
    p.call(child, "exit_group", 3)
    check(p.k)
    assert status_of(p, 1, child, WALL) == (child, 3 << 8)
    assert p.k.groups.peek(1).queue == []
