"""The end of tasks and processes. clone.py is the beginning; reaper.py has what parents hear; wait.py reaps.

    clone → RUNNING ⇄ SLEEPING, STOPPED → exit → zombie → (wait) → gone

A process has ended when its last task has. A leader that ends before the others is no task any more, but its number
stays the process's. A process that ends gives back its memory and files at once: its zombie is a ThreadGroup with a
status. Sources: kernel/exit.c, and de_thread in fs/exec.c.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kernel import credentials, itimer, limits, mm, pgroups, pid_refs, reaper, scheduler, signals, stopping
from kernel.errno import SysError
from kernel.fs import api as fs
from kernel.signal_numbers import SIGCHLD, SIGKILL
from kernel.task import FsStruct, SigHand, Task, ThreadGroup

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
    group = k.groups[t.tgid]
    group.max_frames = max(group.max_frames, k.mms.peek(t.mm).max_resident)
    if t.robust_list or t.clear_child_tid:
        from kernel import futex, robust_list

        mm.activate(k, t)
        if t.robust_list:
            robust_list.walk(k, t)
        address, t.clear_child_tid = t.clear_child_tid, 0
        if address and k.mms.peek(t.mm).users > 1:
            store_tid(k, t, address, 0)
            with suppress(SysError):
                futex.wake(k, futex.key_of(k, t, address, True), 1)
    end_vfork(k, t)


def enter(k: Kernel, t: Task, group: ThreadGroup) -> None:
    """A task and its group into the tables. Its pid has one hold, as a task; it gets those of group, pgid and sid."""
    k.tasks.add(t, t.tid)
    k.groups.add(group, group.tgid)
    k.pids.hold(group.tgid)
    pgroups.enter(k, group)


def first_process(k: Kernel, mm_id: int, fdtable: int, cwd: int, comm: bytes) -> Task:
    """Pid 1, made by hand: it has no parent and leads its own session and group. The caller has held `cwd`."""
    pid = k.pids.alloc(k.now)
    fs.hold_inode(k, k.root_inode)
    cred, bounds = credentials.of_machine(k.config.root), limits.at_boot(k.config.max_procs)
    fs_id, sighand = k.fs_structs.add(FsStruct(k.root_inode, cwd)), k.sighands.add(SigHand())
    task = Task(pid, pid, mm_id, fdtable, fs_id, sighand, comm, cred)
    k.users.add(cred.uid)
    enter(k, task, ThreadGroup(pid, 0, pid, pid, SIGCHLD, comm, cred, bounds))
    fs.take_terminal(k, k.groups[pid])
    scheduler.add(k, task)
    return task


def store_tid(k: Kernel, t: Task, address: int, tid: int) -> None:
    """CLONE_PARENT_SETTID and its kin. Like Linux, goes on if there is no memory at the address."""
    from kernel.user_memory import copy_out

    with suppress(SysError):
        copy_out(k, t, address, tid.to_bytes(4, "little"))


def exit_group(k: Kernel, group: ThreadGroup, status: int) -> None:
    """The process ends: all its tasks are gone, it is a zombie, its parent hears of it. `status` is wait4's word."""
    threads, group.threads = group.threads, {}  # so that no child goes to a thread that is about to end
    for tid in threads:
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
    k.users.remove(group.cred.uid)
    group.cred = t.cred
    k.tasks.remove(tid)
    t.tid = group.tgid
    k.tasks.add(t, t.tid)
    k.pids.hold(t.tid)
    k.pids.release(tid)
    group.threads = {t.tid: None}
    group.target = t.tid
    reaper.renumber(k, t)
    k.current = k.last_ran = t.tid


def _leave_to_others(k: Kernel, group: ThreadGroup, t: Task, status: int) -> None:
    """A thread has ended, its process goes on: signals it would have seen are for others now."""
    if group.target == t.tid:
        group.target = next(iter(group.threads))
    signals.retarget(k, t, ~t.blocked)
    if k.events.ThreadExit:
        from kernel.events import ThreadExit

        k.events.emit(ThreadExit(k.machine.retired, t.tid, group.tgid, status))


def _end_task(k: Kernel, group: ThreadGroup, tid: int) -> None:
    """Gives back everything a task has."""
    t = k.tasks[tid]
    group.instructions += t.instructions
    release_memory(k, t)
    mm.release(k, t.mm)
    fs.let_go(k, t)
    fs.close_table(k, t.fdtable)
    release_fs(k, t.fs)
    release_sighand(k, t.sighand)
    scheduler.leave(k, t)
    group.threads.pop(tid, None)
    if group.tgid != INIT or group.threads:
        reaper.give_away(k, t)
    pid_refs.gone(k, t)
    pid_refs.changed(k, group)
    k.tasks.remove(tid)
    k.pids.release(tid)
    if tid != group.tgid:
        k.users.remove(t.cred.uid)


def release_fs(k: Kernel, fs_id: int) -> None:
    """One user less."""
    shared = k.fs_structs[fs_id]
    shared.users -= 1
    if not shared.users:
        fs.release_inode(k, shared.cwd)
        fs.release_inode(k, shared.root)
        k.fs_structs.remove(fs_id)


def release_sighand(k: Kernel, sighand: int) -> None:
    """One user less."""
    shared = k.sighands[sighand]
    shared.users -= 1
    if not shared.users:
        k.sighands.remove(sighand)


def _end_process(k: Kernel, group: ThreadGroup, status: int) -> None:
    if group.tgid != INIT:
        if group.tty and group.sid == group.tgid:
            _give_up_terminal(k, group)
        reaper.hang_up_orphans(k, group)
    stopping.ended(k, group)
    group.status, group.zombie = status, True
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
    reaper.notify_parent(k, group)


def _give_up_terminal(k: Kernel, leader: ThreadGroup) -> None:
    from kernel.fs import tty

    tty.give_up(k, leader, ends=True)


def _end_machine(k: Kernel, init: ThreadGroup) -> None:
    """Pid 1 has ended: everybody else is ended silently, and the run has an outcome."""
    from kernel.kernel import Outcome

    death = init.death
    status = 128 + death.signal if death is not None else init.status >> 8
    k.outcome = Outcome("exited", status, (), death)
    for tgid in k.groups.ids():
        group = k.groups[tgid]
        group.parent, group.children = 0, {}
        for tid in list(group.threads):
            k.tasks[tid].children = {}
            _end_task(k, group, tid)
        if not group.zombie:
            group.zombie = True
            k.zombies += 1
        reaper.remove(k, group)
    fs.shut_down_terminal(k)
