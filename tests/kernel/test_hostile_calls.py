"""Every system call with random and hostile arguments, from several processes and threads at once.

Errno or a signal is the answer, never a traceback; after each call the checker finds nothing wrong; and no argument
makes one call cost the host seconds, or memory that the machine doesn't have.
"""

from __future__ import annotations

import resource
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.check import check, check_end
from kernel.clone import CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM
from kernel.syscalls.table import TABLE
from kernel.user_memory import copy_out
from tests.kernel.hostile import CONTENTS, MASK, NUMBERS, arguments, numbers, unknown
from tests.kernel.puppet import DATA, HEAP, PATH_AT, SIGCHLD, Puppets

THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD
SECONDS = 2.0  # of processor time for one call: a thousand times what the slowest honest one takes
HOST_MEMORY = 200 << 20  # a machine has 3 MiB
EXAMPLES = max(150, settings().max_examples)

steps = st.tuples(st.integers(0, 7), numbers, arguments)


def crowd(**config: object) -> Puppets:
    """Four processes, one of them with another thread, some files, and DATA full of structures."""
    p = Puppets(memory=3 << 20, max_procs=12, **config)
    copy_out(p.k, p.k.tasks[1], DATA, CONTENTS)
    p.call(1, "brk", HEAP + 0x3000)
    p.call(1, "openat", MASK - 99, DATA, 0o102, 0o644)
    p.call_number(1, 59, HEAP, 0)  # pipe2
    for parent in (1, 1, 2):
        p.fork(parent)
    p.call(3, "clone", THREAD)
    check(p.k)
    return p


def hostile_call(p: Puppets, who: int, number: int, values: list[int]) -> bool:
    """One of those who can run makes the call. False if there is nobody."""
    tasks = p.k.tasks
    ready = [tid for tid in tasks.ids() if tasks.peek(tid).state == "R" and not tasks.peek(tid).pending]
    if not ready or p.k.outcome is not None:
        return False
    before = time.process_time()
    p.call_number(ready[who % len(ready)], number, *values)
    spent = time.process_time() - before
    assert spent < SECONDS, f"{TABLE[number].name if number in TABLE else number}{values} took {spent:.1f} s"
    return True


@settings(max_examples=EXAMPLES)
@given(st.lists(steps, min_size=1, max_size=40), st.booleans())
def test_no_system_call_harms_the_machine(calls: list[tuple[int, int, list[int]]], everybody_runs: bool) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    p = crowd()
    for count, (who, number, values) in enumerate(calls):
        if not hostile_call(p, who, number, values):
            break
        check(p.k)
        if everybody_runs and count % 8 == 7 and p.k.outcome is None:
            p.k.run(until=p.k.machine.retired + 3000)
            check(p.k)
    if p.k.outcome is None and p.alive(1) and p.k.tasks.peek(1).state == "R" and not p.k.tasks.peek(1).pending:
        p.call(1, "exit_group", 0)
        check_end(p.k)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < HOST_MEMORY >> 10


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: TABLE[number].name)
@settings(max_examples=6)
@given(st.lists(arguments, min_size=1, max_size=6))
def test_no_system_call_is_left_out(number: int, every: list[list[int]]) -> None:
    """Each by its number, many times, so that none depends on being drawn."""
    p = crowd()
    for count, values in enumerate(every):
        hostile_call(p, count, number, values)
    check(p.k)


@given(unknown.filter(lambda number: number not in TABLE), arguments)
def test_what_is_no_system_call_answers_enosys(number: int, values: list[int]) -> None:
    p = crowd()
    assert p.call_number(2, number, *values) == -38
    check(p.k)


def test_the_structures_are_what_calls_take() -> None:
    """The arguments are not so hostile that every call fails at once."""
    p = crowd()
    assert p.call(2, "openat", MASK - 99, DATA, 0) > 0
    assert p.call(2, "execve", PATH_AT, 0, 0) is not None
    assert p.call(1, "clone", SIGCHLD) > 0
