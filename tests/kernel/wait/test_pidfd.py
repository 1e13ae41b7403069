"""pidfds: as Linux 6.18 answered the same calls (pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), waitid(2))."""

from __future__ import annotations

from struct import pack

import pytest

from kernel.check import check
from kernel.clone import CLONE_DETACHED, CLONE_PARENT_SETTID, CLONE_PIDFD
from kernel.errno import EAGAIN, EBADF, ECHILD, EFAULT, EINVAL, EPERM, ESRCH
from kernel.fs.pidfd import PIDFD_NONBLOCK, PIDFD_THREAD
from kernel.fs.readiness import POLLHUP, POLLIN, POLLRDNORM
from kernel.signal_numbers import LAST_SIGNAL, SIGCHLD, SIGKILL, SIGTERM, SIGUSR1
from kernel.syscalls.wait import P_PIDFD
from kernel.wait import WEXITED, WNOHANG, WNOWAIT
from tests.kernel.puppet import DATA, RODATA, Puppets

READY = POLLIN | POLLRDNORM


def poll(p: Puppets, pid: int, fd: int) -> int:
    """What the descriptor is ready for, asked without waiting."""
    p.store(pid, DATA, int.from_bytes(pack("<iHH", fd, 0xFFDF, 0), "little"))
    p.store(pid, DATA + 8, 0)
    p.store(pid, DATA + 16, 0)
    assert p.call(pid, "ppoll", DATA, 1, DATA + 8, 0, 8) in (0, 1)
    return (p.load(pid, DATA) or 0) >> 48


@pytest.fixture
def family() -> tuple[Puppets, int, int]:
    """A machine, a child of pid 1, and pid 1's pidfd for it."""
    p = Puppets()
    child = p.fork(1)
    fd = p.call(1, "pidfd_open", child, 0)
    assert fd is not None and fd >= 0
    return p, child, fd


Family = tuple[Puppets, int, int]


def test_what_pidfd_open_refuses() -> None:
    p = Puppets()
    assert p.call(1, "pidfd_open", 1, 1) == -EINVAL
    assert [p.call(1, "pidfd_open", pid, 0) for pid in (0, -1, 99)] == [-EINVAL, -EINVAL, -ESRCH]


def test_the_number_of_a_group_is_no_process(family: Family) -> None:
    p, child, _ = family
    other = p.fork(1)
    p.call(1, "setpgid", child, 0)
    p.call(1, "setpgid", other, child)
    p.call(child, "exit_group", 0)
    p.call(1, "wait4", child, 0, 0)
    assert p.call(1, "pidfd_open", child, 0) == -ESRCH
    check(p.k)


def test_a_pidfd_is_ready_when_its_process_has_ended_and_hung_up_when_it_is_reaped(family: Family) -> None:
    p, child, fd = family
    assert poll(p, 1, fd) == 0
    p.call(child, "exit_group", 3)
    assert poll(p, 1, fd) == READY
    assert p.call(1, "wait4", child, 0, 0) == child
    assert poll(p, 1, fd) == READY | POLLHUP
    check(p.k)


def test_who_polls_a_pidfd_is_woken_by_the_end_of_its_process(family: Family) -> None:
    p, child, fd = family
    p.store(1, DATA, int.from_bytes(pack("<iHH", fd, POLLIN, 0), "little"))
    assert p.call(1, "ppoll", DATA, 1, 0, 0, 8) is None
    p.call(child, "exit_group", 3)
    p.run(1)
    assert p.result(1) == 1


def test_a_pidfd_means_nobody_when_its_number_is_another_process_s() -> None:
    p = Puppets(pid_max=3)
    child = p.fork(1)
    fd = p.call(1, "pidfd_open", child, 0) or 0
    p.call(child, "exit_group", 0)
    assert p.call(1, "wait4", child, 0, 0) == child
    assert p.fork(1) == child
    assert p.call(1, "pidfd_send_signal", fd, SIGKILL, 0, 0) == -ESRCH
    assert p.call(1, "waitid", P_PIDFD, fd, 0, WEXITED | WNOHANG) == -ECHILD
    assert poll(p, 1, fd) == READY | POLLHUP
    check(p.k)


def test_waitid_takes_a_pidfd(family: Family) -> None:
    p, child, fd = family
    nonblocking = p.call(1, "pidfd_open", child, PIDFD_NONBLOCK) or 0
    assert p.call(1, "waitid", P_PIDFD, nonblocking, 0, WEXITED) == -EAGAIN
    assert p.call(1, "waitid", P_PIDFD, nonblocking, 0, WEXITED | WNOHANG) == 0
    assert [p.call(1, "waitid", P_PIDFD, bad, 0, WEXITED) for bad in (0, 99, -1)] == [-EBADF, -EBADF, -EINVAL]
    assert p.call(1, "waitid", P_PIDFD, fd, 0, WEXITED) is None
    p.call(child, "exit_group", 0)
    p.run(1)
    assert p.result(1) == 0
    assert p.call(1, "waitid", P_PIDFD, nonblocking, 0, WEXITED) == -ECHILD


def test_the_descriptor_may_be_closed_while_somebody_waits_through_it(family: Family) -> None:
    p, child, fd = family
    assert p.call(1, "waitid", P_PIDFD, fd, 0, WEXITED | WNOWAIT) is None
    del p.k.fdtables[p.k.tasks.peek(1).fdtable].slots[fd]
    p.call(child, "exit_group", 0)
    p.run(1)
    assert p.result(1) == 0


def test_a_signal_goes_through_a_pidfd(family: Family) -> None:
    p, child, fd = family
    thread = p.call(1, "pidfd_open", child, PIDFD_THREAD) or 0
    assert [p.call(1, "pidfd_send_signal", fd, 0, 0, flags) for flags in (0, 1, 2, 4)] == [0, 0, 0, -ESRCH]
    assert [p.call(1, "pidfd_send_signal", thread, 0, 0, flags) for flags in (0, 1, 2, 4)] == [0, 0, 0, -ESRCH]
    assert [p.call(1, "pidfd_send_signal", fd, 0, 0, flags) for flags in (3, 8)] == [-EINVAL] * 2
    assert p.call(1, "pidfd_send_signal", fd, LAST_SIGNAL + 1, 0, 0) == -EINVAL
    assert [p.call(1, "pidfd_send_signal", bad, SIGTERM, 0, 0) for bad in (0, 99)] == [-EBADF] * 2
    p.call(child, "setpgid", 0, 0)
    assert p.call(1, "pidfd_send_signal", fd, SIGTERM, 0, 4) == 0
    p.run(child)
    assert not p.alive(child)
    assert [p.call(1, "pidfd_send_signal", fd, signal, 0, 0) for signal in (0, SIGTERM, 65)] == [0, 0, -EINVAL]
    p.call(1, "wait4", child, 0, 0)
    assert [p.call(1, "pidfd_send_signal", fd, signal, 0, 0) for signal in (0, SIGTERM, 65)] == [-ESRCH] * 3


@pytest.mark.parametrize(
    ("signo", "code", "result"), [(SIGUSR1, -1, 0), (SIGTERM, -1, -EINVAL), (SIGUSR1, 0, -EPERM), (SIGUSR1, -6, -EPERM)]
)
def test_a_siginfo_of_ones_own(family: Family, signo: int, code: int, result: int) -> None:
    p, _, fd = family
    for at in range(0, 128, 8):
        p.store(1, DATA + at, 0)
    p.store(1, DATA, signo)
    p.store(1, DATA + 8, code & 0xFFFFFFFF)
    assert p.call(1, "pidfd_send_signal", fd, SIGUSR1, DATA, 0) == result


def test_another_process_s_descriptor_is_taken_by_pidfd_getfd(family: Family) -> None:
    p, child, fd = family
    p.call(child, "pipe2", DATA, 0)
    ends = p.load(child, DATA) or 0
    mine = p.call(1, "pidfd_getfd", fd, ends & 0xFFFFFFFF, 0) or 0
    theirs = p.k.fdtables.peek(p.k.tasks.peek(child).fdtable).slots[ends & 0xFFFFFFFF]
    assert p.k.fdtables.peek(p.k.tasks.peek(1).fdtable).slots[mine] == (theirs[0], True), "with close-on-exec"
    check(p.k)
    assert [p.call(1, "pidfd_getfd", bad, 0, 0) for bad in (0, 99)] == [-EBADF] * 2
    assert p.call(1, "pidfd_getfd", fd, 99, 0) == -EBADF
    assert p.call(1, "pidfd_getfd", fd, 0, 1) == -EINVAL
    assert p.call(child, "prctl", 4, 0) == 0
    assert p.call(1, "pidfd_getfd", fd, 0, 0) == -EPERM, "it may not be looked into any more"
    p.call(child, "exit_group", 0)
    assert p.call(1, "pidfd_getfd", fd, 0, 0) == -ESRCH
    check(p.k)


def test_pidfds_of_one_process_are_one_reference_and_closing_the_last_one_frees_it(family: Family) -> None:
    p, child, fd = family
    again = p.call(child, "pidfd_open", child, 0) or 0
    assert len(p.k.pid_refs) == 1
    assert p.call(1, "close", fd) == 0
    check(p.k)
    assert p.call(child, "close", again) == 0
    assert len(p.k.pid_refs) == 0
    check(p.k)


def test_clone_makes_a_pidfd_for_the_child_it_makes() -> None:
    p = Puppets()
    child = p.call(1, "clone", CLONE_PIDFD | SIGCHLD, 0, DATA) or 0
    fd = (p.load(1, DATA) or 0) & 0xFFFFFFFF
    tables = [p.k.fdtables.peek(p.k.tasks.peek(pid).fdtable).slots for pid in (1, child)]
    assert tables[0][fd][1], "with close-on-exec"
    assert fd not in tables[1], "the child's descriptors were copied before"
    assert p.call(1, "pidfd_send_signal", fd, SIGTERM, 0, 0) == 0
    p.run(child)
    assert poll(p, 1, fd) == READY
    check(p.k)


@pytest.mark.parametrize(
    ("flags", "address", "errno"),
    [(CLONE_PARENT_SETTID, DATA, EINVAL), (CLONE_DETACHED, DATA, EINVAL), (0, RODATA, EFAULT), (0, 8, EFAULT)],
)
def test_a_clone_whose_pidfd_cannot_be_made_makes_no_child(flags: int, address: int, errno: int) -> None:
    p = Puppets()
    assert p.call(1, "clone", CLONE_PIDFD | flags | SIGCHLD, 0, address) == -errno
    assert list(p.k.groups.peek(1).children) == []
    assert len(p.k.pid_refs) == 0
    check(p.k)
