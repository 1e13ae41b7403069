"""The end of tasks and processes, and who is whose parent. clone.py is the beginning; wait.py reaps.

    clone → RUNNING ⇄ SLEEPING, STOPPED → exit → zombie → (wait) → gone

A process has ended when its last task has. A leader that ends before the others is no task any more, but its number
stays the process's. A process that ends gives back its memory and files at once: its zombie is a ThreadGroup with a
status. Sources: kernel/exit.c, and de_thread in fs/exec.c.
"""

from __future__ import annotations

from contextlib import suppress
from heapq import heappush
from typing import TYPE_CHECKING

from kernel import credentials, itimer, limits, mm, scheduler, siginfo, signals
from kernel.errno import SysError
from kernel.fs import api as fs
from kernel.signal_numbers import LAST_SIGNAL, SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, SIGCHLD, SIGKILL
from kernel.task import DEFAULT, FsStruct, SigHand, Task, ThreadGroup

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1


def end_vfork(k: Kernel, t: Task) -> None:
    """The task uses its parent's memory no more (it has another program, or ends): the parent goes on."""
    if t.vfork:
        t.vfork = 0
        k.wake(("vfork", t.tid))


def release_memory(k: Kernel, t: Task) -> None:
    """The task is about to use this memory no more: those who wait for that hear of it (Linux's mm_release).

    The task's memory is still whole. It need not have the hart, if one of its process's threads has.
    """
    if t.clear_child_tid:
        mm.activate(k, t)
        if k.mms.peek(t.mm).users > 1:
            store_tid(k, t, t.clear_child_tid, 0)
        t.clear_child_tid = 0
    end_vfork(k, t)


def enter(k: Kernel, t: Task, group: ThreadGroup) -> None:
    """A task and its group into the tables. Its pid has one hold, as a task; it gets those of group, pgid and sid."""
    k.tasks.add(t, t.tid)
    k.groups.add(group, group.tgid)
    for pid in (group.tgid, group.pgid, group.sid):
        k.pids.hold(pid)


def first_process(k: Kernel, mm_id: int, fdtable: int, cwd: int, comm: bytes) -> Task:
    """Pid 1, made by hand: it has no parent and leads its own session and group. The caller has held `cwd`."""
    pid = k.pids.alloc(k.now)
    cred, bounds = credentials.of_machine(k.config.root), limits.at_boot(k.config.max_procs)
    task = Task(pid, pid, mm_id, fdtable, k.fs_structs.add(FsStruct(cwd)), k.sighands.add(SigHand()), comm, cred)
    enter(k, task, ThreadGroup(pid, 0, pid, pid, SIGCHLD, comm, cred, bounds))
    scheduler.add(k, task)
    return task


def adopt(k: Kernel, parent: ThreadGroup, child: ThreadGroup, forker: int) -> None:
    """`child` becomes the youngest child of `parent`; `forker` is the thread of `parent` that is its parent."""
    k.joins += 1
    child.parent, child.join, child.forker = parent.tgid, k.joins, forker
    parent.children[child.tgid] = None
    if child.zombie:
        heappush(parent.zombies, (child.join, child.tgid))


def store_tid(k: Kernel, t: Task, address: int, tid: int) -> None:
    """CLONE_PARENT_SETTID and its kin. Like Linux, goes on if there is no memory at the address."""
    from kernel.user_memory import copy_out

    with suppress(SysError):
        copy_out(k, t, address, tid.to_bytes(4, "little"))


def exit_group(k: Kernel, group: ThreadGroup, status: int) -> None:
    """The process ends: all its tasks are gone, it is a zombie, its parent hears of it. `status` is wait4's word."""
    for tid in list(group.threads):
        _end_task(k, group, tid)
    _end_process(k, group, status)


def exit_task(k: Kernel, t: Task, status: int) -> None:
    """exit(2): this task ends; the last one of its group ends the process, whose status is this one's."""
    group = k.groups[t.tgid]
    _end_task(k, group, t.tid)
    if group.threads:
        _leave_to_others(k, group, t, status)
    else:
        _end_process(k, group, status)


def become_leader(k: Kernel, t: Task) -> None:
    """exec: the other threads of the process end here and now, and the one that is left goes by its number."""
    group, tid = k.groups[t.tgid], t.tid
    for other in [other for other in group.threads if other != tid]:
        end = k.tasks.peek(other)
        _end_task(k, group, other)
        _leave_to_others(k, group, end, SIGKILL)
    if tid == t.tgid:
        return
    k.tasks.remove(tid)
    t.tid = group.tgid
    k.tasks.add(t, t.tid)
    k.pids.hold(t.tid)
    k.pids.release(tid)
    group.threads = {t.tid: None}
    group.target = t.tid
    _hand_on_children(k, group, tid, t.tid)
    k.current = k.last_ran = t.tid


def _leave_to_others(k: Kernel, group: ThreadGroup, t: Task, status: int) -> None:
    """A thread has ended, its process goes on: its children, and signals it would have seen, are others' now."""
    heir = next(iter(group.threads))
    if group.target == t.tid:
        group.target = heir
    _hand_on_children(k, group, t.tid, heir)
    signals.retarget(k, t, ~t.blocked)
    if k.events.ThreadExit:
        from kernel.events import ThreadExit

        k.events.emit(ThreadExit(k.machine.retired, t.tid, group.tgid, status))


def _hand_on_children(k: Kernel, group: ThreadGroup, old: int, new: int) -> None:
    for tgid in group.children:
        if k.groups.peek(tgid).forker == old:
            k.groups[tgid].forker = new


def _end_task(k: Kernel, group: ThreadGroup, tid: int) -> None:
    """Gives back everything a task has."""
    t = k.tasks[tid]
    group.instructions += t.instructions
    group.max_frames = max(group.max_frames, k.mms.peek(t.mm).max_resident)
    release_memory(k, t)
    mm.release(k, t.mm)
    fs.let_go(k, t)
    fs.close_table(k, t.fdtable)
    release_fs(k, t.fs)
    release_sighand(k, t.sighand)
    scheduler.leave(k, t)
    del group.threads[tid]
    k.tasks.remove(tid)
    k.pids.release(tid)


def release_fs(k: Kernel, fs_id: int) -> None:
    """One user less."""
    shared = k.fs_structs[fs_id]
    shared.users -= 1
    if not shared.users:
        fs.release_inode(k, shared.cwd)
        k.fs_structs.remove(fs_id)


def release_sighand(k: Kernel, sighand: int) -> None:
    """One user less."""
    shared = k.sighands[sighand]
    shared.users -= 1
    if not shared.users:
        k.sighands.remove(sighand)


def _end_process(k: Kernel, group: ThreadGroup, status: int) -> None:
    group.status, group.zombie, group.report = status, True, None
    group.stopped = group.stopping = 0
    group.signals, group.queue = 0, []
    itimer.arm(k, group, 0, 0)
    k.zombies += 1
    k.stats.exits += 1
    if k.events.Exit:
        from kernel.events import Exit

        k.events.emit(Exit(k.machine.retired, group.tgid, group.tgid, status))
    if group.tgid == INIT:
        _end_machine(k, group)
        return
    _give_away_children(k, group)
    parent = k.groups[group.parent]
    heappush(parent.zombies, (group.join, group.tgid))
    notify_parent(k, group)


def _give_away_children(k: Kernel, group: ThreadGroup) -> None:
    """Orphans and orphaned zombies go to init, the reaper, in the order of their birth."""
    init = k.groups[INIT]
    children, group.children, group.zombies = group.children, {}, []
    for tgid in children:
        child = k.groups[tgid]
        adopt(k, init, child, INIT)
        child.exit_signal = SIGCHLD
        if k.events.Reparent:
            from kernel.events import Reparent

            k.events.emit(Reparent(k.machine.retired, tgid, tgid, group.tgid, INIT))
        if child.zombie:
            notify_parent(k, child)


def notify_parent(k: Kernel, group: ThreadGroup) -> None:
    """The process has changed its state: its parent gets the signal for that and looks again if it waits."""
    if group.parent not in k.groups:
        return
    reaps = False
    if not group.zombie:
        _tell_of_stop(k, group)
    else:
        reaps = _tell_of_end(k, group)
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
        signals.send(k, group.parent, siginfo.of_end(signal, group), group.forker)
    return action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT)


def _tell_of_stop(k: Kernel, group: ThreadGroup) -> None:
    action = signals.action_of(k, k.groups.peek(group.parent), SIGCHLD)
    if action.handler != SIG_IGN and not action.flags & SA_NOCLDSTOP:
        signals.send(k, group.parent, siginfo.of_stop(group), group.forker)


def _reap_silently(k: Kernel, group: ThreadGroup) -> None:
    """Nobody will wait for this zombie. What it has used is lost, as on Linux."""
    del k.groups[group.parent].children[group.tgid]
    if k.events.Reap:
        from kernel.events import Reap

        k.events.emit(Reap(k.machine.retired, group.parent, group.tgid, group.status))
    remove(k, group)
    k.stats.reaps += 1


def remove(k: Kernel, group: ThreadGroup) -> None:
    """A zombie that was waited for: nothing of it is left, and its number is free if nobody else goes by it."""
    k.groups.remove(group.tgid)
    k.zombies -= 1
    for pid in (group.tgid, group.pgid, group.sid):
        k.pids.release(pid)


def _end_machine(k: Kernel, init: ThreadGroup) -> None:
    """Pid 1 has ended: everybody else is ended silently, and the run has an outcome."""
    from kernel.kernel import Outcome

    death = init.death
    status = 128 + death.signal if death is not None else init.status >> 8
    k.outcome = Outcome("exited", status, (), death)
    for tgid in k.groups.ids():
        group = k.groups[tgid]
        for tid in list(group.threads):
            _end_task(k, group, tid)
        if not group.zombie:
            group.zombie = True
            k.zombies += 1
        remove(k, group)
