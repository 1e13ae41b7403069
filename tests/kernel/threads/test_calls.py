"""The calls around threads that C libraries make: tids of one's choice, and the scheduler's of one hart."""

from __future__ import annotations

import pytest

from kernel import clone
from kernel.check import CheckError, check
from kernel.errno import EEXIST, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH
from kernel.signal_numbers import SIGCHLD
from tests.kernel.puppet import DATA, SYS, Puppets

SYS.update(
    {
        "clone3": 435, "unshare": 97, "sched_setparam": 118, "sched_setscheduler": 119, "sched_getscheduler": 120,
        "sched_getparam": 121, "sched_setaffinity": 122, "sched_getaffinity": 123, "sched_get_priority_max": 125,
        "sched_get_priority_min": 126, "sched_rr_get_interval": 127, "getcpu": 168, "membarrier": 283, "rseq": 293,
        "futex_waitv": 449, "futex": 98, "exit": 93,
    }
)  # fmt: skip
PARAM, MASK, ARGS, TIDS = DATA + 0x100, DATA + 0x108, DATA + 0x200, DATA + 0x300
NOBODY = 4000


def clone3(p: Puppets, set_tid: int, size: int = 1, flags: int = 0, exit_signal: int = SIGCHLD) -> int | None:
    for index, word in enumerate((flags, 0, 0, 0, exit_signal, 0, 0, 0, TIDS, size)):
        p.store(1, ARGS + 8 * index, word)
    p.store(1, TIDS, set_tid)
    return p.call(1, "clone3", ARGS, 80)


def test_root_may_say_which_tid_a_child_gets() -> None:
    p = Puppets(root=True)
    assert clone3(p, 777) == 777
    check(p.k)
    assert clone3(p, 777) == -EEXIST
    assert clone3(p, 1) == -EEXIST
    assert p.fork(1) == 2, "others get the next ones, as before"
    p.call(777, "exit_group", 0)
    assert clone3(p, 777) == -EEXIST, "a zombie has its number still"
    assert p.call(1, "wait4", 777, 0, 0, 0) == 777
    assert clone3(p, 777) == 777
    check(p.k)


@pytest.mark.parametrize(
    ("tid", "size", "root", "error"),
    [(0, 1, True, EINVAL), (1 << 22, 1, True, EINVAL), (777, 2, True, EINVAL), (777, 1, False, EPERM)],
)
def test_a_tid_that_cannot_be_had(tid: int, size: int, root: bool, error: int) -> None:
    p = Puppets(root=root)
    assert clone3(p, tid, size) == -error
    check(p.k)


@pytest.mark.parametrize(("root", "error"), [(False, EPERM), (True, EINVAL)])
@pytest.mark.parametrize("flag", [clone.CLONE_NEWPID, clone.CLONE_NEWNET, clone.CLONE_NEWUSER, clone.CLONE_NEWNS])
def test_there_are_no_namespaces_for_anybody(root: bool, error: int, flag: int) -> None:
    p = Puppets(root=root)
    assert p.call(1, "clone", flag | SIGCHLD) == -error
    assert p.call(1, "unshare", flag) == -error


def test_the_policies_that_mean_nothing_are_remembered() -> None:
    p = Puppets()
    p.store(1, PARAM, 0)
    assert p.call(1, "sched_getscheduler", 0) == 0
    assert p.call(1, "sched_setscheduler", 0, 3, PARAM) == 0
    assert p.call(1, "sched_getscheduler", 1) == 3
    child = p.fork(1)
    assert p.call(1, "sched_getscheduler", child) == 3
    assert p.call(1, "sched_setscheduler", 0, 0x40000000 | 5, PARAM) == 0
    assert p.call(1, "sched_getscheduler", 0) == 0x40000005
    assert p.call(1, "sched_getscheduler", p.fork(1)) == 5, "SCHED_RESET_ON_FORK itself isn't inherited"
    check(p.k)


def test_a_leader_that_has_ended_can_be_asked_while_its_threads_live() -> None:
    p = Puppets()
    child = p.fork(1)
    tid = p.call(child, "clone", clone.CLONE_VM | clone.CLONE_SIGHAND | clone.CLONE_THREAD)
    p.call(child, "exit", 0)
    assert child not in p.k.tasks and tid in p.k.tasks
    assert p.call(1, "sched_getscheduler", child) == 0
    assert p.call(1, "sched_getaffinity", child, 8, MASK) == 8


@pytest.mark.parametrize(
    ("call", "arguments", "result"),
    [
        ("sched_setscheduler", (0, 1, PARAM), -EINVAL),  # FIFO, but priority 0
        ("sched_setscheduler", (0, 7, PARAM), -EINVAL),
        ("sched_setscheduler", (0, -1 & 0xFFFFFFFF, PARAM), -EINVAL),
        ("sched_setscheduler", (0, 0, 0), -EINVAL),
        ("sched_setscheduler", (0, 0, 8), -EFAULT),
        ("sched_setscheduler", (NOBODY, 0, PARAM), -ESRCH),
        ("sched_setscheduler", (-1, 0, PARAM), -EINVAL),
        ("sched_setscheduler", (0, 2, PARAM + 4), -EPERM),  # RR, priority 1
        ("sched_setscheduler", (0, 0, PARAM + 4), -EINVAL),  # OTHER, priority 1
        ("sched_setparam", (0, PARAM), 0),
        ("sched_setparam", (0, PARAM + 4), -EINVAL),
        ("sched_getscheduler", (-1,), -EINVAL),
        ("sched_getscheduler", (NOBODY,), -ESRCH),
        ("sched_getparam", (0, 0), -EINVAL),
        ("sched_getparam", (0, PARAM), 0),
        ("sched_getaffinity", (0, 8, MASK), 8),
        ("sched_getaffinity", (0, 128, MASK), 8),
        ("sched_getaffinity", (0, 4, MASK), -EINVAL),
        ("sched_getaffinity", (0, 0, MASK), -EINVAL),
        ("sched_getaffinity", (NOBODY, 8, MASK), -ESRCH),
        ("sched_getaffinity", (0, 8, 8), -EFAULT),
        ("sched_setaffinity", (0, 8, PARAM), -EINVAL),  # the word's lowest bit is 0: not this hart
        ("sched_setaffinity", (0, 1, PARAM + 4), 0),
        ("sched_setaffinity", (0, 0, PARAM), -EINVAL),
        ("sched_setaffinity", (0, 8, 8), -EFAULT),
        ("sched_get_priority_max", (1,), 99),
        ("sched_get_priority_min", (2,), 1),
        ("sched_get_priority_max", (0,), 0),
        ("sched_get_priority_max", (9,), -EINVAL),
        ("sched_rr_get_interval", (0, MASK), 0),
        ("sched_rr_get_interval", (-1, MASK), -EINVAL),
        ("getcpu", (MASK, MASK, 0), 0),
        ("getcpu", (0, 0, 0), 0),
        ("getcpu", (8, 0, 0), -EFAULT),
        ("membarrier", (0, 0, 0), -ENOSYS),
        ("rseq", (MASK, 32, 0, 0), -ENOSYS),
        ("futex_waitv", (MASK, 1, 0, 0, 0), -ENOSYS),
        *(("futex", (MASK, command, 0, 0, 0, 0), -ENOSYS) for command in (6, 7, 8, 11, 12, 13)),
    ],
)
def test_what_the_calls_of_a_machine_with_one_hart_answer(call: str, arguments: tuple[int, ...], result: int) -> None:
    p = Puppets()
    p.store(1, PARAM, 1 << 32)
    assert p.call(1, call, *arguments) == result
    check(p.k)


def test_the_checker_sees_a_thread_in_two_groups_and_one_in_none() -> None:
    p = Puppets()
    child = p.fork(1)
    p.k.groups[1].threads[child] = None
    with pytest.raises(CheckError, match="thread 2 of 1 belongs to 2"):
        check(p.k)
    p = Puppets()
    p.fork(1)
    del p.k.groups[2].threads[2]
    with pytest.raises(CheckError, match="task 2 isn't among the threads of 2"):
        check(p.k)
