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

from kernel import credentials, itimer, lifecycle, limits, pgroups, scheduler, siginfo, signal_frame, stopping
from kernel.errno import EAGAIN, EINVAL, EPERM, ESRCH, SysError
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
    """kill(2). SysError ESRCH, EPERM, EINVAL. kill(-1) that may reach nobody succeeds, as on Linux.

    A thread's number means its process, but that thread takes the signal if it can.
    """
    send_to_all(k, t, _targets(k, t, pid), signal, None, preferred=pid, lenient=pid == -1)


def send_to_all(
    k: Kernel, t: Task, targets: list[int], signal: int, info: Info | None, preferred: int = 0, lenient: bool = False
) -> None:
    """A person's signal to several processes, those that the caller may send it to. `info`: None is kill's.

    SysError ESRCH if there are none, EPERM if it may do so with none of them (unless `lenient`), EINVAL.
    """
    if not targets:
        raise SysError(ESRCH)
    check_number(signal)
    allowed = [tgid for tgid in targets if may_send(k, t, tgid, signal)]
    if not allowed and not lenient:
        raise SysError(EPERM)
    if signal:
        for tgid in allowed:
            if tgid in k.groups:
                send(k, tgid, info or siginfo.by_user(signal, t), preferred)


def may_send(k: Kernel, t: Task, tgid: int, signal: int) -> bool:
    """May the task send the signal to that process (kill(2), its own always)? SIGCONT also within one session."""
    group = k.groups.peek(tgid)
    if tgid == t.tgid or credentials.may_signal(t.cred, group.cred):
        return True
    return signal == SIGCONT and group.sid == k.groups.peek(t.tgid).sid


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
    return pgroups.members(k, -pid if pid else k.groups.peek(t.tgid).pgid)


def action_of(k: Kernel, group: ThreadGroup, signal: int) -> Action:
    """What the process does about a signal; the default for a zombie."""
    for tid in group.threads:
        return k.sighands.peek(k.tasks.peek(tid).sighand).actions.get(signal, DEFAULT)
    return DEFAULT


def is_ignored(action: Action, signal: int) -> bool:
    """Is nothing to be done about it, by request or by default?"""
    default = default_action(signal) in ("ignore", "continue")
    return action.handler == SIG_IGN or (action.handler == SIG_DFL and default)


def send(k: Kernel, tgid: int, info: Info, preferred: int = 0) -> None:
    """Sends a signal to a process; `preferred` is the thread that takes it if it can (0: the leader).

    It is acted on when a thread that doesn't block it runs next. SysError(EAGAIN) if too many real-time signals wait.
    """
    group = k.groups[tgid]
    if group.zombie or not group.threads:
        return  # it has ended, or is about to
    threads = [k.tasks[tid] for tid in group.threads]
    first = k.tasks[preferred] if preferred in group.threads else threads[0]
    if _prepare(k, group, first, info) and _enqueue(group, info, group):
        _alert(k, group, info.signal, _choose(k, group, first, info.signal), threads)


def send_to_task(k: Kernel, t: Task, info: Info) -> None:
    """Sends a signal to one thread."""
    group = k.groups[t.tgid]
    if _prepare(k, group, t, info) and _enqueue(t, info, group):
        willing = t if _wants(k, t, info.signal) else None
        _alert(k, group, info.signal, willing, [k.tasks[tid] for tid in group.threads])


def _choose(k: Kernel, group: ThreadGroup, first: Task, signal: int) -> Task | None:
    """Who is to look at a signal for the process: `first` if it wants it, else the next one in turn that does."""
    if _wants(k, first, signal):
        return first
    tids = list(group.threads)
    start = tids.index(group.target) if group.target in group.threads else 0
    for tid in tids[start:] + tids[:start]:
        if _wants(k, k.tasks.peek(tid), signal):
            group.target = tid
            return k.tasks[tid]
    return None


def _prepare(k: Kernel, group: ThreadGroup, target: Task, info: Info) -> bool:
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
    if target.blocked & bit:
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


def _wants(k: Kernel, t: Task, signal: int) -> bool:
    """Would the task look at it now? One that is about to look at another is left alone, unless it has the hart."""
    if signal == SIGKILL:
        return True
    if t.state == STOPPED or (t.blocked & ~t.awaited) >> signal - 1 & 1:
        return False
    waits = t.state == SLEEPING and t.pending is not None and t.pending.restart != KILLABLE
    return waits or t.tid == k.current or not t.attention


def _alert(k: Kernel, group: ThreadGroup, signal: int, willing: Task | None, threads: list[Task]) -> None:
    """Somebody shall look at it soon; a signal that surely ends the process is for everybody in it."""
    fatal = signal == SIGKILL
    if willing and default_action(signal) == "terminate" and action_of(k, group, signal).handler == SIG_DFL:
        fatal = fatal or not willing.blocked >> signal - 1 & 1
    if fatal:
        group.doomed = signal if signal == SIGKILL else group.doomed or signal
        stopping.ended(k, group)
        for t in threads:
            wake_for(k, t, signal, fatal)
    elif willing:
        wake_for(k, willing, signal)


def wake_for(k: Kernel, t: Task, signal: int, fatal: bool = False) -> None:
    """The task shall look at a signal before it goes on; nothing but death wakes one that waits KILLABLE, or stands."""
    t.attention = True
    if t.state == SLEEPING and t.pending is not None:
        if fatal or t.pending.restart != KILLABLE:
            scheduler.unblock(k, t, ("signal", signal))
    elif t.state == STOPPED and fatal:
        scheduler.make_runnable(k, t)


def retarget(k: Kernel, t: Task, bits: int) -> None:
    """`t` won't see these of its process's pending signals (it blocks them now, or ends): others shall."""
    group = k.groups.peek(t.tgid)
    bits &= group.signals
    for tid in group.threads if bits else ():
        other = k.tasks.peek(tid)
        wanted = bits & ~(other.blocked & ~other.awaited)
        if tid == t.tid or not wanted:
            continue
        bits &= ~wanted
        if not other.attention:
            wake_for(k, k.tasks[tid], (wanted & -wanted).bit_length())


def forget(k: Kernel, group: ThreadGroup, bits: int) -> None:
    """These signals aren't pending any more, for the process and all of its threads."""
    owners: list[Task | ThreadGroup] = [group, *[k.tasks[tid] for tid in group.threads]]
    for owner in owners:
        if owner.signals & bits:
            owner.queue = [info for info in owner.queue if not bits >> info.signal - 1 & 1]
            owner.signals &= ~bits


def set_blocked(k: Kernel, t: Task, mask: int) -> None:
    """The task's mask; SIGKILL and SIGSTOP can't be blocked. What is unblocked by this is looked at next."""
    newly, t.blocked = mask & ~UNBLOCKABLE & ~t.blocked, mask & ~UNBLOCKABLE
    t.attention = True
    if newly:
        retarget(k, t, newly)


def interrupts(k: Kernel, t: Task, restart: int) -> bool:
    """Must a system call that would wait (WouldBlock.restart) let signals be looked at first?

    Only for those that this task has been told of: a signal for the process that another thread was chosen for is that
    one's, even if it didn't run yet.
    """
    group = k.groups.peek(t.tgid)
    if group.doomed:
        return True
    if restart == KILLABLE or not t.attention:
        return False
    return bool(group.stopping or (t.signals | group.signals) & ~t.blocked)


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
        if group.stopping and not group.doomed:
            stopping.join(k, t, group)
            break
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
        set_blocked(k, t, mask)


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
    elif signal == SIGSTOP or not pgroups.is_orphaned(k, group.pgid):
        stopping.stop(k, t, group, signal)


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
