"""Whatever a person may want to see is an event with a typed class. One bus; without a subscriber it costs nothing.

Emission sites look like `if bus.Fork: bus.emit(Fork(...))`: the attribute named like the class is the tuple of its
subscribers. `at` is always the number of instructions that the machine has retired, `tid` the task it happened to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar


class SyscallEnter(NamedTuple):
    """A task asks for a system call. `name` is "" if there is none with this number. `arguments`: as many as it has."""

    at: int
    tid: int
    number: int
    name: str
    arguments: tuple[int, ...]


class SyscallExit(NamedTuple):
    """A system call has ended. `result` is the signed value of a0, or None if the task is gone (exit)."""

    at: int
    tid: int
    number: int
    name: str
    result: int | None


class UnknownSyscall(NamedTuple):
    """A system call number that the table doesn't have: answered with ENOSYS. `arguments` are a0 to a5."""

    at: int
    tid: int
    number: int
    arguments: tuple[int, ...]


class PageFault(NamedTuple):
    """A page fault and what it meant. `kind` is one of kernel.stats.FAULT_KINDS; "protection" is fatal.

    `ppn` is the frame that is mapped now (0 if none), `old_ppn` the one before (0 if there was none). `kernel` is true
    when the kernel itself touched the page on the task's behalf.
    """

    at: int
    tid: int
    kind: str
    va: int
    access: str
    pc: int
    ppn: int
    old_ppn: int
    kernel: bool


class FrameShared(NamedTuple):
    """One more holder of a frame: there are `holders` now."""

    at: int
    tid: int
    ppn: int
    holders: int


class FrameReleased(NamedTuple):
    """One holder of a frame less: `holders` are left, 0 if the frame is free now."""

    at: int
    tid: int
    ppn: int
    holders: int


class Fork(NamedTuple):
    """`tid` made the task `child`; `flags` as given to clone; `shared` frames are now shared by both."""

    at: int
    tid: int
    child: int
    flags: int
    shared: int


class Exec(NamedTuple):
    """The task runs another program now. `path` is the file asked for, `argv` what the new program sees.

    `caller` is the tid of the thread that called execve: not `tid` if it wasn't the leader, whose number it has now.
    """

    at: int
    tid: int
    path: bytes
    argv: tuple[bytes, ...]
    caller: int


class ThreadExit(NamedTuple):
    """A thread has ended, and its process goes on without it. `status`: as wait4's word (SIGKILL: another's exec)."""

    at: int
    tid: int
    tgid: int
    status: int


class Exit(NamedTuple):
    """A process has ended and is a zombie until it is waited for. `status` is the word that wait4 stores."""

    at: int
    tid: int
    tgid: int
    status: int


class Death(NamedTuple):
    """A signal is about to end a process; its memory is still there to be looked at. Also kept on the group.

    `code` is the siginfo si_code, `address` the si_addr of a fault, `cause` the trap's cause or -1 if no trap led here,
    `sender` the pid that sent it or 0 for the kernel, `note` says in words what only the kernel knows ("" if nothing).
    """

    at: int
    tid: int
    tgid: int
    comm: bytes
    signal: int
    code: int
    pc: int
    address: int
    cause: int
    sender: int
    note: str


class Reap(NamedTuple):
    """`tid` waited for `pid`, which is gone now and its pid free (if no group or session is named by it)."""

    at: int
    tid: int
    pid: int
    status: int


class Reparent(NamedTuple):
    """`pid` has lost its parent and got another."""

    at: int
    tid: int
    pid: int
    old_parent: int
    new_parent: int


class Switch(NamedTuple):
    """The hart goes on with `tid`; `previous` ran before (0: nobody has yet)."""

    at: int
    tid: int
    previous: int


class Signal(NamedTuple):
    """A signal was sent to process `pid`. `action`: terminate, core, stop, continue, ignore, or handle."""

    at: int
    tid: int
    pid: int
    signal: int
    sender: int
    action: str


class Block(NamedTuple):
    """The task waits for one of `keys` (wait_queues.py), until `deadline` (ns) if that isn't None."""

    at: int
    tid: int
    keys: tuple[tuple[Any, ...], ...]
    deadline: int | None


class Wake(NamedTuple):
    """The task waits no longer. `key` is what woke it; ("timer",) for a deadline, ("signal", n) for a signal."""

    at: int
    tid: int
    key: tuple[Any, ...]


class Insn(NamedTuple):
    """One instruction has retired.

    `registers`: (number, old, new) of each that changed; `memory`: (va, size, old, new) of each place it stored to.
    """

    at: int
    tid: int
    pc: int
    word: int
    registers: tuple[tuple[int, int, int], ...]
    memory: tuple[tuple[int, int, int, int], ...]


EVENTS: tuple[type[Any], ...] = (
    SyscallEnter,
    SyscallExit,
    UnknownSyscall,
    PageFault,
    FrameShared,
    FrameReleased,
    Fork,
    Exec,
    ThreadExit,
    Exit,
    Death,
    Reap,
    Reparent,
    Switch,
    Signal,
    Block,
    Wake,
    Insn,
)

E = TypeVar("E")


class Bus:
    """Subscribers by class of event, called in the order in which they came. They must not change the machine."""

    SyscallEnter: tuple[Callable[[Any], None], ...] = ()
    SyscallExit: tuple[Callable[[Any], None], ...] = ()
    UnknownSyscall: tuple[Callable[[Any], None], ...] = ()
    PageFault: tuple[Callable[[Any], None], ...] = ()
    FrameShared: tuple[Callable[[Any], None], ...] = ()
    FrameReleased: tuple[Callable[[Any], None], ...] = ()
    Fork: tuple[Callable[[Any], None], ...] = ()
    Exec: tuple[Callable[[Any], None], ...] = ()
    ThreadExit: tuple[Callable[[Any], None], ...] = ()
    Exit: tuple[Callable[[Any], None], ...] = ()
    Death: tuple[Callable[[Any], None], ...] = ()
    Reap: tuple[Callable[[Any], None], ...] = ()
    Reparent: tuple[Callable[[Any], None], ...] = ()
    Switch: tuple[Callable[[Any], None], ...] = ()
    Signal: tuple[Callable[[Any], None], ...] = ()
    Block: tuple[Callable[[Any], None], ...] = ()
    Wake: tuple[Callable[[Any], None], ...] = ()
    Insn: tuple[Callable[[Any], None], ...] = ()

    def on(self, kind: type[E], subscriber: Callable[[E], None]) -> None:
        """Calls `subscriber` with every event of class `kind` from now on."""
        name = kind.__name__
        setattr(self, name, (*getattr(self, name), subscriber))

    def emit(self, event: object) -> None:
        """Calls the subscribers of the event's class."""
        for subscriber in getattr(self, type(event).__name__):
            subscriber(event)
