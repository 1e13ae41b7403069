"""prctl(2), as Linux 6.18 answered the same calls; subreapers and the signal at a parent's death."""

from __future__ import annotations

import pytest

from kernel.check import check
from kernel.errno import EFAULT, EINVAL
from kernel.signal_numbers import LAST_SIGNAL, SIGCHLD, SIGTERM
from tests.kernel.puppet import DATA, RODATA, Puppets

SET_PDEATHSIG, GET_PDEATHSIG, SET_NAME, GET_NAME, SET_SUBREAPER, GET_SUBREAPER = 1, 2, 15, 16, 36, 37
CLONE_PARENT = 0x8000


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ((0,), -EINVAL),
        ((99999,), -EINVAL),
        ((1, LAST_SIGNAL), 0),
        ((1, LAST_SIGNAL + 1), -EINVAL),
        ((1, -1), -EINVAL),
        ((2, 8), -EFAULT),
        ((3,), 1),
        ((4, 2), -EINVAL),
        ((7,), 0),
        ((8, 2), -EINVAL),
        ((13,), 0),
        ((14, 1), -EINVAL),
        ((15, 8), -EFAULT),
        ((16, 8), -EFAULT),
        ((21,), 0),
        ((23, 40), 1),
        ((23, 41), -EINVAL),
        ((27,), 0),
        ((30,), 50000),
        ((37, 8), -EFAULT),
        ((38, 0), -EINVAL),
        ((38, 1, 1), -EINVAL),
        ((39,), 0),
        ((39, 1), -EINVAL),
        ((40, 8), -EFAULT),
    ],
)
def test_what_prctl_answers(arguments: tuple[int, ...], result: int) -> None:
    assert Puppets().call(1, "prctl", *arguments) == result


def test_what_is_set_is_got_and_a_child_has_it() -> None:
    p = Puppets()
    for set_it, get_it, value in ((4, 3, 0), (8, 7, 1), (29, 30, 12345), (38, 39, 1)):
        assert p.call(1, "prctl", set_it, value) == 0
        assert p.call(1, "prctl", get_it) == value
    child = p.fork(1)
    assert [p.call(child, "prctl", option) for option in (3, 7, 30, 39)] == [0, 1, 12345, 1]
    assert p.call(child, "prctl", 29, 0) == 0
    assert p.call(child, "prctl", 30) == 12345, "what it was born with"
    assert p.execute(child) == 0
    assert [p.call(child, "prctl", option) for option in (3, 7, 30, 39)] == [1, 0, 12345, 1]


def test_a_name_is_cut_to_fifteen_bytes() -> None:
    p = Puppets()
    assert p.call(1, "prctl", SET_NAME, RODATA + 0x41) == 0
    assert p.k.tasks.peek(1).comm == bytes(range(0x41, 0x50))
    assert p.call(1, "prctl", GET_NAME, DATA) == 0
    assert [p.load(1, DATA), p.load(1, DATA + 8)] == [0x4847464544434241, 0x004F4E4D4C4B4A49]


def test_orphans_come_to_the_nearest_subreaper_that_lives() -> None:
    p = Puppets()
    far = p.fork(1)
    near = p.fork(far)
    father = p.fork(near)
    child = p.fork(father)
    assert [p.call(pid, "prctl", SET_SUBREAPER, 5) for pid in (far, near)] == [0, 0]
    assert p.call(near, "prctl", GET_SUBREAPER, DATA) == 0
    assert (p.load(near, DATA) or 0) & 0xFFFFFFFF == 1
    p.call(father, "exit_group", 0)
    assert p.call(child, "getppid") == near
    p.call(near, "exit_group", 0)
    assert p.call(child, "getppid") == far
    check(p.k)
    assert p.call(far, "wait4", near, 0, 0) == near
    p.call(far, "prctl", SET_SUBREAPER, 0)
    p.call(far, "exit_group", 0)
    assert p.call(child, "getppid") == 1


def test_being_a_subreaper_is_not_inherited_but_being_below_one_is() -> None:
    p = Puppets()
    reaper = p.fork(1)
    p.call(reaper, "prctl", SET_SUBREAPER, 1)
    father = p.fork(reaper)
    p.call(father, "prctl", GET_SUBREAPER, DATA)
    assert (p.load(father, DATA) or 0) & 0xFFFFFFFF == 0
    child = p.fork(father)
    p.call(father, "exit_group", 0)
    assert p.call(child, "getppid") == reaper


def test_a_child_hears_of_its_parents_death_if_it_asked_to() -> None:
    p = Puppets()
    father = p.fork(1)
    asks, silent = p.fork(father), p.fork(father)
    assert p.call(asks, "prctl", SET_PDEATHSIG, SIGTERM) == 0
    grandchild = p.fork(asks)
    assert p.call(grandchild, "prctl", GET_PDEATHSIG, DATA) == 0
    assert (p.load(grandchild, DATA) or 0) & 0xFFFFFFFF == 0, "it is not inherited"
    assert p.execute(asks) == 0
    p.call(father, "exit_group", 0)
    p.run(asks)
    assert [p.alive(pid) for pid in (asks, silent, grandchild)] == [False, True, True]
    check(p.k)


def test_with_clone_parent_the_child_is_a_sibling() -> None:
    p = Puppets()
    father = p.fork(1)
    sibling = p.call(father, "clone", CLONE_PARENT | SIGCHLD) or 0
    assert p.call(sibling, "getppid") == 1
    p.call(father, "exit_group", 0)
    check(p.k)
    p.call(sibling, "exit_group", 0)
    assert [p.call(1, "wait4", -1, 0, 0) for _ in range(2)] == [father, sibling]
