"""Numbers for processes: upwards, wrapping, and never twice while anybody goes by one."""

from __future__ import annotations

import pytest

from kernel.errno import EAGAIN, SysError
from kernel.pids import RESERVED, Pids
from tests.kernel.puppet import Puppets


def test_pids_go_upwards() -> None:
    pids = Pids(32768)
    assert [pids.alloc() for _ in range(4)] == [1, 2, 3, 4]
    pids.release(2)
    assert pids.alloc() == 5


def test_at_pid_max_they_begin_again_above_the_reserved_ones() -> None:
    pids = Pids(2000)
    for _ in range(1999):
        last = pids.alloc()
    assert last == 1999
    for pid in (5, 700, 1500):
        pids.release(pid)
    assert [pids.alloc(), pids.alloc()] == [700, 1500]


def test_with_a_small_pid_max_all_numbers_but_init_are_used_again() -> None:
    pids = Pids(10)
    assert [pids.alloc() for _ in range(9)] == list(range(1, 10))
    with pytest.raises(SysError) as error:
        pids.alloc()
    assert error.value.errno == EAGAIN
    pids.release(3)
    assert pids.alloc() == 3


def test_a_number_is_free_only_when_nothing_goes_by_it() -> None:
    pids = Pids(5)
    for _ in range(4):
        pids.alloc()
    pids.hold(2)
    pids.release(2)
    with pytest.raises(SysError):
        pids.alloc()
    pids.release(2)
    assert pids.alloc() == 2


def test_finding_a_number_takes_one_look_however_many_are_taken() -> None:
    pids = Pids(1 << 22)
    for _ in range(100_000):
        pids.alloc()
    pids.release(50_000)
    pids._next = RESERVED
    assert pids.alloc() == 50_000
    assert pids.alloc() == 100_001


def test_a_zombie_keeps_its_pid_until_it_is_reaped() -> None:
    p = Puppets(pid_max=4)
    second, third = p.fork(1), p.fork(1)
    assert (second, third) == (2, 3)
    p.call(second, "exit_group", 0)
    assert p.fork(1) == -EAGAIN
    assert p.call(1, "wait4", second, 0, 0) == second
    assert p.fork(1) == 2


def test_the_limit_of_processes_counts_zombies() -> None:
    p = Puppets(max_procs=3)
    child = p.fork(1)
    p.fork(1)
    assert p.fork(1) == -EAGAIN
    p.call(child, "exit_group", 0)
    assert p.fork(1) == -EAGAIN
    p.call(1, "wait4", child, 0, 0)
    assert p.fork(1) > 0
