"""The terminal: whose it is, who may use it now, and what a person presses. tty(4), termios(3), credentials(7).

    session 1 ──controls──▶ the console      foreground group 5: reads, and gets Ctrl-C, Ctrl-\\ and Ctrl-Z
       ├─ group 1  (a shell)                 the others are in the background: who reads is stopped by SIGTTIN
       ├─ group 5  a job
       └─ group 6  a job in the background

Lines are put together and echoed by the host's terminal, which the settings (TCSETS) are handed on to.

Signals from the keyboard are outside events: they come through kernel/door.py when the scheduler looks outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import pgroups, siginfo, signals
from kernel.errno import EIO, SysError
from kernel.fs import terminal as terminals
from kernel.fs.terminal import THE_CONSOLE
from kernel.signal_numbers import (
    SIG_DFL,
    SIG_IGN,
    SIGCONT,
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
)
from kernel.wait_queues import CONSOLE, WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup

INIT = 1
ISIG, TOSTOP = 1, 0x100
_VINTR = 17  # where the first of the characters is in the settings
_CHARACTERS = {SIGINT: 0, SIGQUIT: 1, SIGTSTP: 10}  # VINTR, VQUIT, VSUSP
_WAITS = ("signal",)


def give_up(k: Kernel, group: ThreadGroup, ends: bool) -> None:
    """The process has no controlling terminal any more; if it leads the session, nobody in that has.

    Then the foreground group is hung up (SIGHUP), and goes on if it was stopped, unless the leader `ends`: orphaned
    groups are looked after by themselves. Linux's disassociate_ctty() for a pseudo-terminal.
    """
    if not group.tty:
        return
    group.tty = False
    if group.sid != group.tgid:
        return
    foreground = k.terminals.peek(THE_CONSOLE).foreground
    to_group(k, foreground, SIGHUP)
    if not ends:
        to_group(k, foreground, SIGCONT)
    terminals.name(k, 0, 0)
    for pgid in k.sessions.peek(group.sid).groups:
        for tgid in pgroups.members(k, pgid):
            k.groups[tgid].tty = False


def to_group(k: Kernel, pgid: int, signal: int) -> None:
    """The terminal sends a signal to every process of a group."""
    for tgid in pgroups.members(k, pgid) if pgid else ():
        if tgid in k.groups:
            signals.send(k, tgid, siginfo.by_kernel(signal))


def check(k: Kernel, t: Task, signal: int) -> None:
    """Before a process in the background reads (SIGTTIN) from its terminal, or changes it (SIGTTOU).

    Its group gets the signal, which stops it, and the call is made again when it goes on. Raises EIO if the signal
    would do nothing: it is ignored or blocked (SIGTTOU then means: go ahead), or nobody could continue the group.
    """
    group = k.groups.peek(t.tgid)
    foreground = k.terminals.peek(THE_CONSOLE).foreground
    if not group.tty or not foreground or group.pgid == foreground:
        return
    ignored = signals.action_of(k, group, signal).handler == SIG_IGN or t.blocked >> signal - 1 & 1
    if ignored and signal == SIGTTOU:
        return
    if ignored or group.tgid == INIT or pgroups.is_orphaned(k, group.pgid):
        raise SysError(EIO)
    to_group(k, group.pgid, signal)
    raise WouldBlock(_WAITS)


def check_read(k: Kernel, t: Task) -> None:
    """Before a read."""
    check(k, t, SIGTTIN)


def check_write(k: Kernel, t: Task) -> None:
    """Before a write: only with TOSTOP does the background have to be silent."""
    if k.terminals.peek(THE_CONSOLE).local() & TOSTOP:
        check(k, t, SIGTTOU)


def pressed(k: Kernel, signal: int) -> None:
    """A key that means a signal for the foreground group: Ctrl-C, Ctrl-\\ or Ctrl-Z; without ISIG, just a character."""
    terminal = k.terminals[THE_CONSOLE]
    if not terminal.local() & ISIG:
        place = _VINTR + _CHARACTERS[signal]
        terminal.typed += terminal.settings[place : place + 1]
        k.wake(CONSOLE)
    elif signal == SIGTSTP and not any(_minds(k, tgid) for tgid in pgroups.members(k, terminal.foreground)):
        k.door.suspend()
    else:
        to_group(k, terminal.foreground, signal)


def _minds(k: Kernel, tgid: int) -> bool:
    """Would Ctrl-Z do anything to this process? Not if nobody could continue it: then we are stopped ourselves."""
    group = k.groups.peek(tgid)
    handler = signals.action_of(k, group, SIGTSTP).handler
    return not group.zombie and handler != SIG_IGN and (handler != SIG_DFL or not pgroups.is_orphaned(k, group.pgid))


def awaits_key(k: Kernel) -> bool:
    """Has anybody in the foreground a handler for a key, or waits for its signal? Then a person may still help."""
    keys = tuple(_CHARACTERS)
    for tgid in pgroups.members(k, k.terminals.peek(THE_CONSOLE).foreground):
        group = k.groups.peek(tgid)
        if any(signals.action_of(k, group, key).handler not in (SIG_DFL, SIG_IGN) for key in keys):
            return True
        if any(k.tasks.peek(tid).awaited >> key - 1 & 1 for tid in group.threads for key in keys):
            return True
    return False
