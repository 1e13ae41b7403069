"""Process groups and sessions: who is in which, by number, so that nobody has to look through all processes.

    session 7 ─┬─ group 7    7 (its leader: sid = pid)
               ├─ group 9    9, 10, 11     a pipeline: kill(-9), wait4(-9)
               └─ group 12   12

A process is in one group from fork until it is reaped (a zombie still is), and a group is in one session. Each member
has a hold on the numbers of its group and its session, so that they aren't given out as pids meanwhile. See
setpgid(2), setsid(2), credentials(7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EACCES, EINVAL, EPERM, ESRCH, SysError
from kernel.table import Record

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup


class ProcessGroup(Record):
    """Lives in `k.pgroups` by pgid as long as it has members."""

    __slots__ = ("sid", "members", "stopped")

    sid: int  # the session it belongs to
    members: dict[int, None]  # tgids, in the order in which they came in
    stopped: int  # how many of them are stopped. stopping.py

    def __init__(self, sid: int) -> None:
        self.sid = sid
        self.members = {}
        self.stopped = 0


class Session(Record):
    """Lives in `k.sessions` by sid as long as it has groups."""

    __slots__ = ("groups",)

    groups: dict[int, None]  # pgids, in the order in which they came into being

    def __init__(self) -> None:
        self.groups = {}


def members(k: Kernel, pgid: int) -> list[int]:
    """The tgids in a group, zombies too, in the order in which they came in; [] if there is no such group."""
    return list(k.pgroups.peek(pgid).members) if pgid in k.pgroups else []


def enter(k: Kernel, group: ThreadGroup) -> None:
    """A process that is in the tables now comes into the group and session that it names."""
    k.pids.hold(group.pgid)
    k.pids.hold(group.sid)
    _join(k, group)


def leave(k: Kernel, group: ThreadGroup) -> None:
    """The process is reaped."""
    _part(k, group)
    k.pids.release(group.pgid)
    k.pids.release(group.sid)


def _join(k: Kernel, group: ThreadGroup) -> None:
    if group.pgid not in k.pgroups:
        k.pgroups.add(ProcessGroup(group.sid), group.pgid)
        if group.sid not in k.sessions:
            k.sessions.add(Session(), group.sid)
        k.sessions[group.sid].groups[group.pgid] = None
    into = k.pgroups[group.pgid]
    into.members[group.tgid] = None
    into.stopped += bool(group.stopped)


def _part(k: Kernel, group: ThreadGroup) -> None:
    out_of = k.pgroups[group.pgid]
    out_of.stopped -= bool(group.stopped)
    del out_of.members[group.tgid]
    if out_of.members:
        return
    k.pgroups.remove(group.pgid)
    session = k.sessions[group.sid]
    del session.groups[group.pgid]
    if not session.groups:
        k.sessions.remove(group.sid)


def _move(k: Kernel, group: ThreadGroup, pgid: int, sid: int) -> None:
    k.pids.hold(pgid)
    k.pids.hold(sid)
    leave(k, group)
    group.pgid, group.sid = pgid, sid
    _join(k, group)


def find(k: Kernel, t: Task, pid: int) -> ThreadGroup:
    """The process that a thread's number, a zombie's, or 0 (the caller) means. SysError(ESRCH) if it is nobody's."""
    if not pid:
        return k.groups.peek(t.tgid)
    if pid in k.groups:
        return k.groups.peek(pid)
    if pid in k.tasks:
        return k.groups.peek(k.tasks.peek(pid).tgid)
    raise SysError(ESRCH)


def setpgid(k: Kernel, t: Task, pid: int, pgid: int) -> None:
    """setpgid(2) for the caller or a child of its, with 0 for "the caller" and "a group of its own".

    SysError EINVAL (a negative group, a thread), ESRCH (neither the caller nor a child), EACCES (the child has called
    exec), EPERM (a session leader, another session, a group that isn't in the caller's session).
    """
    pid, pgid = pid or t.tgid, pgid or pid or t.tgid
    if pgid < 0:
        raise SysError(EINVAL)
    group = find(k, t, pid)
    if group.tgid != pid:
        raise SysError(EINVAL)
    _check_target(k, t, group)
    if pgid != pid and (pgid not in k.pgroups or k.pgroups.peek(pgid).sid != k.groups.peek(t.tgid).sid):
        raise SysError(EPERM)
    if pgid != group.pgid:
        _move(k, k.groups[pid], pgid, group.sid)


def _check_target(k: Kernel, t: Task, group: ThreadGroup) -> None:
    """May the caller move this process at all?"""
    if group.parent == t.tgid:
        if group.sid != k.groups.peek(t.tgid).sid:
            raise SysError(EPERM)
        if group.did_exec:
            raise SysError(EACCES)
    elif group.tgid != t.tgid:
        raise SysError(ESRCH)
    if group.sid == group.tgid:
        raise SysError(EPERM)


def setsid(k: Kernel, t: Task) -> int:
    """setsid(2): the caller leads a new session and group. SysError(EPERM) if its number is a group's already."""
    if t.tgid in k.pgroups:
        raise SysError(EPERM)
    _move(k, k.groups[t.tgid], t.tgid, t.tgid)
    k.groups[t.tgid].tty = False
    return t.tgid


def is_orphaned(k: Kernel, pgid: int, without: int = 0) -> bool:
    """Has nobody in the group (`without` doesn't count) a parent outside it in the same session, who could continue it?

    Children of init don't count, and neither do zombies. Linux's will_become_orphaned_pgrp.
    """
    pgroup = k.pgroups.peek(pgid)
    for tgid in pgroup.members:
        member = k.groups.peek(tgid)
        if tgid == without or member.zombie or member.parent <= 1:
            continue
        parent = k.groups.peek(member.parent)
        if parent.pgid != pgid and parent.sid == pgroup.sid:
            return False
    return True
