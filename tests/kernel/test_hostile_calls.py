"""Every system call with random and hostile arguments, from several processes: errno or a signal, never a traceback."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.check import check, check_end
from kernel.syscalls.table import TABLE
from kernel.user_memory import copy_out
from tests.kernel import puppet
from tests.kernel.puppet import DATA, DATA_END, HEAP, PATH_AT, RODATA, TEXT, Puppets

POINTERS = [
    0,
    1,
    TEXT,
    RODATA,
    DATA,
    DATA + 1,
    DATA + 4090,
    DATA_END - 4,
    HEAP,
    PATH_AT,
    0x3F_FFFF_E000,
    1 << 38,
    1 << 63,
]
NUMBERS = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    17,
    64,
    100,
    1024,
    4096,
    1 << 20,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 62,
    (1 << 64) - 1,
]
FD_CWD = (1 << 64) - 100

arguments = st.one_of(st.sampled_from([*POINTERS, *NUMBERS, FD_CWD]), st.integers(0, 20), st.integers(0, (1 << 64) - 1))
calls = st.tuples(st.integers(0, 5), st.integers(0, 1 << 30), st.lists(arguments, min_size=6, max_size=6))


@settings(max_examples=150)
@given(st.lists(calls, min_size=1, max_size=40))
def test_no_system_call_harms_the_machine(steps: list[tuple[int, int, list[int]]]) -> None:
    p = Puppets(memory=3 << 20, max_procs=8)
    numbers = [number for number in sorted(TABLE) if number not in (93, 94)]
    puppet.SYS.update({str(number): number for number in numbers})
    copy_out(p.k, p.k.tasks[1], DATA, b"/tmp/file\0".ljust(64, b"\0") + bytes(range(200)))
    for who, which, values in steps:
        ready = [pid for pid in p.k.tasks.ids() if p.k.tasks.peek(pid).state == "R" and not p.k.tasks.peek(pid).pending]
        if not ready:
            break
        p.call(ready[who % len(ready)], str(numbers[which % len(numbers)]), *values)
        check(p.k)
    if p.alive(1) and p.k.tasks.peek(1).state == "R":
        p.call(1, "exit_group", 0)
        check_end(p.k)
