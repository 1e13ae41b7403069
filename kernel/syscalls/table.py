"""The system calls as a table, number → function, and the dispatcher that runs them.

A handler is `def sys_NAME(k, t, ...)` with one parameter per argument (unsigned 64-bit ints), registered by
`@syscall(number, "NAME", "argument", ...)`; the argument names are for the tracer (a `*` marks a pointer). It returns
what a0 gets, or None to leave all registers alone (execve), or raises

  SysError     a0 = -errno
  WouldBlock   the task sleeps; the same handler runs again when it is woken, with `t.pending` set

Returning from a handler that ended the task (exit) is fine: its result goes nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from kernel import signals
from kernel.errno import EINTR, ENOSYS, ERESTARTSYS, SysError
from kernel.fs import api as fs
from kernel.wait_queues import INTERRUPT, RESTART, Pending, WouldBlock
from vm.hart import PC

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

Handler = Callable[..., int | None]

_MASK = (1 << 64) - 1
A0, A7 = 10, 17


class Syscall(NamedTuple):
    """One row of the table."""

    number: int
    name: str
    arguments: tuple[str, ...]
    last: int  # x[10:last] are its arguments
    handler: Handler


TABLE: dict[int, Syscall] = {}


def syscall(number: int, name: str, *arguments: str) -> Callable[[Handler], Handler]:
    """Registers a handler under its Linux/riscv64 number (asm-generic/unistd.h)."""

    def register(handler: Handler) -> Handler:
        assert number not in TABLE, f"system call {number} is defined twice"
        TABLE[number] = Syscall(number, name, arguments, A0 + len(arguments), handler)
        return handler

    return register


def load_first() -> None:
    """Imports the families that nearly every program calls: a machine starts up in half the time without the others."""
    from kernel.syscalls import clone, files, process, wait  # noqa: F401 - fills TABLE


@cache
def load() -> None:
    """Imports every family, which fills TABLE."""
    from kernel.syscalls import (  # noqa: F401 - fills TABLE
        attributes,
        clone,
        copying,
        events,
        files,
        futex,
        groups,
        identity,
        ioctl,
        itimers,
        limits,
        locks,
        memfd,
        memory,
        memory_advice,
        memory_lock,
        misc,
        names,
        paths,
        pidfd,
        pipes,
        poll,
        positioned,
        prctl,
        process,
        remap,
        sched,
        sockets,
        time,
        usage,
        wait,
    )
    from kernel.syscalls import signals as signal_calls  # noqa: F401


def find(number: int) -> Syscall | None:
    """The system call with this number, None if there is none. The first one that is rare brings all families in."""
    call = TABLE.get(number)
    if call is None:
        load()
        call = TABLE.get(number)
    return call


def signed32(value: int) -> int:
    """The low 32 bits as an int: how the kernel reads an `int` argument."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def signed64(value: int) -> int:
    """A 64-bit argument as a signed number."""
    return (value ^ (1 << 63)) - (1 << 63)


def dispatch(k: Kernel, t: Task) -> None:
    """The task is at an ecall: go past it and do what a7 asks for."""
    x = t.hart.x
    number = x[A7]
    x[PC] = x[PC] + 4 & _MASK
    call = TABLE.get(number) or find(number)
    if call is None:
        _unknown(k, t, number)
        return
    arguments = tuple(x[A0 : call.last]) if call.arguments else ()
    k.stats.syscalls += 1
    if k.events.SyscallEnter:
        from kernel.events import SyscallEnter

        k.events.emit(SyscallEnter(k.machine.retired, t.tid, call.number, call.name, arguments))
    _attempt(k, t, call, arguments)


def resume(k: Kernel, t: Task) -> None:
    """A task that waited runs again: its handler gets another try, with `t.pending` still set."""
    pending = t.pending
    assert pending is not None
    _attempt(k, t, TABLE[pending.call], pending.arguments)


def _attempt(k: Kernel, t: Task, call: Syscall, arguments: tuple[int, ...]) -> None:
    try:
        result = call.handler(k, t, *arguments)
    except SysError as error:
        result = -error.errno
    except WouldBlock as wait:
        outcome = _wait(k, t, call, arguments, wait)
        if outcome is None:
            return
        result = outcome
    _finish(k, t, call, result)


def _wait(k: Kernel, t: Task, call: Syscall, arguments: tuple[int, ...], wait: WouldBlock) -> int | None:
    """The task sleeps; with a signal to look at it doesn't: None if the call isn't over, else its result."""
    interrupted = signals.interrupts(k, t, wait.restart)
    t.attention = t.attention or interrupted
    if interrupted and (wait.partial or wait.restart == INTERRUPT):
        return wait.partial or -EINTR
    t.pending = Pending(call.number, arguments, wait.deadline, wait.progress, wait.keys, wait.restart, interrupted)
    if not interrupted:
        k.park(t)
    return None


def interrupt(k: Kernel, t: Task, restarts: bool) -> None:
    """A signal's handler is about to run: the call that the task waits in ends with EINTR, or is made again after it.

    `restarts`: the handler has SA_RESTART.
    """
    pending = t.pending
    assert pending is not None
    again = restarts and pending.restart == RESTART
    if again:
        t.hart.pc -= 4
    _finish(k, t, TABLE[pending.call], None if again else -EINTR, -ERESTARTSYS if again else -EINTR)


def _finish(k: Kernel, t: Task, call: Syscall, result: int | None, said: int | None = None) -> None:
    """The call is over. `said` is what the tracer hears if the registers stay as they are."""
    t.pending = None
    if t.held:
        fs.let_go(k, t)
    t.awaited = 0
    if t.saved_mask is not None and result != -EINTR:
        signals.set_blocked(k, t, t.saved_mask)
        t.saved_mask = None
    if result is not None:
        t.hart.x[A0] = result & _MASK
    if k.events.SyscallExit:
        from kernel.events import SyscallExit

        if result is None and t.tid in k.tasks:
            result = said or 0  # execve has done it
        k.events.emit(SyscallExit(k.machine.retired, t.tid, call.number, call.name, result))


def _unknown(k: Kernel, t: Task, number: int) -> None:
    """No such call: the program gets ENOSYS, the tracer an event, `--stats` a count."""
    k.stats.count_unknown(number)
    if k.events.UnknownSyscall:
        from kernel.events import UnknownSyscall

        arguments = tuple(t.hart.x[A0 : A0 + 6])
        k.events.emit(UnknownSyscall(k.machine.retired, t.tid, number, arguments))
    t.hart.x[A0] = -ENOSYS & _MASK
