"""The life of processes: clone (as fork), exit, reparenting. wait.py ends it.

    clone → RUNNING ⇄ SLEEPING, STOPPED → exit → zombie → (wait) → gone

A child is built whole before anything of it can be seen; what fails on the way is undone (ENOMEM, EAGAIN). A process
that ends gives back its memory and files at once: its zombie is a ThreadGroup with a status.
"""

from __future__ import annotations

from contextlib import suppress
from heapq import heappush
from typing import TYPE_CHECKING, cast

from kernel import cow, cpu_time, itimer, limits, mm, scheduler, siginfo, signals
from kernel.errno import EAGAIN, EINVAL, EPERM, SysError
from kernel.fs import api as fs
from kernel.signal_numbers import LAST_SIGNAL, SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, SIGCHLD
from kernel.task import DEFAULT, FsStruct, SigHand, Task, ThreadGroup
from kernel.wait_queues import KILLABLE, WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1

CSIGNAL = 0xFF
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD = 0x100, 0x200, 0x400, 0x800, 0x1000
CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT, CLONE_THREAD, CLONE_NEWNS = 0x2000, 0x4000, 0x8000, 0x10000, 0x20000
CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID = 0x40000, 0x80000, 0x100000
CLONE_CHILD_CLEARTID, CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID = 0x200000, 0x400000, 0x800000, 0x1000000
CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER = 0x2000000, 0x4000000, 0x8000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET, CLONE_IO = 0x20000000, 0x40000000, 0x80000000

_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
# A fork may say these: they need nothing, or little.
_FORK = (
    CSIGNAL
    | CLONE_VM
    | CLONE_VFORK
    | CLONE_PTRACE
    | CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_DETACHED
    | CLONE_UNTRACED
    | CLONE_CHILD_SETTID
    | CLONE_IO
)

SP, TP, A0 = 2, 4, 10


def clone(k: Kernel, t: Task, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """clone(2) of a process: with a copy of the caller's memory, or (CLONE_VM) the very same. Returns the child's pid.

    With CLONE_VFORK the caller sleeps until the child execs or ends; nothing but death interrupts that.

    SysError EINVAL or EPERM for flags that Linux refuses, and EINVAL for those that share something between parent and
    child (CLONE_SIGHAND, CLONE_FILES, CLONE_FS, CLONE_PARENT, CLONE_THREAD), which this kernel doesn't do; EAGAIN at
    the limit of processes; ENOMEM.
    """
    if t.pending is not None:
        return _wait_for_vfork(k, t, cast("int", t.pending.progress))
    _check_flags(flags)
    if len(k.tasks) + k.zombies >= k.config.max_procs:
        raise SysError(EAGAIN)
    child, shared = _copy_process(k, t, flags)
    _set_up(child, flags, stack, tls, child_tid)
    if flags & CLONE_PARENT_SETTID:
        _store_tid(k, t, parent_tid, child.tid)
    if flags & CLONE_CHILD_SETTID:
        _store_tid(k, child, child_tid, child.tid)
        mm.forget_detached(k)
    k.stats.forks += 1
    if k.events.Fork:
        from kernel.events import Fork

        k.events.emit(Fork(k.machine.retired, t.tid, child.tid, flags, shared))
    if flags & CLONE_VFORK:
        child.vfork = t.tid
        return _wait_for_vfork(k, t, child.tid)
    return child.tid


def _wait_for_vfork(k: Kernel, t: Task, child: int) -> int:
    if child in k.tasks and k.tasks.peek(child).vfork == t.tid:
        raise WouldBlock(("vfork", child), progress=child, restart=KILLABLE)
    return child


def end_vfork(k: Kernel, t: Task) -> None:
    """The task uses its parent's memory no more (it has another program, or ends): the parent goes on."""
    if t.vfork:
        t.vfork = 0
        k.wake(("vfork", t.tid))


def _check_flags(flags: int) -> None:
    """What copy_process in Linux's kernel/fork.c refuses, then what this kernel doesn't have."""
    if (flags & CLONE_NEWNS and flags & CLONE_FS) or (flags & CLONE_NEWUSER and flags & (CLONE_FS | CLONE_THREAD)):
        raise SysError(EINVAL)
    if (flags & CLONE_THREAD and not flags & CLONE_SIGHAND) or (flags & CLONE_SIGHAND and not flags & CLONE_VM):
        raise SysError(EINVAL)
    if flags & (_NAMESPACES | CLONE_NEWUSER):
        raise SysError(EPERM)
    if flags & ~_FORK:
        raise SysError(EINVAL)


def _copy_process(k: Kernel, t: Task, flags: int) -> tuple[Task, int]:
    """A child that is ready to run, and how many frames it shares with its parent. It is whole, or SysError."""
    parent = k.groups[t.tgid]
    pid = k.pids.alloc()
    try:
        mm_id, shared = _share_mm(k, t) if flags & CLONE_VM else cow.fork(k, k.mms[t.mm])
    except BaseException:
        k.pids.release(pid)
        raise
    child = Task(pid, pid, mm_id, fs.fork_table(k, t.fdtable), _copy_fs(k, t.fs), _copy_sighand(k, t.sighand), t.comm)
    child.blocked = t.blocked
    if flags & (CLONE_VM | CLONE_VFORK) != CLONE_VM:
        child.altstack = t.altstack
    child.hart.load(t.hart.save())
    child.hart.x[A0] = 0
    child.hart.satp = t.hart.satp if flags & CLONE_VM else mm.detached_satp(k, mm_id)
    group = ThreadGroup(pid, 0, parent.pgid, parent.sid, flags & CSIGNAL, t.comm, parent.limits)
    cpu_time.set_alarm(group)
    _enter(k, child, group)
    _adopt(k, parent, group)
    scheduler.add(k, child)
    return child, shared


def _share_mm(k: Kernel, t: Task) -> tuple[int, int]:
    k.mms[t.mm].users += 1
    return t.mm, k.mms.peek(t.mm).resident


def _copy_sighand(k: Kernel, sighand: int) -> int:
    new = SigHand()
    new.actions = dict(k.sighands.peek(sighand).actions)
    return k.sighands.add(new)


def _set_up(child: Task, flags: int, stack: int, tls: int, child_tid: int) -> None:
    """The registers and the like that clone's arguments ask for in the child."""
    if stack:
        child.hart.x[SP] = stack
    if flags & CLONE_SETTLS:
        child.hart.x[TP] = tls
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = child_tid


def _copy_fs(k: Kernel, fs_id: int) -> int:
    old = k.fs_structs.peek(fs_id)
    fs.hold_inode(k, old.cwd)
    return k.fs_structs.add(FsStruct(old.cwd, old.umask))


def _enter(k: Kernel, t: Task, group: ThreadGroup) -> None:
    """A task and its group into the tables. Its pid has one hold, as a task; it gets those of group, pgid and sid."""
    k.tasks.add(t, t.tid)
    k.groups.add(group, group.tgid)
    for pid in (group.tgid, group.pgid, group.sid):
        k.pids.hold(pid)


def first_process(k: Kernel, mm_id: int, fdtable: int, cwd: int, comm: bytes) -> Task:
    """Pid 1, made by hand: it has no parent and leads its own session and group. The caller has held `cwd`."""
    pid = k.pids.alloc()
    task = Task(pid, pid, mm_id, fdtable, k.fs_structs.add(FsStruct(cwd)), k.sighands.add(SigHand()), comm)
    _enter(k, task, ThreadGroup(pid, 0, pid, pid, SIGCHLD, comm, limits.at_boot(k.config.max_procs)))
    scheduler.add(k, task)
    return task


def _adopt(k: Kernel, parent: ThreadGroup, child: ThreadGroup) -> None:
    """`child` becomes the youngest child of `parent`."""
    k.joins += 1
    child.parent, child.join = parent.tgid, k.joins
    parent.children[child.tgid] = None
    if child.zombie:
        heappush(parent.zombies, (child.join, child.tgid))


def _store_tid(k: Kernel, t: Task, address: int, tid: int) -> None:
    """CLONE_PARENT_SETTID and CLONE_CHILD_SETTID. Like Linux, goes on if there is no memory at the address."""
    from kernel.user_memory import copy_out

    with suppress(SysError):
        copy_out(k, t, address, tid.to_bytes(4, "little"))


def exit_group(k: Kernel, group: ThreadGroup, status: int) -> None:
    """The process ends: all its tasks are gone, it is a zombie, its parent hears of it. `status` is wait4's word."""
    for tid in list(group.threads):
        _end_task(k, group, tid)
    _end_process(k, group, status)


def exit_task(k: Kernel, t: Task, status: int) -> None:
    """exit(2): this task ends; the last one of its group ends the process."""
    group = k.groups[t.tgid]
    _end_task(k, group, t.tid)
    if not group.threads:
        _end_process(k, group, status)


def _end_task(k: Kernel, group: ThreadGroup, tid: int) -> None:
    """Gives back everything a task has."""
    t = k.tasks[tid]
    group.instructions += t.instructions
    group.max_frames = max(group.max_frames, k.mms.peek(t.mm).max_resident)
    mm.release(k, t.mm)
    fs.close_table(k, t.fdtable)
    _release_fs(k, t.fs)
    _release_sighand(k, t.sighand)
    end_vfork(k, t)
    scheduler.leave(k, t)
    del group.threads[tid]
    k.tasks.remove(tid)
    k.pids.release(tid)


def _release_fs(k: Kernel, fs_id: int) -> None:
    shared = k.fs_structs[fs_id]
    shared.users -= 1
    if not shared.users:
        fs.release_inode(k, shared.cwd)
        k.fs_structs.remove(fs_id)


def _release_sighand(k: Kernel, sighand: int) -> None:
    shared = k.sighands[sighand]
    shared.users -= 1
    if not shared.users:
        k.sighands.remove(sighand)


def _end_process(k: Kernel, group: ThreadGroup, status: int) -> None:
    group.status, group.zombie, group.report, group.stopped = status, True, None, 0
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
        _adopt(k, init, child)
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
        signals.send(k, group.parent, siginfo.of_end(signal, group))
    return action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT)


def _tell_of_stop(k: Kernel, group: ThreadGroup) -> None:
    action = signals.action_of(k, k.groups.peek(group.parent), SIGCHLD)
    if action.handler != SIG_IGN and not action.flags & SA_NOCLDSTOP:
        signals.send(k, group.parent, siginfo.of_stop(group))


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
