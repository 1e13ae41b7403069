"""The task that a file of /proc is about, as the kernel's tables have it now: alive, a zombie, or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel import credentials
from kernel.credentials import ROOT
from kernel.task import RUNNING, SLEEPING, STOPPED, ZOMBIE
from kernel.wait_queues import KILLABLE

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.fs.proc.numbers import Node
    from kernel.kernel import Kernel
    from kernel.mm import Mm
    from kernel.task import Task, ThreadGroup

DISK_SLEEP = "D"  # waits, and nothing but death can end that
NAMES = {RUNNING: "running", SLEEPING: "sleeping", DISK_SLEEP: "disk sleep", STOPPED: "stopped", ZOMBIE: "zombie"}


class Who(NamedTuple):
    """`task` is None for a zombie; `group` is its process. `whole`: asked as /proc/PID, not as /proc/PID/task/TID."""

    tid: int
    task: Task | None
    group: ThreadGroup
    whole: bool


def is_there(k: Kernel, node: Node) -> bool:
    """Does the task that the node is about still exist, as a zombie at least? (True for what is about no task.)"""
    if not node.tid:
        return True
    known = node.tid in k.tasks or node.tid in k.groups
    return known and k.pids.serial(node.tid) == node.serial


def find(k: Kernel, node: Node, whole: bool) -> Who | None:
    """The task of a node, for reading. None if it is gone, or the node is about none."""
    if not node.tid or not is_there(k, node):
        return None
    task = k.tasks.peek(node.tid) if node.tid in k.tasks else None
    return Who(node.tid, task, k.groups.peek(node.tgid), whole)


def state(who: Who) -> str:
    """The letter: R, S, D, T or Z."""
    task = who.task
    if task is None:
        return ZOMBIE
    if task.state == SLEEPING and task.pending is not None and task.pending.restart == KILLABLE:
        return DISK_SLEEP
    return task.state


def mm_of(k: Kernel, who: Who) -> Mm | None:
    """Its address space; a zombie has none, and a task that is just ending has given it back before its files."""
    return k.mms.peek(who.task.mm) if who.task is not None and who.task.mm in k.mms else None


def comm(who: Who) -> bytes:
    """Its name: up to 15 bytes, whatever they are."""
    return who.group.comm if who.task is None else who.task.comm


def tasks(k: Kernel, who: Who) -> list[Task]:
    """The live tasks that are counted together: all of its process if `whole`, else itself."""
    if who.whole:
        return [k.tasks.peek(tid) for tid in who.group.threads if tid in k.tasks]
    return [] if who.task is None else [who.task]


def run_time(k: Kernel, who: Who) -> int:
    """ns on the hart, of the process with its ended threads if `whole`: an instruction is one."""
    return sum(t.instructions for t in tasks(k, who)) + (who.group.instructions if who.whole else 0)


def owner(k: Kernel, who: Who | None, mode: int) -> tuple[int, int]:
    """(uid, gid) of a file about it: the process's own; root's for what is gone, and what nobody may look into.

    Directories that all may read (mode 0555) are the process's own even then: Linux's task_dump_owner().
    """
    if who is None:
        return ROOT, ROOT
    mm = mm_of(k, who)
    if mode & 0o777 != 0o555 and (mm is None or not mm.dumpable):
        return ROOT, ROOT
    cred = cred_of(who)
    return cred.euid, cred.egid


def cred_of(who: Who) -> Cred:
    """Who it is; a zombie is what its leader was."""
    return who.group.cred if who.task is None else who.task.cred


def may_look(k: Kernel, t: Task, about: Who) -> bool:
    """Linux's ptrace_may_access() for reading: one's own process, or one that one's file ids might trace."""
    mm = mm_of(k, about)
    own = t.cred._replace(uid=t.cred.fsuid, gid=t.cred.fsgid)
    return t.tgid == about.group.tgid or credentials.may_trace(own, cred_of(about), mm is not None and mm.dumpable)


def escape_name(name: bytes) -> bytes:
    """A name in a line of status: backslash and newline are written as in C."""
    return name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
