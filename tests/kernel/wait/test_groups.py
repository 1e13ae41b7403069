"""Process groups and sessions: setpgid(2), setsid(2), and what becomes of stopped jobs that nobody can continue."""

from __future__ import annotations

import pytest

from kernel.check import check
from kernel.errno import EACCES, EAGAIN, EINVAL, EPERM, ESRCH
from kernel.signal_numbers import SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTSTP
from kernel.task import STOPPED
from kernel.wait import WNOHANG
from tests.kernel.puppet import Puppets


def test_a_child_is_born_into_its_parents_group_and_session() -> None:
    p = Puppets()
    child = p.fork(1)
    assert [p.call(child, name, 0) for name in ("getpgid", "getsid")] == [1, 1]
    assert [p.call(1, name, child) for name in ("getpgid", "getsid")] == [1, 1]


def test_a_process_and_its_parent_may_both_put_it_into_a_group_of_its_own() -> None:
    p = Puppets()
    first, second = p.fork(1), p.fork(1)
    assert p.call(first, "setpgid", 0, 0) == 0
    assert p.call(1, "setpgid", second, first) == 0
    assert [p.call(1, "getpgid", pid) for pid in (first, second)] == [first, first]
    assert list(p.k.pgroups.peek(first).members) == [first, second]
    check(p.k)


def test_a_group_lives_as_long_as_a_member_and_keeps_its_number() -> None:
    p = Puppets(pid_max=6)
    leader, other = p.fork(1), p.fork(1)
    p.call(1, "setpgid", leader, leader)
    p.call(1, "setpgid", other, leader)
    p.call(leader, "exit_group", 0)
    assert p.call(1, "wait4", leader, 0, 0) == leader
    assert p.call(other, "getpgid", 0) == leader
    assert [p.fork(1), p.fork(1), p.fork(1)] == [4, 5, -EAGAIN], "the group's number is nobody's pid, but not free"
    p.call(other, "exit_group", 0)
    assert p.call(1, "wait4", other, 0, 0) == other
    assert leader not in p.k.pgroups
    assert [p.fork(1), p.fork(1)] == [2, 3]


def test_what_setpgid_refuses() -> None:
    p = Puppets()
    child, other = p.fork(1), p.fork(1)
    grandchild = p.fork(child)
    assert p.call(child, "setpgid", 0, -1) == -EINVAL
    assert p.call(child, "setpgid", 99, 0) == -ESRCH
    assert p.call(child, "setpgid", -5, 0) == -EINVAL, "-5 is the group too"
    assert p.call(child, "setpgid", -5, 7) == -ESRCH
    assert p.call(child, "setpgid", 1, 0) == -ESRCH, "its parent"
    assert p.call(child, "setpgid", other, 0) == -ESRCH, "its brother"
    assert p.call(1, "setpgid", grandchild, 0) == -ESRCH
    assert p.call(child, "setpgid", 0, other) == -EPERM, "there is no such group"
    assert p.call(1, "setpgid", 0, 0) == -EPERM, "a session leader"
    assert p.execute(grandchild) == 0
    assert p.call(child, "setpgid", grandchild, 0) == -EACCES
    assert p.call(grandchild, "setpgid", 0, 0) == 0
    assert p.call(other, "setsid") == other
    assert p.call(1, "setpgid", other, 0) == -EPERM, "another session"
    assert p.call(child, "setpgid", 0, other) == -EPERM, "a group of another session"
    check(p.k)


def test_a_zombie_can_be_moved_and_waited_for_in_its_new_group() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    assert p.call(1, "setpgid", child, 0) == 0
    assert p.call(1, "kill", -child, SIGKILL) == 0
    assert p.call(1, "wait4", -child, 0, WNOHANG) == child
    assert p.call(1, "kill", -child, SIGKILL) == -ESRCH


def test_setsid_makes_a_session_and_a_group_but_not_for_the_leader_of_a_group() -> None:
    p = Puppets()
    child = p.fork(1)
    assert p.call(child, "setsid") == child
    assert [p.call(1, "getpgid", child), p.call(1, "getsid", child)] == [child, child]
    assert p.call(child, "setsid") == -EPERM
    leader = p.fork(1)
    member = p.fork(leader)
    p.call(leader, "setpgid", 0, 0)
    p.call(leader, "setpgid", member, leader)
    assert p.call(leader, "setsid") == -EPERM
    assert p.call(leader, "setpgid", 0, 1) == 0
    assert p.call(leader, "setsid") == -EPERM, "a member is left in the group that has its number"
    check(p.k)


def job(p: Puppets) -> tuple[int, int, int]:
    """A shell (in a session of its own) with a job of two processes: (shell, leader, member)."""
    shell = p.fork(1)
    p.call(shell, "setsid")
    leader = p.fork(shell)
    p.call(leader, "setpgid", 0, 0)
    return shell, leader, p.fork(leader)


def pending(p: Puppets, pid: int) -> int:
    return p.k.groups.peek(pid).signals


def test_a_stopped_job_whose_shell_ends_gets_sighup_and_sigcont() -> None:
    p = Puppets()
    shell, leader, member = job(p)
    p.call(1, "kill", member, SIGSTOP)
    p.run(member)
    assert p.k.tasks.peek(member).state == STOPPED
    p.call(shell, "exit_group", 0)
    for pid in (leader, member):
        assert pending(p, pid) >> SIGHUP - 1 & 1
        p.run(pid)
        assert not p.alive(pid)
    check(p.k)


def test_a_job_that_runs_is_left_alone_when_its_shell_ends() -> None:
    p = Puppets()
    shell, leader, member = job(p)
    p.call(shell, "exit_group", 0)
    assert [pending(p, leader), pending(p, member)] == [0, 0]


def test_a_stopped_job_whose_last_member_with_a_parent_outside_ends_gets_sighup_too() -> None:
    p = Puppets()
    _, leader, member = job(p)
    p.call(1, "kill", member, SIGSTOP)
    p.run(member)
    p.call(leader, "exit_group", 0)
    assert pending(p, member) >> SIGHUP - 1 & 1
    assert p.k.tasks.peek(member).state != STOPPED
    check(p.k)


@pytest.mark.parametrize("signal", [SIGTSTP, SIGSTOP])
def test_only_sigstop_stops_a_job_that_nobody_could_continue(signal: int) -> None:
    p = Puppets()
    shell, leader, member = job(p)
    p.call(1, "kill", member, signal)
    p.run(member)
    assert p.k.tasks.peek(member).state == STOPPED, "the shell is there"
    p.call(1, "kill", member, SIGCONT)
    p.call(shell, "exit_group", 0)
    p.run(member)
    p.call(1, "kill", member, signal)
    p.run(member)
    assert (p.k.tasks.peek(member).state == STOPPED) == (signal == SIGSTOP)
    assert pending(p, leader) == 0
