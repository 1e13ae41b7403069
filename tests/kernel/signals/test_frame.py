"""The signal frame, byte for byte: what stands on the handler's stack, and what rt_sigreturn takes from there."""

from __future__ import annotations

from struct import pack, unpack_from

import pytest

from kernel import siginfo, signal_frame
from kernel.check import check
from kernel.mm import STACK_TOP
from kernel.signal_numbers import SA_ONSTACK, SIGHUP, SIGSEGV, SIGUSR1
from kernel.user_memory import copy_in, copy_out
from tests.kernel import puppet
from tests.kernel.puppet import DATA, TEXT, Puppets

puppet.SYS.update(rt_sigaction=134, rt_sigprocmask=135, rt_sigreturn=139, sigaltstack=132, setitimer=103)
HANDLER = TEXT  # spins
FRAME = DATA + 0x1000


def write(p: Puppets, at: int, *words: int) -> None:
    copy_out(p.k, p.k.tasks[1], at, pack(f"<{len(words)}Q", *words))


def handle(p: Puppets, signal: int, flags: int = 0) -> None:
    write(p, DATA, HANDLER, flags, 1 << 40)
    assert p.call(1, "rt_sigaction", signal, DATA, 0, 8) == 0


def signalled(p: Puppets, signal: int = SIGUSR1) -> bytes:
    """The frame, after the process has sent itself a signal that it handles."""
    p.call(1, "kill", 1, signal)
    p.run(1)
    hart = p.k.tasks.peek(1).hart
    assert hart.pc == HANDLER
    return copy_in(p.k, p.k.tasks[1], hart.x[2], signal_frame.FRAME_SIZE)


def test_the_frame_is_the_one_of_linux() -> None:
    """struct rt_sigframe; offsets from Linux's uapi headers for riscv."""
    p = Puppets()
    handle(p, SIGUSR1)
    write(p, DATA, 1 << SIGHUP - 1)
    p.call(1, "rt_sigprocmask", 0, DATA, 0, 8)
    x = p.k.tasks[1].hart.x
    for number in [1, *range(3, 10), *range(18, 32)]:
        x[number] = number * 0x0101010101
    sp = x[2]
    frame = signalled(p)
    assert x[2] == (sp - 1088 & -16)
    assert frame[:128] == siginfo.by_user(SIGUSR1, p.k.tasks.peek(1)).raw
    assert unpack_from("<QQ", frame, 128) == (0, 0)
    assert unpack_from("<QQQ", frame, 144) == (0, 2, 0), "no alternate stack: SS_DISABLE"
    assert unpack_from("<Q", frame, 168) == (1 << SIGHUP - 1,)
    registers = unpack_from("<32Q", frame, 304)
    assert registers[0] == puppet._ADDRESS["ecall"] + 4, "behind the ecall of kill"
    assert registers[2] == sp
    assert registers[10] == 0, "what kill has returned"
    assert all(registers[n] == n * 0x0101010101 for n in [1, *range(3, 10), *range(18, 32)])
    assert frame[560:] == bytes(528)
    assert (x[1], x[10], x[11], x[12]) == (STACK_TOP, SIGUSR1, x[2], x[2] + 128)
    assert p.k.tasks.peek(1).blocked == 1 << SIGHUP - 1 | 1 << 40 | 1 << SIGUSR1 - 1
    check(p.k)


def test_the_way_back_is_the_code_at_ra() -> None:
    p = Puppets()
    assert copy_in(p.k, p.k.tasks[1], STACK_TOP, 8) == bytes.fromhex("9308b00873000000")
    assert not p.store(p.fork(1), STACK_TOP, 0)
    check(p.k)


@pytest.mark.parametrize("wrong", [0, 8, 0x3F_0000_0000, (1 << 64) - 8, STACK_TOP])
def test_a_return_without_a_frame_is_sigsegv(wrong: int) -> None:
    p = Puppets()
    child = p.fork(1)
    p.k.tasks[child].hart.x[2] = wrong
    p.call(child, "rt_sigreturn")
    if p.alive(child):
        p.run(child, 2)
    assert p.k.groups.peek(child).status == SIGSEGV
    check(p.k)


def test_a_frame_that_the_program_has_changed_is_taken_as_it_is() -> None:
    p = Puppets()
    handle(p, SIGUSR1)
    frame = bytearray(signalled(p))
    frame[304:312] = pack("<Q", TEXT + 1)
    frame[168:176] = pack("<Q", (1 << 64) - 1)
    copy_out(p.k, p.k.tasks[1], FRAME, frame)
    p.k.tasks[1].hart.x[2] = FRAME
    p.call(1, "rt_sigreturn")
    t = p.k.tasks.peek(1)
    assert t.hart.pc == TEXT
    assert t.blocked == (1 << 64) - 1 & ~(1 << 8 | 1 << 18), "but for SIGKILL and SIGSTOP"
    check(p.k)


def test_a_handler_without_a_stack_is_the_end() -> None:
    p = Puppets()
    child = p.fork(1)
    copy_out(p.k, p.k.tasks[child], DATA, pack("<3Q", HANDLER, SA_ONSTACK, 0))
    for signal in (SIGUSR1, SIGSEGV):
        p.call(child, "rt_sigaction", signal, DATA, 0, 8)
    p.k.tasks[child].hart.x[2] = 64
    p.call(child, "kill", child, SIGUSR1)
    if p.alive(child):
        p.run(child, 2)
    assert p.k.groups.peek(child).status == SIGSEGV
    check(p.k)


def test_exec_forgets_handlers_and_the_other_stack_but_not_what_is_ignored() -> None:
    p = Puppets()
    handle(p, SIGUSR1)
    write(p, DATA, 1, 0, 0)
    p.call(1, "rt_sigaction", SIGHUP, DATA, 0, 8)
    write(p, DATA, FRAME, 0, 4096)
    assert p.call(1, "sigaltstack", DATA, 0) == 0
    assert p.execute(1) == 0
    t = p.k.tasks.peek(1)
    assert {n: a.handler for n, a in p.k.sighands.peek(t.sighand).actions.items()} == {SIGHUP: 1}
    assert t.altstack == (0, 0, 2)
    check(p.k)


def test_many_deadlines_take_no_memory() -> None:
    p = Puppets()
    for wait in range(1, 500):
        write(p, DATA, 0, 0, wait, 0)
        p.call(1, "setitimer", 0, DATA, 0)
    assert len(p.k.wait_queues.snapshot()[1]) < 100
