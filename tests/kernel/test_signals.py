"""Signals without handlers: who gets them, what they do, and what faults become. (signal(7), kill(2).)"""

from __future__ import annotations

import pytest

from kernel import events
from kernel.check import check
from kernel.errno import EINVAL, ESRCH
from kernel.events import Death
from kernel.signal_numbers import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGTSTP, default_action, name
from kernel.task import STOPPED
from tests.kernel.machines import run
from tests.kernel.puppet import DATA, Puppets

# signal(7), "Standard signals": the actions that aren't "Term" or "Core", which end the process.
IGNORED = {17, 18, 23, 28}
STOPS = {19, 20, 21, 22}
CORE = {3, 4, 5, 6, 7, 8, 11, 24, 25, 31}


@pytest.mark.parametrize("signal", range(1, 65))
def test_each_signal_does_what_signal_7_says(signal: int) -> None:
    p = Puppets()
    shell = p.fork(1)  # not init, so that nobody's process group is orphaned
    child = p.fork(shell)
    assert p.call(shell, "kill", child, signal) == 0
    if signal in STOPS - {SIGSTOP}:
        p.run(child)
        assert p.alive(child), "an orphaned process group isn't stopped by the terminal's signals"
    elif signal == SIGSTOP:
        p.run(child)
        assert p.k.tasks.peek(child).state == STOPPED
    elif signal in IGNORED:
        assert p.call(child, "getpid") == child
    else:
        p.run(child)
        assert p.k.groups.peek(child).status == signal
        assert default_action(signal) == ("core" if signal in CORE else "terminate")
    check(p.k)


def test_a_sleeping_process_can_be_killed() -> None:
    p = Puppets()
    child = p.fork(1)
    p.fork(child)
    assert p.call(child, "wait4", -1, 0, 0) is None
    p.call(1, "kill", child, SIGTERM)
    p.run(child)
    assert p.k.groups.peek(child).status == SIGTERM
    check(p.k)


def test_a_stopped_process_can_be_killed_and_continued() -> None:
    p = Puppets()
    first, second = p.fork(1), p.fork(1)
    for pid in (first, second):
        p.call(1, "kill", pid, SIGSTOP)
        p.run(pid)
    p.call(1, "kill", first, SIGTERM)
    assert p.k.tasks.peek(first).state == STOPPED, "SIGTERM waits until it goes on"
    p.call(1, "kill", first, SIGCONT)
    p.run(first)
    assert p.k.groups.peek(first).status == SIGTERM
    p.call(1, "kill", second, SIGKILL)
    p.run(second)
    assert p.k.groups.peek(second).status == SIGKILL
    check(p.k)


def test_a_process_that_is_stopped_while_it_waits_waits_on_afterwards() -> None:
    p = Puppets()
    child = p.fork(1)
    grandchild = p.fork(child)
    p.call(child, "wait4", -1, DATA, 0)
    p.call(1, "kill", child, SIGSTOP)
    p.run(child)
    p.call(grandchild, "exit_group", 5)
    assert p.k.tasks.peek(child).state == STOPPED
    p.call(1, "kill", child, SIGCONT)
    p.run(child)
    assert p.result(child) == grandchild
    assert p.load(child, DATA) == 5 << 8 | (p.load(child, DATA) or 0) >> 32 << 32


def test_sigcont_takes_back_a_stop_that_was_not_acted_on_yet() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(1, "kill", child, SIGSTOP)
    p.call(1, "kill", child, SIGCONT)
    assert p.call(child, "getpid") == child


def test_nobody_can_kill_init() -> None:
    p = Puppets()
    child = p.fork(1)
    for signal in (SIGKILL, SIGTERM, SIGSTOP):
        assert p.call(child, "kill", 1, signal) == 0
        assert p.call(1, "kill", 1, signal) == 0
    assert p.call(1, "getpid") == 1


def test_kill_finds_one_process_a_group_or_all_others() -> None:
    p = Puppets()
    children = [p.fork(1) for _ in range(3)]
    assert p.call(1, "kill", children[0], 0) == 0
    assert p.call(1, "kill", 77, 0) == -ESRCH
    assert p.call(1, "kill", -77, 0) == -ESRCH
    assert p.call(children[0], "kill", -1, SIGSTOP) == 0
    for pid in children[1:]:
        p.run(pid)
        assert p.k.tasks.peek(pid).state == STOPPED
    assert p.call(children[0], "kill", 0, SIGTERM) == 0 or not p.alive(children[0])
    for pid in children[1:]:
        assert p.k.groups.peek(pid).signals == 1 << SIGTERM - 1


def test_kill_of_a_zombie_succeeds_and_does_nothing() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "exit_group", 9)
    assert p.call(1, "kill", child, SIGKILL) == 0
    assert p.k.groups.peek(child).status == 9 << 8


@pytest.mark.parametrize("signal", [-1, 65, 1000])
def test_a_signal_that_does_not_exist_is_refused(signal: int) -> None:
    assert Puppets().call(1, "kill", 1, signal) == -EINVAL


def test_the_parent_hears_of_a_death() -> None:
    p = Puppets()
    heard: list[events.Signal] = []
    p.k.events.on(events.Signal, heard.append)
    child = p.fork(1)
    p.call(child, "exit_group", 0)
    assert [(event.pid, event.signal, event.sender, event.action) for event in heard] == [(1, 17, child, "ignore")]


FAULTS = [
    ("li t0, 0x40; ld t1, (t0)", 11, 1, 0x40, 13),
    ("li t0, 0x40; sd t1, (t0)", 11, 1, 0x40, 15),
    ("li t0, 0x40; jr t0", 11, 1, 0x40, 12),
    ("la t0, _start; sd t1, (t0)", 11, 2, "_start", 15),
    ("jr sp", 11, 2, "sp", 12),
    ("li t0, -1; slli t0, t0, 39; ld t1, (t0)", 11, 1, -(1 << 39), 13),
    (".word 0", 4, 1, "pc", 2),
    ("ebreak", 5, 1, "pc", 3),
    ("addi t0, sp, 4; lr.d t1, (t0)", 7, 1, "sp+4", 4),
    ("addi t0, sp, 1; amoadd.w t1, t1, (t0)", 7, 1, "sp+1", 6),
    ("csrw cycle, t0", 4, 1, "pc", 2),
]


@pytest.mark.parametrize(("code", "signal", "si_code", "address", "cause"), FAULTS)
def test_a_fault_becomes_the_signal_that_linux_sends(
    code: str, signal: int, si_code: int, address: int | str, cause: int
) -> None:
    """Linux: arch/riscv/kernel/traps.c and mm/fault.c."""
    _, outcome = run(f"_start: {code}; 1: j 1b")
    death = outcome.death
    assert isinstance(death, Death)
    assert (death.signal, death.code, death.cause) == (signal, si_code, cause)
    assert outcome.status == 128 + signal
    places = {"_start": death.pc - 8, "pc": death.pc, "sp": death.address & -16, "sp+4": death.address & -16 | 4}
    places["sp+1"] = death.address & -16 | 1
    expected = places[address] if isinstance(address, str) else address & (1 << 64) - 1
    assert death.address == expected


def test_the_stack_grows_to_its_limit_and_no_further() -> None:
    text = """
_start: li      t0, 4096
1:      sub     sp, sp, t0
        sd      zero, (sp)
        j       1b
"""
    k, outcome = run(text, memory=16 << 20)
    assert outcome.death is not None
    assert (outcome.death.signal, outcome.death.code) == (11, 1)
    top = 0x3F_FFFF_F000
    assert top - (8 << 20) - 4096 <= outcome.death.address < top - (8 << 20)
    assert k.stats.faults["stack"] > 2000


def test_signals_have_names() -> None:
    assert [name(n) for n in (1, 9, 11, 31, 32, 64)] == [
        "SIGHUP",
        "SIGKILL",
        "SIGSEGV",
        "SIGSYS",
        "SIGRT_0",
        "SIGRT_32",
    ]
    assert default_action(SIGTSTP) == "stop"
