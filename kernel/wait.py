"""wait4: a parent hears that a child has ended, stopped or gone on; a zombie that was waited for is gone.

The status word (bits/waitstatus.h):

    | exit code 15:8 | 0 |          it called exit
    | 0 | signal 6:0 |              the signal ended it
    | signal 15:8 | 0x7f |          the signal stopped it      (WUNTRACED)
    | 0xffff |                      SIGCONT let it go on       (WCONTINUED)
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from kernel import lifecycle
from kernel.errno import ECHILD, EINVAL, ESRCH, SysError
from kernel.signal_numbers import SIGCHLD
from kernel.stopping import CONTINUED_STATUS
from kernel.task import Task, ThreadGroup
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel

WNOHANG, WUNTRACED, WCONTINUED = 1, 2, 8
WNOTHREAD, WALL, WCLONE = 0x20000000, 0x40000000, 0x80000000
_OPTIONS = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE
_INT_MIN = -(1 << 31)


class Usage(NamedTuple):
    """What a process and the children it waited for have used."""

    instructions: int
    faults: int
    max_frames: int
    voluntary: int
    involuntary: int

    def pack(self) -> bytes:
        """struct rusage: an instruction is 1 ns of user time; fields that this kernel has no measure for are 0."""
        seconds, rest = divmod(self.instructions, 1_000_000_000)
        switches = (self.voluntary, self.involuntary)
        return pack("<18q", seconds, rest // 1000, 0, 0, self.max_frames * 4, 0, 0, 0, self.faults, *[0] * 7, *switches)


class Found(NamedTuple):
    """What a wait has found: a child's pid, its status word, and what it has used."""

    pid: int
    status: int
    usage: Usage


def wait4(k: Kernel, t: Task, pid: int, options: int) -> Found | None:
    """wait4(2) but for the copying out. None if WNOHANG was given and no child has anything to report.

    SysError EINVAL (options), ESRCH (pid INT_MIN), ECHILD; WouldBlock until a child changes.
    """
    if options & ~_OPTIONS:
        raise SysError(EINVAL)
    if pid == _INT_MIN:
        raise SysError(ESRCH)
    parent = k.groups[t.tgid]
    found = _ended_first(k, parent, options) if pid == -1 else None
    if found is None:
        found = _look(k, parent, pid, options)
    if found is not None:
        return _report(k, t, parent, found)
    if options & WNOHANG:
        return None
    raise WouldBlock(("child", t.tgid))


def _ended_first(k: Kernel, parent: ThreadGroup, options: int) -> ThreadGroup | None:
    """For "any child that has ended": the zombie that has been a child longest, without a look at all children."""
    if options & (WUNTRACED | WCONTINUED):
        return None
    while parent.zombies:
        join, tgid = parent.zombies[0]
        if tgid in parent.children and k.groups.peek(tgid).join == join:
            child = k.groups[tgid]
            return child if _is_eligible(child, options) else None
        heappop(parent.zombies)
    return None


def _look(k: Kernel, parent: ThreadGroup, pid: int, options: int) -> ThreadGroup | None:
    """The first of the children meant by `pid` that has something to report. SysError(ECHILD) if there are none."""
    any_child = False
    for child in _selected(k, parent, pid):
        if not _is_eligible(child, options):
            continue
        any_child = True
        if child.zombie or _has_report(child, options):
            return k.groups[child.tgid]
        if pid == -1 and not options & (WUNTRACED | WCONTINUED | WALL | WCLONE) and not parent.zombies:
            break  # nobody has ended, and nothing else counts
    if not any_child:
        raise SysError(ECHILD)
    return None


def _selected(k: Kernel, parent: ThreadGroup, pid: int) -> Iterator[ThreadGroup]:
    """The children that `pid` means, oldest first: one (> 0), all (-1), the caller's group (0), a group (< -1)."""
    if pid > 0:
        if pid in parent.children:
            yield k.groups.peek(pid)
        return
    pgid = parent.pgid if pid == 0 else -pid
    for tgid in parent.children:
        child = k.groups.peek(tgid)
        if pid == -1 or child.pgid == pgid:
            yield child


def _is_eligible(child: ThreadGroup, options: int) -> bool:
    """A "clone child" (one that doesn't send SIGCHLD) is waited for with __WCLONE, others without; __WALL takes all."""
    return bool(options & WALL) or (child.exit_signal != SIGCHLD) == bool(options & WCLONE)


def _has_report(child: ThreadGroup, options: int) -> bool:
    if child.report is None:
        return False
    return bool(options & (WCONTINUED if child.report == CONTINUED_STATUS else WUNTRACED))


def _report(k: Kernel, t: Task, parent: ThreadGroup, child: ThreadGroup) -> Found:
    usage = _usage(k, child)
    if not child.zombie:
        status, child.report = child.report or 0, None
        return Found(child.tgid, status, usage)
    _reap(k, parent, child, usage)
    if k.events.Reap:
        from kernel.events import Reap

        k.events.emit(Reap(k.machine.retired, t.tid, child.tgid, child.status))
    return Found(child.tgid, child.status, usage)


def _usage(k: Kernel, group: ThreadGroup) -> Usage:
    """RUSAGE_BOTH: of the process and of the descendants it has waited for."""
    tasks = [k.tasks.peek(tid) for tid in group.threads]
    own = group.instructions + sum(t.instructions for t in tasks)
    frames = [group.max_frames, group.children_max_frames, *(k.mms.peek(t.mm).max_resident for t in tasks)]
    faults = group.faults + group.children_faults
    return Usage(own + group.children_instructions, faults, max(frames), *group.switches)


def _reap(k: Kernel, parent: ThreadGroup, child: ThreadGroup, usage: Usage) -> None:
    parent.children_instructions += usage.instructions
    parent.children_faults += usage.faults
    parent.children_max_frames = max(parent.children_max_frames, usage.max_frames)
    del parent.children[child.tgid]
    if parent.zombies and parent.zombies[0][1] == child.tgid:
        heappop(parent.zombies)
    lifecycle.remove(k, child)
    k.stats.reaps += 1
