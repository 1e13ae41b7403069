"""What the tasks of one process share, and what not: clone(2)."""

from __future__ import annotations

import pytest

from kernel import clone, events, signals
from kernel.check import check
from kernel.signal_numbers import SIGCHLD, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1
from kernel.task import RUNNING, SLEEPING, STOPPED, Action
from tests.kernel.machines import record
from tests.kernel.puppet import DATA, RODATA, SYS, TEXT, Puppets

THREAD = clone.CLONE_VM | clone.CLONE_FS | clone.CLONE_FILES | clone.CLONE_SIGHAND | clone.CLONE_THREAD
PIPE = DATA + 0x100  # where pipe2 stores its two descriptors
SYS.update({"pipe2": 59, "exit": 93, "gettid": 178, "tgkill": 131, "rt_sigprocmask": 135, "rt_sigaction": 134})


def thread(p: Puppets, of: int, flags: int = THREAD) -> int:
    tid = p.call(of, "clone", flags)
    assert tid is not None and tid > 0
    check(p.k)
    return tid


def pipe(p: Puppets, tid: int) -> tuple[int, int]:
    assert p.call(tid, "pipe2", PIPE, 0) == 0
    both = p.load(tid, PIPE) or 0
    return both & 0xFFFFFFFF, both >> 32


def block(p: Puppets, tid: int, signal: int) -> None:
    p.store(tid, DATA + 0x200, 1 << signal - 1)
    assert p.call(tid, "rt_sigprocmask", 0, DATA + 0x200, 0, 8) == 0


def test_a_thread_has_a_tid_of_its_own_and_the_pid_of_its_process() -> None:
    p = Puppets()
    tid = thread(p, 1)
    assert (p.call(tid, "gettid"), p.call(tid, "getpid")) == (tid, 1)
    assert list(p.k.groups.peek(1).threads) == [1, tid]
    assert tid not in p.k.groups


def test_threads_share_memory_descriptors_and_the_working_directory() -> None:
    p = Puppets()
    tid = thread(p, 1)
    p.store(tid, DATA, 4711)
    assert p.load(1, DATA) == 4711
    fd, _ = pipe(p, tid)
    assert p.call(1, "close", fd) == 0
    assert p.call(tid, "close", fd) == -9
    one, other = p.k.tasks.peek(1), p.k.tasks.peek(tid)
    assert (one.fs, one.sighand, one.mm) == (other.fs, other.sighand, other.mm)


def test_a_read_under_way_keeps_its_file_when_another_thread_closes_it() -> None:
    p = Puppets()
    tid = thread(p, 1)
    reader, writer = pipe(p, 1)
    assert p.call(tid, "read", reader, DATA, 8) is None
    assert p.call(1, "close", reader) == 0
    check(p.k)
    p.store(1, DATA + 8, 99)
    assert p.call(1, "write", writer, DATA + 8, 8) == 8
    p.run(tid)
    assert (p.result(tid), p.load(tid, DATA)) == (8, 99)
    check(p.k)
    assert p.call(tid, "read", reader, DATA, 8) == -9
    assert p.call(1, "write", writer, DATA + 8, 8) == -32, "nobody reads any more"


def test_an_exit_is_the_threads_and_exit_group_the_processs() -> None:
    p = Puppets()
    tid = thread(p, 1)
    log = record(p.k)
    p.call(tid, "exit", 5)
    assert [e for e in log if isinstance(e, events.ThreadExit)] == [
        events.ThreadExit(p.k.machine.retired, tid, 1, 5 << 8)
    ]
    check(p.k)
    assert p.call(1, "getpid") == 1
    child = p.fork(1)
    other = thread(p, child)
    p.call(other, "exit_group", 6)
    assert child not in p.k.tasks and other not in p.k.tasks
    assert p.k.groups.peek(child).status == 6 << 8
    check(p.k)


def test_a_leader_that_ends_first_keeps_its_number_and_the_last_thread_gives_the_status() -> None:
    """Linux 6.18 on the host: leader exit(3), then thread exit(7): status 7. Thread first: the leader's."""
    p = Puppets()
    child = p.fork(1)
    tid = thread(p, child)
    p.call(child, "exit", 3)
    check(p.k)
    assert p.call(1, "wait4", child, 0, 1, 0) == 0, "WNOHANG: it has not ended"
    assert p.call(tid, "getpid") == child
    assert p.call(1, "kill", child, 0) == 0
    p.call(tid, "exit", 7)
    assert p.call(1, "wait4", child, DATA, 0, 0) == child
    assert (p.load(1, DATA) or 0) & 0xFFFF == 7 << 8
    check(p.k)


def test_exec_by_another_thread_ends_all_others_and_takes_the_leaders_number() -> None:
    p = Puppets()
    child = p.fork(1)
    second, third = thread(p, child), thread(p, child)
    log = record(p.k)
    p.k.tasks[second].hart.x[10] = 0
    p.call(second, "execve", RODATA + 0x800, 0, 0)
    assert list(p.k.groups.peek(child).threads) == [child]
    assert second not in p.k.tasks and third not in p.k.tasks
    check(p.k)
    assert [(e.tid, e.caller) for e in log if isinstance(e, events.Exec)] == [(child, second)]
    assert sorted(e.tid for e in log if isinstance(e, events.ThreadExit)) == sorted([child, third])
    assert p.call(child, "gettid") == child


@pytest.mark.parametrize("leader_first", [True, False])
def test_children_of_a_thread_stay_the_processs(leader_first: bool) -> None:
    p = Puppets()
    process = p.fork(1)
    tid = thread(p, process)
    maker, other = (process, tid) if leader_first else (tid, process)
    child = p.fork(maker)
    assert p.k.groups.peek(child).forker == maker
    p.call(maker, "exit", 0)
    assert p.k.groups.peek(child).forker == other
    p.call(child, "exit_group", 1)
    assert p.call(other, "wait4", child, 0, 0, 0) == child


def test_clone_parent_makes_a_sibling() -> None:
    p = Puppets()
    first = p.fork(1)
    second = p.call(first, "clone", clone.CLONE_PARENT | 5) or 0
    group = p.k.groups.peek(second)
    assert (group.parent, group.forker, group.exit_signal) == (1, 1, SIGCHLD)
    check(p.k)


def test_a_process_can_share_descriptors_without_sharing_memory() -> None:
    p = Puppets()
    child = p.call(1, "clone", clone.CLONE_FILES | SIGCHLD) or 0
    reader, _ = pipe(p, child)
    assert p.call(1, "close", reader) == 0
    p.execute(child)
    assert p.k.fdtables.peek(p.k.tasks.peek(1).fdtable).users == 1, "exec unshares"
    check(p.k)


def test_a_signal_for_the_process_goes_to_a_thread_that_does_not_block_it() -> None:
    p = Puppets()
    process = p.fork(1)
    tid = thread(p, process)
    block(p, process, SIGUSR1)
    p.call(1, "kill", process, SIGUSR1)
    assert p.k.tasks.peek(tid).attention
    p.run(tid)
    assert p.k.groups.peek(process).status == SIGUSR1
    check(p.k)


def test_who_blocks_a_pending_signal_leaves_it_to_another_thread() -> None:
    p = Puppets()
    process = p.fork(1)
    tid = thread(p, process)
    p.k.sighands[p.k.tasks.peek(tid).sighand].actions[SIGUSR1] = Action(TEXT, 0, 0)
    p.call(1, "kill", process, SIGUSR1)
    assert p.k.tasks.peek(process).attention and not p.k.tasks.peek(tid).attention
    signals.set_blocked(p.k, p.k.tasks[process], 1 << SIGUSR1 - 1)
    p.run(tid)
    assert p.k.tasks.peek(tid).hart.pc == TEXT
    assert not p.k.groups.peek(process).signals


@pytest.mark.parametrize("signal", [SIGKILL, SIGTERM])
def test_a_signal_to_one_thread_ends_them_all(signal: int) -> None:
    p = Puppets()
    process = p.fork(1)
    tid = thread(p, process)
    fd, _ = pipe(p, tid)
    assert p.call(process, "read", fd, DATA, 1) is None
    p.call(1, "tgkill", process, tid, signal)
    assert p.k.tasks.peek(process).state == RUNNING, "it was woken to die"
    p.run(process)
    assert p.k.groups.peek(process).status == signal
    check(p.k)


def test_a_process_is_stopped_when_its_last_thread_has_stopped() -> None:
    p = Puppets()
    process = p.fork(1)
    tid = thread(p, process)
    fd, _ = pipe(p, process)
    assert p.call(tid, "read", fd, DATA, 1) is None
    p.call(1, "kill", process, SIGSTOP)
    p.run(process)
    assert p.k.tasks.peek(process).state == STOPPED
    assert p.k.groups.peek(process).stopped == 0
    p.run(tid)
    assert p.k.tasks.peek(tid).state == STOPPED
    assert p.k.groups.peek(process).stopped == SIGSTOP
    check(p.k)
    p.call(1, "kill", process, 18)
    p.run(tid)
    assert p.k.tasks.peek(tid).state == SLEEPING, "it reads again"
    check(p.k)


def test_a_thread_in_vfork_keeps_its_process_from_stopping() -> None:
    p = Puppets()
    process = p.fork(1)
    tid = thread(p, process)
    assert p.call(tid, "clone", clone.CLONE_VFORK | clone.CLONE_VM | SIGCHLD) is None
    child = max(p.k.tasks.ids())
    p.call(1, "kill", process, SIGSTOP)
    p.run(process)
    assert p.k.groups.peek(process).stopped == 0
    p.call(child, "exit_group", 0)
    p.run(tid)
    assert p.k.groups.peek(process).stopped == SIGSTOP
    check(p.k)


def test_a_snapshot_with_threads_can_be_gone_back_to() -> None:
    p = Puppets()
    tid = thread(p, 1)
    reader, writer = pipe(p, 1)
    assert p.call(tid, "read", reader, DATA, 8) is None
    state = p.k.snapshot()
    for _ in range(2):
        p.k.restore(state)
        check(p.k)
        p.call(1, "close", reader)
        assert p.call(1, "write", writer, DATA + 8, 8) == 8
        p.run(tid)
        assert p.result(tid) == 8
        p.call(tid, "exit", 0)
        check(p.k)
