"""Signals: sending them, and what they do: a handler, the default action, or nothing.

A signal is sent to a process or to one thread: it waits in that one's `queue`, and a task that it isn't blocked for
gets `attention`, which makes the scheduler call `deliver` before the task's next instruction. A sleeping task is woken
for that: its system call gets one more try, then it is ended or put off (syscalls/table.py). A stopped one isn't woken,
except by SIGCONT and SIGKILL.

Like Linux, pid 1 doesn't get signals that it has no handler for, not even SIGKILL, unless its own instruction raised
it (`force`). signal(7) and kernel/signal.c are the sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import itimer, lifecycle, limits, scheduler, siginfo, signal_frame, stopping
from kernel.errno import EAGAIN, EINVAL, ESRCH, SysError
from kernel.events import Death
from kernel.siginfo import SI_KERNEL, SI_USER, Info
from kernel.signal_numbers import (
    CONTINUE_BIT,
    FIRST_REALTIME,
    LAST_SIGNAL,
    SA_RESETHAND,
    SA_RESTART,
    SIG_DFL,
    SIG_IGN,
    SIGALRM,
    SIGCONT,
    SIGKILL,
    SIGSEGV,
    SIGSTOP,
    STOP_BITS,
    SYNCHRONOUS,
    UNBLOCKABLE,
    default_action,
)
from kernel.task import DEFAULT, RUNNING, SLEEPING, STOPPED, Action, Task, ThreadGroup
from kernel.wait_queues import KILLABLE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1


def kill(k: Kernel, t: Task, pid: int, signal: int) -> None:
    """kill(2). SysError ESRCH if there is nobody to send it to, EINVAL for a signal that doesn't exist."""
    targets = _targets(k, t, pid)
    if not targets:
        raise SysError(ESRCH)
    check_number(signal)
    if signal:
        for tgid in targets:
            if tgid in k.groups:
                send(k, tgid, siginfo.by_user(signal, t.tgid))


def check_number(signal: int) -> None:
    """SysError(EINVAL) unless it is 0 (which only asks) or a signal."""
    if not 0 <= signal <= LAST_SIGNAL:
        raise SysError(EINVAL)


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


def action_of(k: Kernel, group: ThreadGroup, signal: int) -> Action:
    """What the process does about a signal; the default for a zombie."""
    for tid in group.threads:
        return k.sighands.peek(k.tasks.peek(tid).sighand).actions.get(signal, DEFAULT)
    return DEFAULT


def is_ignored(action: Action, signal: int) -> bool:
    """Is nothing to be done about it, by request or by default?"""
    default = default_action(signal) in ("ignore", "continue")
    return action.handler == SIG_IGN or (action.handler == SIG_DFL and default)


def send(k: Kernel, tgid: int, info: Info) -> None:
    """Sends a signal to a process. It is acted on when a thread that doesn't block it runs next.

    SysError(EAGAIN) if too many real-time signals wait there.
    """
    group = k.groups[tgid]
    if group.zombie:
        return
    threads = [k.tasks[tid] for tid in group.threads]
    if _prepare(k, group, threads, info) and _enqueue(group, info, group):
        willing = [t for t in threads if _wants(t, info.signal)]
        _alert(k, group, info.signal, willing[:1], threads)


def send_to_task(k: Kernel, t: Task, info: Info) -> None:
    """Sends a signal to one thread."""
    group = k.groups[t.tgid]
    if _prepare(k, group, [t], info) and _enqueue(t, info, group):
        _alert(k, group, info.signal, [t] if _wants(t, info.signal) else [], [k.tasks[tid] for tid in group.threads])


def _prepare(k: Kernel, group: ThreadGroup, targets: list[Task], info: Info) -> bool:
    """What a signal does by being sent. False if nobody needs to see it."""
    signal, action = info.signal, action_of(k, group, info.signal)
    k.stats.signals += 1
    _tell(k, group, signal, info.sender, action)
    if signal == SIGCONT:
        forget(k, group, STOP_BITS)
        stopping.go_on(k, group)
    elif default_action(signal) == "stop":
        forget(k, group, CONTINUE_BIT)
    bit = 1 << signal - 1
    if any(t.blocked & bit for t in targets[:1]):
        return True
    if group.tgid == INIT and action.handler == SIG_DFL:
        return False
    return not is_ignored(action, signal)


def _enqueue(owner: Task | ThreadGroup, info: Info, group: ThreadGroup) -> bool:
    """Puts it behind the others. An ordinary signal that is there already isn't put in again."""
    bit = 1 << info.signal - 1
    if owner.signals & bit and info.signal < FIRST_REALTIME:
        return False
    if info.signal >= FIRST_REALTIME and len(owner.queue) >= group.limits[limits.SIGPENDING][0]:
        if info.code != SI_USER:
            raise SysError(EAGAIN)
        if owner.signals & bit:
            return False
    owner.signals |= bit
    owner.queue.append(info)
    return True


def _wants(t: Task, signal: int) -> bool:
    bit = 1 << signal - 1
    return signal == SIGKILL or (t.state != STOPPED and not (t.blocked & ~t.awaited) & bit)


def _alert(k: Kernel, group: ThreadGroup, signal: int, willing: list[Task], threads: list[Task]) -> None:
    """Somebody shall look at it soon; a signal that surely ends the process is for everybody in it."""
    fatal = signal == SIGKILL
    if willing and default_action(signal) == "terminate" and action_of(k, group, signal).handler == SIG_DFL:
        fatal = fatal or not willing[0].blocked >> signal - 1 & 1
        group.doomed = group.doomed or (signal if fatal else 0)
    if signal == SIGKILL:
        group.stopped, group.doomed = 0, signal
    for t in threads if fatal else willing:
        _interrupt(k, t, signal, fatal)


def _interrupt(k: Kernel, t: Task, signal: int, fatal: bool) -> None:
    t.attention = True
    if t.state == SLEEPING and t.pending is not None:
        if fatal or t.pending.restart != KILLABLE:
            scheduler.unblock(k, t, ("signal", signal))
    elif t.state == STOPPED and signal == SIGKILL:
        scheduler.make_runnable(k, t)


def forget(k: Kernel, group: ThreadGroup, bits: int) -> None:
    """These signals aren't pending any more, for the process and all of its threads."""
    owners: list[Task | ThreadGroup] = [group, *[k.tasks[tid] for tid in group.threads]]
    for owner in owners:
        if owner.signals & bits:
            owner.queue = [info for info in owner.queue if not bits >> info.signal - 1 & 1]
            owner.signals &= ~bits


def set_blocked(t: Task, mask: int) -> None:
    """The task's mask; SIGKILL and SIGSTOP can't be blocked. What is unblocked by this is looked at next."""
    t.blocked = mask & ~UNBLOCKABLE
    t.attention = True


def interrupts(k: Kernel, t: Task, restart: int) -> bool:
    """Must a system call that would wait (WouldBlock.restart) let signals be looked at first?"""
    group = k.groups.peek(t.tgid)
    if group.doomed:
        return True
    return restart != KILLABLE and bool((t.signals | group.signals) & ~t.blocked)


def take(k: Kernel, t: Task, mask: int) -> Info | None:
    """Takes the next of the pending signals in `mask` off: the thread's own first, faults first, then the lowest."""
    for owner in (t, k.groups[t.tgid]):
        bits = owner.signals & mask
        if bits:
            bits = bits & SYNCHRONOUS or bits
            return _dequeue(k, k.groups[t.tgid], owner, (bits & -bits).bit_length())
    return None


def _dequeue(k: Kernel, group: ThreadGroup, owner: Task | ThreadGroup, signal: int) -> Info:
    index = next(i for i, info in enumerate(owner.queue) if info.signal == signal)
    info = owner.queue.pop(index)
    if not any(other.signal == signal for other in owner.queue):
        owner.signals &= ~(1 << signal - 1)
    if signal == SIGALRM:
        itimer.taken(k, group)
    return info


def deliver(k: Kernel, t: Task) -> None:
    """Acts on the task's pending signals. It may be gone or stopped afterwards, or begin a handler."""
    group = k.groups[t.tgid]
    t.attention = False
    while t.state == RUNNING and not group.zombie:
        info = _next(k, t, group)
        if info is None:
            break
        _act(k, t, group, info)
    if group.zombie or t.state != RUNNING:
        return
    if t.pending is not None:
        t.pending = t.pending._replace(interrupted=False)
    elif t.saved_mask is not None:
        mask, t.saved_mask = t.saved_mask, None
        set_blocked(t, mask)


def _next(k: Kernel, t: Task, group: ThreadGroup) -> Info | None:
    if group.doomed:
        bit = 1 << group.doomed - 1
        owners: list[Task | ThreadGroup] = [t, group, *[k.tasks[tid] for tid in group.threads]]
        for owner in owners:
            if owner.signals & bit:
                return _dequeue(k, group, owner, group.doomed)
    return take(k, t, ~t.blocked)


def _act(k: Kernel, t: Task, group: ThreadGroup, info: Info) -> None:
    signal = info.signal
    actions = k.sighands[t.sighand].actions
    action = actions.get(signal, DEFAULT)
    if action.handler not in (SIG_DFL, SIG_IGN):
        if action.flags & SA_RESETHAND:
            actions[signal] = action._replace(handler=SIG_DFL)
        _handle(k, t, info, action)
        return
    if is_ignored(action, signal) or group.tgid == INIT:
        return
    if default_action(signal) != "stop":
        _die(k, t, group, info, 0, -1, "")
    elif signal == SIGSTOP or not stopping.is_orphaned(k, group):
        stopping.stop(k, group, signal)


def _handle(k: Kernel, t: Task, info: Info, action: Action) -> None:
    """The handler runs next. The system call that the task waits in ends, or is made again afterwards."""
    if t.pending is not None:
        from kernel.syscalls.table import interrupt

        interrupt(k, t, bool(action.flags & SA_RESTART))
    try:
        signal_frame.push(k, t, info, action)
    except SysError:
        force_segv(k, t, info.signal)


def force_segv(k: Kernel, t: Task, during: int = 0) -> None:
    """A signal frame can't be written or read: SIGSEGV; the end if it was SIGSEGV's own frame."""
    if during == SIGSEGV:
        k.sighands[t.sighand].actions.pop(SIGSEGV, None)
    force(k, t, SIGSEGV, SI_KERNEL, 0, -1)


def force(k: Kernel, t: Task, signal: int, code: int, address: int, cause: int, note: str = "") -> None:
    """The task's own instruction can't be executed: its handler runs, or the signal ends its process now, pid 1 too.

    `code` is the si_code, `address` the si_addr, `cause` the trap's cause, `note` what only the kernel knows.
    """
    group, info = k.groups[t.tgid], siginfo.of_fault(signal, code, address)
    action = action_of(k, group, signal)
    k.stats.signals += 1
    _tell(k, group, signal, 0, action)
    unhandled = signal == SIGKILL or action.handler in (SIG_DFL, SIG_IGN)
    if unhandled or t.blocked >> signal - 1 & 1:
        _die(k, t, group, info, address, cause, note)
    elif _enqueue(t, info, group):
        t.attention = True


def _die(k: Kernel, t: Task, group: ThreadGroup, info: Info, address: int, cause: int, note: str) -> None:
    """Writes down why, then ends the process. Its memory is still there for those who hear the event."""
    at, pc = k.machine.retired, t.hart.pc
    death = Death(at, t.tid, t.tgid, t.comm, info.signal, info.code, pc, address, cause, info.sender, note)
    group.death = death
    if k.events.Death:
        k.events.emit(death)
    lifecycle.exit_group(k, group, info.signal)


def _tell(k: Kernel, group: ThreadGroup, signal: int, sender: int, action: Action) -> None:
    if k.events.Signal:
        from kernel.events import Signal

        tid = next(iter(group.threads), group.tgid)
        does = (
            default_action(signal) if action.handler == SIG_DFL else "ignore" if action.handler == SIG_IGN else "handle"
        )
        k.events.emit(Signal(k.machine.retired, tid, group.tgid, signal, sender, does))
