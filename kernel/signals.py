"""Signals: sending them, and what they do by default. (No program can install a handler yet.)

A signal is sent to a process: it becomes a bit in `ThreadGroup.signals`, and the process's tasks get `attention`, which
makes the scheduler call `deliver` before the task's next instruction. A sleeping task is woken for that. A stopped one
isn't, except by SIGCONT and SIGKILL, which take effect on the process as a whole.

Like Linux, pid 1 doesn't get signals that it has no handler for, not even SIGKILL, unless its own instruction raised
it (`force`). signal(7) and kernel/signal.c are the sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import lifecycle, scheduler
from kernel.errno import EINVAL, ESRCH, SysError
from kernel.events import Death
from kernel.signal_numbers import LAST_SIGNAL, SIGCONT, SIGKILL, SIGSTOP, STOP_BITS, default_action
from kernel.task import RUNNING, SLEEPING, STOPPED, Task, ThreadGroup
from kernel.wait_queues import WaitKey

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1
CONTINUED_STATUS = 0xFFFF  # wait4's status word of a process that SIGCONT let go on


def kill(k: Kernel, t: Task, pid: int, signal: int) -> None:
    """kill(2). SysError EINVAL for a signal that doesn't exist, ESRCH if there is nobody to send it to."""
    targets = _targets(k, t, pid)
    if not targets:
        raise SysError(ESRCH)
    if not 0 <= signal <= LAST_SIGNAL:
        raise SysError(EINVAL)
    if signal:
        for tgid in targets:
            if tgid in k.groups:
                send(k, tgid, signal, t.tgid)


def _targets(k: Kernel, t: Task, pid: int) -> list[int]:
    """The processes that kill(pid) means: one, a process group, or everybody but init and the caller."""
    if pid > 0:
        if pid in k.groups:
            return [pid]
        return [k.tasks.peek(pid).tgid] if pid in k.tasks else []
    if pid == -1:
        return [tgid for tgid in k.groups.ids() if tgid not in (INIT, t.tgid)]
    pgid = -pid if pid else k.groups.peek(t.tgid).pgid
    return [tgid for tgid in k.groups.ids() if k.groups.peek(tgid).pgid == pgid]


def send(k: Kernel, tgid: int, signal: int, sender: int) -> None:
    """Sends a signal to a process; `sender` is a pid, 0 for the kernel. It is acted on when the process runs next."""
    group = k.groups[tgid]
    action = default_action(signal)
    if group.zombie:
        return
    k.stats.signals += 1
    _tell(k, group, signal, sender, action)
    if signal == SIGCONT:
        group.signals &= ~STOP_BITS
        _continue(k, group)
    elif action == "stop":
        group.signals &= ~(1 << SIGCONT - 1)
    if action in ("ignore", "continue") or tgid == INIT:
        return
    group.signals |= 1 << signal - 1
    group.senders[signal] = sender
    if signal == SIGKILL:
        group.stopped = 0
    for tid in group.threads:
        _interrupt(k, k.tasks[tid], ("signal", signal), signal == SIGKILL)


def _interrupt(k: Kernel, t: Task, key: WaitKey, kill: bool) -> None:
    """The task shall look at its signals soon. A stopped one isn't woken, except to be killed."""
    t.attention = True
    if t.state == SLEEPING:
        scheduler.unblock(k, t, key)
    elif t.state == STOPPED and kill:
        scheduler.make_runnable(k, t)


def deliver(k: Kernel, t: Task) -> None:
    """Acts on the task's pending signals, SIGKILL first, then the lowest. It may be gone or stopped afterwards."""
    group = k.groups[t.tgid]
    t.attention = False
    while group.signals and t.state == RUNNING and not group.zombie:
        kill_bit = 1 << SIGKILL - 1
        bit = kill_bit if group.signals & kill_bit else group.signals & -group.signals
        group.signals ^= bit
        signal = bit.bit_length()
        sender = group.senders.pop(signal, 0)
        if default_action(signal) == "stop":
            if signal == SIGSTOP or not _is_orphaned(k, group):
                _stop(k, group, signal)
        else:
            _die(k, t, group, signal, _SI_USER if sender else _SI_KERNEL, 0, -1, sender, "")


_SI_USER, _SI_KERNEL = 0, 0x80


def force(k: Kernel, t: Task, signal: int, code: int, address: int, cause: int, note: str = "") -> None:
    """The task's own instruction can't be executed: the signal ends its process now, pid 1 too.

    `code` is the si_code, `address` the si_addr, `cause` the trap's cause, `note` what only the kernel knows.
    """
    group = k.groups[t.tgid]
    k.stats.signals += 1
    _tell(k, group, signal, 0, default_action(signal))
    _die(k, t, group, signal, code, address, cause, 0, note)


def _die(
    k: Kernel, t: Task, group: ThreadGroup, signal: int, code: int, address: int, cause: int, sender: int, note: str
) -> None:
    """Writes down why, then ends the process. Its memory is still there for those who hear the event."""
    death = Death(k.machine.retired, t.tid, t.tgid, t.comm, signal, code, t.hart.pc, address, cause, sender, note)
    group.death = death
    if k.events.Death:
        k.events.emit(death)
    lifecycle.exit_group(k, group, signal)


def _stop(k: Kernel, group: ThreadGroup, signal: int) -> None:
    """Every task of the process stops; its parent may wait for that."""
    group.stopped = signal
    group.report = signal << 8 | 0x7F
    for tid in group.threads:
        scheduler.stop(k, k.tasks[tid])
    lifecycle.notify_parent(k, group)


def _continue(k: Kernel, group: ThreadGroup) -> None:
    """SIGCONT: a stopped process goes on, and its parent may wait for that."""
    if not group.stopped:
        return
    group.stopped = 0
    group.report = CONTINUED_STATUS
    for tid in group.threads:
        scheduler.make_runnable(k, k.tasks[tid])
    lifecycle.notify_parent(k, group)


def _is_orphaned(k: Kernel, group: ThreadGroup) -> bool:
    """Has nobody in the process group a parent outside it in the same session, who could continue it?"""
    for tgid in k.groups.ids():
        member = k.groups.peek(tgid)
        if member.pgid != group.pgid or member.zombie or member.parent <= INIT:
            continue
        parent = k.groups.peek(member.parent)
        if parent.pgid != group.pgid and parent.sid == group.sid:
            return False
    return True


def _tell(k: Kernel, group: ThreadGroup, signal: int, sender: int, action: str) -> None:
    if k.events.Signal:
        from kernel.events import Signal

        tid = next(iter(group.threads), group.tgid)
        k.events.emit(Signal(k.machine.retired, tid, group.tgid, signal, sender, action))
