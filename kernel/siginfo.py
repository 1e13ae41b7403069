"""siginfo: what a signal says beside its number. `Info.raw` is the 128 bytes that a handler with SA_SIGINFO gets.

    0 si_signo | 4 si_errno | 8 si_code | 16 by kind:
      a person (SI_USER, SI_TKILL)    16 pid | 20 uid
      sigqueue (SI_QUEUE)             16 pid | 20 uid | 24 value
      a fault                         16 address
      a child (SIGCHLD)               16 pid | 20 uid | 24 status | 32 user time | 40 system time, in ticks

Source: asm-generic/siginfo.h.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from kernel.initial_stack import CLOCK_TICKS
from kernel.signal_numbers import SIGCHLD

if TYPE_CHECKING:
    from kernel.task import Task, ThreadGroup

SIZE = 128
SI_USER, SI_KERNEL, SI_QUEUE, SI_TKILL = 0, 0x80, -1, -6
CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_CONTINUED = 1, 2, 5, 6
_TICK = 1_000_000_000 // CLOCK_TICKS  # ns, one for each instruction


class Info(NamedTuple):
    """One signal on its way. `sender`: the pid it came from, 0 for the kernel."""

    signal: int
    code: int
    sender: int
    raw: bytes


def _info(signal: int, code: int, sender: int, rest: bytes) -> Info:
    return Info(signal, code, sender, pack("<iiii", signal, 0, code, 0) + rest.ljust(SIZE - 16, b"\0"))


def by_user(signal: int, sender: Task, code: int = SI_USER) -> Info:
    """From a task's kill (SI_USER) or tkill (SI_TKILL)."""
    return _info(signal, code, sender.tgid, pack("<iI", sender.tgid, sender.cred.uid))


def by_kernel(signal: int) -> Info:
    """From the kernel, for no reason that si_code could tell."""
    return _info(signal, SI_KERNEL, 0, b"")


def of_fault(signal: int, code: int, address: int) -> Info:
    """The task's own instruction did it."""
    return _info(signal, code, 0, pack("<Q", address))


def queued(signal: int, sender: int, raw: bytes) -> Info:
    """From rt_sigqueueinfo: the caller's own bytes, but for the number."""
    code = int.from_bytes(raw[8:12], "little", signed=True)
    return Info(signal, code, sender, pack("<i", signal) + raw[4:])


def of_end(signal: int, child: ThreadGroup) -> Info:
    """A child has ended."""
    killed = child.status & 0x7F
    code, status = (CLD_KILLED, killed) if killed else (CLD_EXITED, child.status >> 8)
    return _of_child(signal, code, child, status)


def of_stop(child: ThreadGroup, code: int, status: int) -> Info:
    """A child was stopped (CLD_STOPPED), or goes on (CLD_CONTINUED)."""
    return _of_child(SIGCHLD, code, child, status)


def _of_child(signal: int, code: int, child: ThreadGroup, status: int) -> Info:
    fields = pack("<iIiiqq", child.tgid, child.cred.uid, status, 0, child.instructions // _TICK, 0)
    return _info(signal, code, child.tgid, fields)
