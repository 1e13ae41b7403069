"""Resource limits and CPU time: getrlimit(2), setitimer(2), getrusage(2), times(2), against what Linux does."""

from __future__ import annotations

from collections.abc import Generator
from struct import pack, unpack
from typing import Any

import pytest

from kernel import limits, memory_limits
from kernel.check import check
from kernel.errno import EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, EMFILE, ENOMEM, EPERM, ESRCH
from kernel.limits import AS, CORE, CPU, DATA, FSIZE, INFINITY, MEMLOCK, NOFILE, NPROC, SIGPENDING, STACK
from kernel.mm import STACK_TOP
from kernel.signal_numbers import SIGKILL, SIGPROF, SIGSEGV, SIGVTALRM, SIGXCPU, SIGXFSZ
from kernel.user_memory import copy_in, copy_out
from tests.kernel import puppet
from tests.kernel.puppet import DATA as AT
from tests.kernel.puppet import HEAP, Puppets

puppet.SYS.update(
    prlimit64=261, getrlimit=163, setrlimit=164, getrusage=165, times=153, sysinfo=179, setitimer=103, getitimer=102,
    rt_sigqueueinfo=138, rt_sigprocmask=135, dup=23, dup3=24, fcntl=25, pipe2=59, setuid=146,
)  # fmt: skip
PAGE = 4096
MIB = 1 << 20
RW, PRIVATE_ANON = 3, 0x22
SECOND = 1_000_000_000


@pytest.fixture
def p() -> Generator[Puppets]:
    puppets = Puppets()
    yield puppets
    check(puppets.k)


def words(p: Puppets, pid: int, count: int, at: int = AT) -> tuple[Any, ...]:
    return unpack(f"<{count}q", copy_in(p.k, p.k.tasks[pid], at, 8 * count))


def put(p: Puppets, pid: int, *values: int) -> None:
    p.take_the_hart(pid)  # its address space has a name for the TLB only when it has run
    copy_out(p.k, p.k.tasks[pid], AT, pack(f"<{len(values)}Q", *values))


def get(p: Puppets, pid: int, resource: int) -> tuple[int, int]:
    assert p.call(pid, "getrlimit", resource, AT) == 0
    soft, hard = unpack("<2Q", copy_in(p.k, p.k.tasks[pid], AT, 16))
    return soft, hard


def put_limit(p: Puppets, pid: int, resource: int, soft: int, hard: int = INFINITY) -> int | None:
    put(p, pid, soft, hard)
    return p.call(pid, "setrlimit", resource, AT)


def spin(p: Puppets, pid: int, slices: int) -> None:
    """The process runs for so many time slices (of 1000 instructions), or until it ends."""
    for _ in range(slices):
        if p.alive(pid):
            p.run(pid, 2 * p.k.config.quantum)


def test_the_limits_at_boot_are_those_of_linux(p: Puppets) -> None:
    assert get(p, 1, STACK) == (8 * MIB, INFINITY)
    assert get(p, 1, NOFILE) == (1024, 4096)
    assert get(p, 1, CORE) == (0, INFINITY)
    assert get(p, 1, AS) == get(p, 1, DATA) == get(p, 1, CPU) == (INFINITY, INFINITY)
    assert get(p, 1, MEMLOCK) == (8 * MIB, 8 * MIB)


def test_a_child_has_its_parents_limits_and_its_own_from_then_on(p: Puppets) -> None:
    assert put_limit(p, 1, STACK, MIB, 2 * MIB) == 0
    child = p.fork(1)
    assert get(p, child, STACK) == (MIB, 2 * MIB)
    assert put_limit(p, child, STACK, PAGE, PAGE) == 0
    assert get(p, 1, STACK) == (MIB, 2 * MIB)
    assert p.execute(child) == 0
    assert get(p, child, STACK) == (PAGE, PAGE)


def test_a_limit_can_be_lowered_for_ever_but_not_raised(p: Puppets) -> None:
    assert put_limit(p, 1, CORE, 10, 20) == 0
    assert put_limit(p, 1, CORE, 20, 20) == 0
    assert put_limit(p, 1, CORE, 0, 21) == -EPERM
    assert put_limit(p, 1, CORE, 21, 20) == -EINVAL
    assert put_limit(p, 1, NOFILE, 0, limits.MOST_FILES + 1) == -EPERM
    assert get(p, 1, CORE) == (20, 20)


def test_bad_arguments_of_prlimit(p: Puppets) -> None:
    assert p.call(1, "prlimit64", 0, 16, 0, AT) == -EINVAL
    assert p.call(1, "prlimit64", 0, -1, 0, AT) == -EINVAL
    assert p.call(1, "prlimit64", 99, 0, 0, AT) == -ESRCH
    assert p.call(1, "prlimit64", -1, 0, 0, AT) == -ESRCH
    assert p.call(1, "prlimit64", 99, 99, 8, 0) == -EFAULT  # the new limit is read before all else
    assert p.call(1, "prlimit64", 0, 0, 0, 8) == -EFAULT
    assert p.call(1, "prlimit64", 0, 0, 0, 0) == 0


def test_prlimit_changes_another_process_and_tells_what_was(p: Puppets) -> None:
    child = p.fork(1)
    put(p, 1, 5, 6)
    assert p.call(1, "prlimit64", child, CORE, AT, AT + 16) == 0
    assert words(p, 1, 2, AT + 16) == (0, -1)
    assert get(p, child, CORE) == (5, 6)


def test_the_address_space_grows_up_to_its_limit(p: Puppets) -> None:
    mm = p.k.mms.peek(p.k.tasks.peek(1).mm)
    assert put_limit(p, 1, AS, memory_limits.size_of(mm) + 4 * PAGE) == 0
    at = p.call(1, "mmap", 0, 3 * PAGE, RW, PRIVATE_ANON, -1, 0)
    assert at is not None and at > 0
    assert p.call(1, "mmap", 0, 2 * PAGE, RW, PRIVATE_ANON, -1, 0) == -ENOMEM
    assert p.call(1, "mmap", at, 3 * PAGE, RW, PRIVATE_ANON | 0x10, -1, 0) == at  # what it replaces doesn't count
    assert p.call(1, "brk", HEAP + 2 * PAGE) == HEAP
    assert p.call(1, "brk", HEAP + PAGE) == HEAP + PAGE
    assert p.call(1, "mremap", at, 3 * PAGE, 4 * PAGE, 1) == -ENOMEM
    assert p.call(1, "munmap", at, PAGE) == 0
    assert p.call(1, "brk", HEAP + 2 * PAGE) == HEAP + 2 * PAGE


def test_data_is_what_is_private_and_writable(p: Puppets) -> None:
    mm = p.k.mms.peek(p.k.tasks.peek(1).mm)
    assert put_limit(p, 1, DATA, memory_limits.data_size(mm) + PAGE) == 0
    assert p.call(1, "mmap", 0, 2 * PAGE, RW, PRIVATE_ANON, -1, 0) == -ENOMEM
    constant = p.call(1, "mmap", 0, 2 * PAGE, 1, PRIVATE_ANON, -1, 0)
    shared = p.call(1, "mmap", 0, 2 * PAGE, RW, 0x21, -1, 0)
    assert constant is not None and constant > 0 and shared is not None and shared > 0
    assert p.call(1, "mprotect", constant, 2 * PAGE, RW) == -ENOMEM
    assert p.call(1, "mprotect", constant, PAGE, RW) == 0
    assert p.call(1, "mprotect", constant, PAGE, RW) == 0


def test_the_stack_grows_up_to_its_limit(p: Puppets) -> None:
    assert put_limit(p, 1, STACK, 64 * PAGE) == 0
    child = p.fork(1)
    assert p.store(child, STACK_TOP - 64 * PAGE, 1)
    assert not p.store(child, STACK_TOP - 65 * PAGE, 1)
    assert p.k.groups.peek(child).status == SIGSEGV


def test_without_a_limit_of_the_stack_mmap_places_upwards(p: Puppets) -> None:
    child = p.fork(1)
    assert put_limit(p, child, STACK, INFINITY) == 0
    assert p.execute(child) == 0
    first = p.call(child, "mmap", 0, PAGE, RW, PRIVATE_ANON, -1, 0)
    second = p.call(child, "mmap", 0, 2 * PAGE, 1, PRIVATE_ANON, -1, 0)
    assert first is not None and second == first + PAGE


def test_locked_memory_has_a_limit(p: Puppets) -> None:
    assert put_limit(p, 1, MEMLOCK, 2 * PAGE, 2 * PAGE) == 0
    assert p.call(1, "mlock", AT, PAGE) == 0
    assert p.call(1, "mlock", HEAP - 4 * PAGE, 2 * PAGE) == -ENOMEM


def test_queued_signals_have_a_limit(p: Puppets) -> None:
    assert put_limit(p, 1, SIGPENDING, 2, 2) == 0
    copy_out(p.k, p.k.tasks[1], AT, pack("<Q", 1 << 39))
    assert p.call(1, "rt_sigprocmask", 0, AT, 0, 8) == 0
    info = pack("<iii", 40, 0, -1).ljust(128, b"\0")
    copy_out(p.k, p.k.tasks[1], AT, info)
    assert [p.call(1, "rt_sigqueueinfo", 1, 40, AT) for _ in range(3)] == [0, 0, -11]


@pytest.mark.parametrize(("which", "signal"), [(1, SIGVTALRM), (2, SIGPROF)])
def test_a_timer_of_cpu_time_counts_only_what_the_process_runs(which: int, signal: int) -> None:
    p = Puppets(quantum=1000)
    child = p.fork(1)
    put(p, child, 0, 0, 0, 20)
    assert p.call(child, "setitimer", which, AT, 0) == 0
    spin(p, 1, 50)
    assert p.call(child, "getitimer", which, AT) == 0
    assert words(p, child, 3) == (0, 0, 0)
    spin(p, child, 18)
    assert p.alive(child)
    spin(p, child, 4)
    assert not p.alive(child)
    assert p.k.groups.peek(child).status == signal


def test_a_timer_with_an_interval_goes_on_and_a_child_does_not_have_it() -> None:
    p = Puppets(quantum=1000)
    put(p, 1, 0, 10, 0, 10)
    assert p.call(1, "setitimer", 2, AT, 0) == 0
    assert p.k.groups.peek(p.fork(1)).cpu_alarm == 0
    before = p.k.stats.signals
    spin(p, 1, 35)
    assert p.k.stats.signals - before == 3
    assert p.call(1, "setitimer", 3, AT, 0) == -EINVAL


def test_cpu_time_ends_with_a_warning_each_second_and_then_the_end() -> None:
    p = Puppets(quantum=1000)
    child = p.fork(1)
    assert put_limit(p, child, CPU, 1, 3) == 0
    p.k.tasks[child].instructions = SECOND - 1000  # as if it had run for so long
    spin(p, child, 3)
    assert p.k.groups.peek(child).status == SIGXCPU
    other = p.fork(1)
    assert put_limit(p, other, CPU, 3, 3) == 0
    p.k.tasks[other].instructions = 3 * SECOND - 1000
    spin(p, other, 3)
    assert p.k.groups.peek(other).status == SIGKILL


def test_a_user_has_a_limit_of_tasks_and_zombies_count(p: Puppets) -> None:
    assert put_limit(p, 1, NPROC, 3, 3) == 0
    first, second = p.fork(1), p.fork(1)
    assert p.fork(1) == -EAGAIN
    p.call(first, "exit_group", 0)
    assert p.fork(1) == -EAGAIN
    assert p.call(1, "wait4", -1, 0, 0, 0) == first
    assert p.fork(1) > second


def test_threads_count_as_tasks(p: Puppets) -> None:
    assert put_limit(p, 1, NPROC, 2, 2) == 0
    thread = p.call(1, "clone", 0x10F00)
    assert thread is not None and thread > 0
    assert p.call(1, "clone", 0x10F00) == -EAGAIN
    assert p.fork(1) == -EAGAIN


def test_root_has_as_many_tasks_as_it_likes_and_raises_limits() -> None:
    p = Puppets(root=True)
    assert put_limit(p, 1, NPROC, 1, 1) == 0
    assert p.fork(1) > 1
    assert put_limit(p, 1, NPROC, 2, 2) == 0


def test_a_process_of_another_user_has_its_limits_for_itself() -> None:
    p = Puppets(root=True)
    child = p.fork(1)
    assert p.call(child, "setuid", 1000) == 0
    assert p.call(child, "prlimit64", 1, CORE, 0, AT) == -EPERM
    assert p.call(1, "prlimit64", child, CORE, 0, AT) == 0


def test_descriptors_have_a_limit(p: Puppets) -> None:
    assert put_limit(p, 1, NOFILE, 5, 10) == 0
    assert [p.call(1, "dup", 0) for _ in range(3)] == [3, 4, -EMFILE]
    assert p.call(1, "dup3", 0, 5, 0) == -EBADF
    assert p.call(1, "fcntl", 0, 0, 5) == -EINVAL
    assert p.call(1, "pipe2", AT, 0) == -EMFILE
    assert put_limit(p, 1, NOFILE, 3, 10) == 0
    assert p.call(1, "close", 4) == 0
    assert p.call(1, "dup", 3) == -EMFILE  # those that are open stay, new ones aren't made


def test_a_file_grows_up_to_the_limit_and_no_further(p: Puppets) -> None:
    copy_out(p.k, p.k.tasks[1], AT, b"big\0")
    fd = p.call(1, "memfd_create", AT, 0)
    assert fd is not None
    assert put_limit(p, 1, FSIZE, 100) == 0
    child = p.fork(1)
    assert p.call(1, "write", fd, HEAP - PAGE, 80) == 80
    assert p.call(1, "write", fd, HEAP - PAGE, 80) == 20
    assert p.call(1, "ftruncate", fd, 50) == 0
    assert p.call(1, "ftruncate", fd, 100) == 0
    assert p.call(1, "write", fd, HEAP - PAGE, 0) == 0
    assert p.call(1, "write", fd, HEAP - PAGE, 1) == -EFBIG  # init lives: it has no handler for SIGXFSZ
    assert p.call(1, "ftruncate", fd, 101) == -EFBIG
    p.call(child, "write", fd, HEAP - PAGE, 1)
    assert p.k.groups.peek(child).status == SIGXFSZ


def test_usage_is_what_was_used(p: Puppets) -> None:
    p.run(1, 5_000)
    assert p.call(1, "getrusage", 0, AT) == 0
    seconds, micros, *rest = words(p, 1, 18)
    assert (seconds, micros) == (0, p.k.tasks.peek(1).instructions // 1000)
    assert rest[2] > 0 and rest[6] > 0  # ru_maxrss, ru_minflt
    assert p.call(1, "getrusage", 1, AT) == 0
    assert words(p, 1, 2)[0] == 0
    assert p.call(1, "getrusage", 2, AT) == -EINVAL
    assert p.call(1, "getrusage", 0, 8) == -EFAULT


def test_usage_of_children_is_that_of_those_who_were_waited_for(p: Puppets) -> None:
    child = p.fork(1)
    p.run(child, 100)
    p.k.tasks[child].instructions += SECOND
    p.call(child, "exit_group", 0)
    assert p.call(1, "getrusage", -1, AT) == 0
    assert words(p, 1, 1) == (0,)
    assert p.call(1, "wait4", -1, 0, 0, 0) == child
    assert p.call(1, "getrusage", -1, AT) == 0
    assert words(p, 1, 1) == (1,)
    assert p.call(1, "times", AT) is not None
    own, system, children, _ = words(p, 1, 4)
    assert (own, system, children) == (0, 0, 100)


def test_the_most_memory_is_remembered_over_exec(p: Puppets) -> None:
    def most(pid: int) -> int:
        assert p.call(pid, "getrusage", 0, AT) == 0
        return int(words(p, pid, 5)[4])

    child = p.fork(1)
    at = p.call(child, "mmap", 0, 64 * PAGE, RW, PRIVATE_ANON, -1, 0)
    assert at is not None
    for page in range(64):
        p.store(child, at + page * PAGE, 1)
    before = most(child)
    assert before >= 64 * 4
    assert p.execute(child) == 0
    assert most(child) >= before


def test_times_counts_hundredths_of_a_second(p: Puppets) -> None:
    p.k.machine.clock = 5 * SECOND
    p.k.tasks[1].instructions = 2 * SECOND
    assert p.call(1, "times", AT) == 500
    assert words(p, 1, 4) == (200, 0, 0, 0)
    assert p.call(1, "times", 0) == 500
    assert p.call(1, "times", 8) == -EFAULT


def test_sysinfo_says_how_much_memory_there_is(p: Puppets) -> None:
    assert p.call(1, "sysinfo", AT) == 0
    info = copy_in(p.k, p.k.tasks[1], AT, 112)
    total, free = unpack("<2Q", info[32:48])
    (procs,) = unpack("<H", info[80:82])
    (unit,) = unpack("<I", info[104:108])
    assert (total, procs, unit) == (p.k.frames.total * PAGE, 1, 1)
    assert 0 < free < total
