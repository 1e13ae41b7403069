"""Clocks, names, random bytes, clone's flags, and calls that don't exist."""

from __future__ import annotations

from struct import unpack

import pytest

from kernel import clone, events
from kernel.door import WALL_CLOCK
from kernel.errno import EFAULT, EINVAL, EOPNOTSUPP, EPERM, ESRCH, SysError
from kernel.stats import Stats
from kernel.user_memory import copy_in, copy_out
from tests.kernel import puppet
from tests.kernel.machines import run
from tests.kernel.puppet import DATA, HEAP, SIGCHLD, Puppets

puppet.SYS.update(clock_gettime=113, clock_nanosleep=115, nanosleep=101, getrandom=278, set_tid_address=96, nothing=999)


def time_at(p: Puppets, clock: int) -> int:
    assert p.call(1, "clock_gettime", clock, DATA) == 0
    seconds, ns = unpack("<2q", copy_in(p.k, p.k.tasks[1], DATA, 16))
    return int(seconds * 10**9 + ns)


def test_an_instruction_takes_a_nanosecond_on_every_clock() -> None:
    p = Puppets()
    for clock in (0, 1, 2, 3, 4, 5, 6, 7, 11):
        before = time_at(p, clock)
        p.run(1, 999)
        assert time_at(p, clock) - before == 1000


def test_real_time_begins_at_a_constant() -> None:
    p = Puppets()
    assert time_at(p, 0) - time_at(p, 1) == WALL_CLOCK - 1


@pytest.mark.parametrize("clock", [8, 9, 10, 12, -1, 100])
def test_clocks_that_are_not_there(clock: int) -> None:
    assert Puppets().call(1, "clock_gettime", clock, DATA) == -EINVAL


def test_sleeping_takes_as_long_as_was_asked_for() -> None:
    p = Puppets()
    copy_out(p.k, p.k.tasks[1], DATA, (2).to_bytes(8, "little") + (500).to_bytes(8, "little"))
    began = p.k.now
    assert p.call(1, "nanosleep", DATA, 0) is None
    p.k.run(until=p.k.machine.retired + 1)
    assert p.k.now - began == 2 * 10**9 + 500 + 1


def test_an_absolute_deadline_that_has_passed_is_no_sleep() -> None:
    p = Puppets()
    copy_out(p.k, p.k.tasks[1], DATA, bytes(16))
    for clock in (0, 1, 7):
        assert p.call(1, "clock_nanosleep", clock, 1, DATA, 0) == 0


@pytest.mark.parametrize(("seconds", "ns"), [(-1, 0), (0, 10**9), (0, -1), (1 << 62, 10**10)])
def test_times_that_are_none(seconds: int, ns: int) -> None:
    p = Puppets()
    data = (seconds & (1 << 64) - 1).to_bytes(8, "little") + (ns & (1 << 64) - 1).to_bytes(8, "little")
    copy_out(p.k, p.k.tasks[1], DATA, data)
    assert p.call(1, "nanosleep", DATA, 0) == -EINVAL
    assert p.call(1, "nanosleep", 0, 0) == -EFAULT


def test_the_longest_sleep_ends_before_the_clock_does() -> None:
    p = Puppets()
    copy_out(p.k, p.k.tasks[1], DATA, ((1 << 63) - 1).to_bytes(8, "little") + bytes(8))
    for _ in range(2):
        p.call(1, "nanosleep", DATA, 0)
        p.k.run(until=p.k.machine.retired + 1)
        assert (1 << 63) - 1 <= p.k.now < (1 << 63) + 10
        assert p.call(1, "clock_gettime", 0, DATA + 16) == 0


def test_nobody_sleeps_on_cpu_time() -> None:
    p = Puppets()
    assert p.call(1, "clock_nanosleep", 3, 0, DATA, 0) == -EOPNOTSUPP
    assert p.call(1, "clock_nanosleep", 99, 0, DATA, 0) == -EINVAL


def test_uname_fills_linux_structure() -> None:
    p = Puppets()
    assert p.call(1, "uname", DATA) == 0
    data = copy_in(p.k, p.k.tasks[1], DATA, 391)
    fields = [data[at : at + 65].rstrip(b"\0") for at in range(0, 390, 65)]
    assert fields[0] == b"Linux"
    assert fields[4] == b"riscv64"
    assert data[390:] == bytes([(390 * 7 + 3) & 255]), "nothing behind it is touched"


def test_random_bytes_are_the_same_for_the_same_seed() -> None:
    outputs = []
    for _ in range(2):
        p = Puppets()
        assert p.call(1, "getrandom", DATA, 5000, 0) == 5000
        outputs.append(copy_in(p.k, p.k.tasks[1], DATA, 5000))
    assert outputs[0] == outputs[1]
    assert len(set(outputs[0])) == 256


def test_getrandom_at_the_edge_of_memory() -> None:
    p = Puppets()
    assert p.call(1, "getrandom", HEAP - 10, 100, 0) == 10
    assert p.call(1, "getrandom", HEAP, 100, 0) == -EFAULT
    assert p.call(1, "getrandom", 0, 0, 0) == 0
    assert p.call(1, "getrandom", DATA, 8, 8) == -EINVAL
    assert p.call(1, "getrandom", DATA, 8, 6) == -EINVAL


def test_set_tid_address_returns_the_tid() -> None:
    assert Puppets().call(1, "set_tid_address", DATA) == 1


def test_a_call_that_does_not_exist_is_enosys_an_event_and_a_count() -> None:
    p = Puppets()
    heard: list[events.UnknownSyscall] = []
    p.k.events.on(events.UnknownSyscall, heard.append)
    assert p.call(1, "nothing", 1, 2) == -38
    assert [(event.number, event.arguments[:2]) for event in heard] == [(999, (1, 2))]
    assert p.k.stats.unknown_syscalls == {999: 1}


@pytest.mark.parametrize(
    ("flags", "errno"),
    [
        (clone.CLONE_THREAD, EINVAL),
        (clone.CLONE_SIGHAND, EINVAL),
        (clone.CLONE_NEWNS | clone.CLONE_FS, EINVAL),
        (clone.CLONE_NEWUSER | clone.CLONE_FS, EINVAL),
        (clone.CLONE_NEWPID, EPERM),
        (clone.CLONE_NEWNET | SIGCHLD, EPERM),
        (clone.CLONE_PARENT, EINVAL),
    ],
)
def test_clone_refuses_what_linux_refuses(flags: int, errno: int) -> None:
    p = Puppets()
    assert p.call(1, "clone", flags) == -errno
    assert p.k.tasks.ids() == [1]


def test_arguments_of_32_bits_are_cut_to_them() -> None:
    """clone's and getrandom's flags are ints: what stands above them is no flag."""
    p = Puppets()
    assert (p.call(1, "clone", SIGCHLD | 1 << 40) or 0) > 1
    assert p.call(1, "getrandom", DATA, 10, 1 << 32) == 10


def test_a_program_that_tries_every_number_is_counted_in_bounded_memory() -> None:
    stats = Stats()
    for number in range(100_000):
        stats.count_unknown(number)
        stats.count_unknown(7)
    assert len(stats.unknown_syscalls) <= 65
    assert stats.unknown_syscalls[7] == 100_001
    assert sum(stats.unknown_syscalls.values()) == 200_000


def test_kill_looks_for_the_process_before_the_signal() -> None:
    p = Puppets()
    assert p.call(1, "kill", 99999, 100) == -ESRCH
    assert p.call(1, "kill", 1, 100) == -EINVAL


def tid_at(p: Puppets, pid: int, va: int) -> int:
    return (p.load(pid, va) or 0) & 0xFFFFFFFF


def test_clone_as_the_c_library_calls_it_for_fork() -> None:
    p = Puppets()
    p.store(1, DATA, 0)
    flags = SIGCHLD | clone.CLONE_CHILD_SETTID | clone.CLONE_CHILD_CLEARTID | clone.CLONE_PARENT_SETTID
    child = p.call(1, "clone", flags, 0, DATA, 0, DATA + 8) or 0
    assert (tid_at(p, 1, DATA), tid_at(p, child, DATA), tid_at(p, child, DATA + 8)) == (child, 0, child)
    assert tid_at(p, 1, DATA + 8) != child
    other = p.call(1, "clone", SIGCHLD | clone.CLONE_SETTLS, DATA + 0x100, 0, 77, 0) or 0
    hart = p.k.tasks.peek(other).hart
    assert (hart.x[2], hart.x[4]) == (DATA + 0x100, 77)
    assert (p.call(1, "clone", flags, 0, 0, 0, 4) or 0) > 0, "an address that isn't there is no reason to fail"


def test_getppid_of_the_first_process_is_0() -> None:
    _, outcome = run("_start: sys 173; addi a0, a0, 5; sys 94")
    assert outcome.status == 5


def test_errors_name_themselves() -> None:
    assert str(SysError(EINVAL)) == "EINVAL"
    assert str(SysError(9999)) == "9999"
