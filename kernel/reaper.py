"""Parents: whose child a process is, what a parent hears, and who takes over when a parent ends.

Children belong to the *thread* that made them. When it ends, they go to another thread of its process; when that was
the last one, to the nearest living ancestor that called itself a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), or to
init, pid 1. `Task.children` has the children of a thread in the order in which they came to it; `Task.ready` those of
them that have something to tell (they have ended, were stopped, or go on), so that wait never looks at the others.
`ThreadGroup.children` has all children of the process. Source: Linux's kernel/exit.c.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from typing import TYPE_CHECKING

from kernel import pgroups, pid_refs, siginfo, signals
from kernel.errno import SysError
from kernel.signal_numbers import LAST_SIGNAL, SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, SIGCHLD, SIGCONT, SIGHUP
from kernel.task import DEFAULT, Task, ThreadGroup

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1


def adopt(k: Kernel, parent: Task, child: ThreadGroup) -> None:
    """`child` becomes the youngest child of the thread `parent`."""
    k.joins += 1
    child.parent, child.forker, child.join = parent.tgid, parent.tid, k.joins
    parent.children[child.tgid] = None
    k.groups[parent.tgid].children[child.tgid] = None
    if child.zombie or child.report is not None:
        parent.ready.append((child.join, child.tgid))


def disown(k: Kernel, child: ThreadGroup) -> None:
    """The child is its parent's child no longer (it was reaped)."""
    parent = k.tasks[child.forker]
    _hide(parent, child)
    del parent.children[child.tgid]
    del k.groups[child.parent].children[child.tgid]


def set_report(k: Kernel, child: ThreadGroup, report: int | None) -> None:
    """What wait has to say of a living child: the status word of a stop or a continuation; None if that was heard."""
    child.report = report
    if child.parent:
        parent = k.tasks[child.forker]
        if report is None:
            _hide(parent, child)
        else:
            _show(parent, child)


def _show(parent: Task, child: ThreadGroup) -> None:
    entry = (child.join, child.tgid)
    index = bisect_left(parent.ready, entry)
    if parent.ready[index : index + 1] != [entry]:
        parent.ready.insert(index, entry)


def _hide(parent: Task, child: ThreadGroup) -> None:
    entry = (child.join, child.tgid)
    index = bisect_left(parent.ready, entry)
    if parent.ready[index : index + 1] == [entry]:
        del parent.ready[index]


def give_away(k: Kernel, t: Task) -> None:
    """The thread ends (it is in its group's `threads` no more): its children get another parent, in their order."""
    if not t.children:
        return
    group = k.groups[t.tgid]
    reaper = _new_reaper(k, group)
    children, t.children, t.ready = t.children, {}, []
    for tgid in children:
        child = k.groups[tgid]
        del group.children[tgid]
        adopt(k, reaper, child)
        _tell_of_parents_death(k, t, child)
        if k.events.Reparent and reaper.tgid != t.tgid:
            from kernel.events import Reparent

            k.events.emit(Reparent(k.machine.retired, tgid, tgid, t.tgid, reaper.tgid))
        if reaper.tgid != t.tgid:
            _arrive(k, child, group)


def renumber(k: Kernel, t: Task) -> None:
    """The thread goes by another number now (exec has made it the leader)."""
    pid_refs.gone(k, t)
    for tgid in t.children:
        k.groups[tgid].forker = t.tid


def _new_reaper(k: Kernel, group: ThreadGroup) -> Task:
    """Another thread of the process, else one of the nearest living subreaper above it, else init."""
    if not group.threads and group.below_subreaper:
        above = k.groups.peek(group.parent)
        while above.tgid != INIT and not (above.subreaper and above.threads):
            above = k.groups.peek(above.parent)
        group = above
    threads = group.threads or k.groups.peek(INIT).threads
    return k.tasks[next(iter(threads))]


def _tell_of_parents_death(k: Kernel, parent: Task, child: ThreadGroup) -> None:
    """PR_SET_PDEATHSIG of each of the child's threads; the signal goes to the process."""
    for tid in list(child.threads):
        signal = k.tasks.peek(tid).pdeath_signal if tid in k.tasks else 0
        if signal and signals.may_send(k, parent, child.tgid, signal):
            signals.send(k, child.tgid, siginfo.by_user(signal, parent))


def _arrive(k: Kernel, child: ThreadGroup, old_parent: ThreadGroup) -> None:
    """An orphan has come to another process, which gets SIGCHLD for it whatever clone said."""
    child.exit_signal = SIGCHLD
    if child.zombie:
        notify_parent(k, child)
    hang_up_orphans(k, child, old_parent)


def hang_up_orphans(k: Kernel, group: ThreadGroup, old_parent: ThreadGroup | None = None) -> None:
    """If this leaves its process group orphaned, with stopped members that nobody could continue: SIGHUP and SIGCONT.

    `group` is about to end, or (`old_parent`) has lost its parent. Linux's kill_orphaned_pgrp.
    """
    if group.pgid not in k.pgroups or not k.pgroups.peek(group.pgid).stopped:
        return
    parent = old_parent or k.groups.peek(group.parent)
    if parent.pgid == group.pgid or parent.sid != group.sid:
        return
    if pgroups.is_orphaned(k, group.pgid, without=0 if old_parent else group.tgid):
        for signal in (SIGHUP, SIGCONT):
            for tgid in pgroups.members(k, group.pgid):
                signals.send(k, tgid, siginfo.by_kernel(signal))


def notify_of_stop(k: Kernel, group: ThreadGroup, code: int, status: int) -> None:
    """The process was stopped or goes on (si_code, si_status): its parent gets SIGCHLD, and looks if it waits."""
    if not group.parent:
        return
    action = signals.action_of(k, k.groups.peek(group.parent), SIGCHLD)
    if action.handler != SIG_IGN and not action.flags & SA_NOCLDSTOP:
        signals.send(k, group.parent, siginfo.of_stop(group, code, status), group.forker)
    k.wake(("child", group.parent))


def notify_parent(k: Kernel, group: ThreadGroup) -> None:
    """The process has ended: its parent gets the signal for that, and looks if it waits."""
    if not group.parent:
        return
    reaps = _tell_of_end(k, group)
    _show(k.tasks[group.forker], group)
    k.wake(("child", group.parent))
    if reaps:
        _reap_silently(k, group)


def _tell_of_end(k: Kernel, group: ThreadGroup) -> bool:
    """SIGCHLD, or what clone asked for. True if the parent doesn't want to wait: SIG_IGN or SA_NOCLDWAIT."""
    signal = group.exit_signal
    if not 0 < signal <= LAST_SIGNAL:
        return False
    action = signals.action_of(k, k.groups.peek(group.parent), signal) if signal == SIGCHLD else DEFAULT
    if action.handler != SIG_IGN:
        with suppress(SysError):  # a real-time signal for which there is no room: it is lost, as on Linux
            signals.send(k, group.parent, siginfo.of_end(signal, group), group.forker)
    return action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT)


def _reap_silently(k: Kernel, group: ThreadGroup) -> None:
    """Nobody will wait for this zombie. What it has used is lost, as on Linux."""
    if k.events.Reap:
        from kernel.events import Reap

        k.events.emit(Reap(k.machine.retired, group.parent, group.tgid, group.status))
    remove(k, group)
    k.stats.reaps += 1


def remove(k: Kernel, group: ThreadGroup) -> None:
    """A zombie that was waited for: nothing of it is left, and its number is free if nobody else goes by it."""
    if group.parent:
        disown(k, group)
    pid_refs.gone(k, group)
    k.groups.remove(group.tgid)
    k.users.remove(group.cred.uid)
    k.zombies -= 1
    pgroups.leave(k, group)
    k.pids.release(group.tgid)
