"""What a pidfd holds: a process, or a thread, whatever becomes of its number. Linux's struct pid.

A pid may be another process's tomorrow; a PidRef never is. Its owner, `ThreadGroup.pid_ref` or (a thread that is no
leader) `Task.pid_ref`, and all pidfds for it name the same row of `k.pid_refs`; when the owner is gone, its `pid` is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.table import Record

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup


class PidRef(Record):
    """`users` counts pidfds: inodes of them (kernel/fs/pidfd.py)."""

    __slots__ = ("pid", "users")

    pid: int  # of the process, or the tid of the thread; 0 once it was reaped
    users: int

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.users = 0


def hold(k: Kernel, pid: int) -> int:
    """The row of a process or thread that is there, with one more user."""
    owner = _owner(k, pid)
    if not owner.pid_ref:
        owner.pid_ref = k.pid_refs.add(PidRef(pid))
    k.pid_refs[owner.pid_ref].users += 1
    return owner.pid_ref


def release(k: Kernel, row: int) -> None:
    """A pidfd was closed for good."""
    ref = k.pid_refs[row]
    ref.users -= 1
    if ref.users:
        return
    if ref.pid:
        _owner(k, ref.pid).pid_ref = 0
    k.pid_refs.remove(row)


def _owner(k: Kernel, pid: int) -> Task | ThreadGroup:
    return k.groups[pid] if pid in k.groups else k.tasks[pid]


def changed(k: Kernel, owner: Task | ThreadGroup) -> None:
    """Who polls a pidfd of it looks again: it, or its leader, has ended."""
    if owner.pid_ref:
        k.wake(("pidfd", owner.pid_ref))


def gone(k: Kernel, owner: Task | ThreadGroup) -> None:
    """It was reaped, or a thread has ended, or goes by another number: pidfds mean nobody from now on."""
    if owner.pid_ref:
        k.pid_refs[owner.pid_ref].pid = 0
        changed(k, owner)
        owner.pid_ref = 0


def findings(k: Kernel) -> list[str]:
    """For the checker: rows and owners name each other."""
    found = []
    owners = {k.groups.peek(tgid).pid_ref: tgid for tgid in k.groups.ids()}
    owners |= {k.tasks.peek(tid).pid_ref: tid for tid in k.tasks.ids() if k.tasks.peek(tid).pid_ref}
    owners.pop(0, None)
    rows = {row: k.pid_refs.peek(row).pid for row in k.pid_refs.ids() if k.pid_refs.peek(row).pid}
    if rows != owners:
        found.append(f"pidfds are for {rows}, but {owners} say so")
    return found
