"""wait4 and waitid: a parent hears that a child has ended, stopped or gone on; a zombie that was waited for is gone.

The status word (bits/waitstatus.h):

    | exit code 15:8 | 0 |          it called exit
    | 0 | signal 6:0 |              the signal ended it
    | signal 15:8 | 0x7f |          the signal stopped it      (WUNTRACED)
    | 0xffff |                      SIGCONT let it go on       (WCONTINUED)

Children that have nothing to tell are not looked at: `Task.ready` has the others (reaper.py). Of several, the one is
found that has been a child longest; first among the caller's own, then among those of the other threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from kernel import reaper
from kernel.errno import ECHILD, EINVAL, ESRCH, SysError
from kernel.signal_numbers import SIGCHLD
from kernel.stopping import CONTINUED_STATUS
from kernel.task import Task, ThreadGroup
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel

WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x0100_0000
WSTOPPED = WUNTRACED
WNOTHREAD, WALL, WCLONE = 0x20000000, 0x40000000, 0x80000000
WAIT4_OPTIONS = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE
WAITID_OPTIONS = WAIT4_OPTIONS | WEXITED | WNOWAIT
_INT_MIN = -(1 << 31)

ANY, PID, PGID = range(3)  # Wanted.kind


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


class Wanted(NamedTuple):
    """Which children are meant, and what about them. `number`: a pid or a pgid, by `kind`; 0 is nobody's."""

    kind: int
    number: int
    options: int  # WEXITED, WSTOPPED, WCONTINUED, WNOHANG, WNOWAIT, WNOTHREAD, WALL, WCLONE


class Found(NamedTuple):
    """What a wait has found: a child's pid and uid, its status word, and what it has used."""

    pid: int
    uid: int
    status: int
    usage: Usage


def wait4(k: Kernel, t: Task, pid: int, options: int) -> Found | None:
    """wait4(2) but for the copying out. None if WNOHANG was given and no child has anything to report.

    SysError EINVAL (options), ESRCH (pid INT_MIN), ECHILD; WouldBlock until a child changes.
    """
    if options & ~WAIT4_OPTIONS:
        raise SysError(EINVAL)
    if pid == _INT_MIN:
        raise SysError(ESRCH)
    kind = ANY if pid == -1 else PID if pid > 0 else PGID
    return wait(k, t, kind, abs(pid), options | WEXITED)


def wait(k: Kernel, t: Task, kind: int, number: int, options: int) -> Found | None:
    """One try of any wait. A PGID of 0 is the group that the caller is in when it begins to wait."""
    if t.pending is not None and isinstance(t.pending.progress, int):
        number = t.pending.progress
    elif kind == PGID and not number:
        number = k.groups.peek(t.tgid).pgid
    wanted = Wanted(kind, number, options)
    child = _first_ready(k, t, wanted)
    if child is not None:
        return _report(k, t, k.groups[child.tgid], options)
    if not any(_may_tell(other, options) for other in _children(k, t, wanted)):
        raise SysError(ECHILD)
    if options & WNOHANG:
        return None
    raise WouldBlock(("child", t.tgid), progress=number)


def _first_ready(k: Kernel, t: Task, wanted: Wanted) -> ThreadGroup | None:
    """The first of the children meant that has something to tell."""
    if wanted.kind == PID:
        ready: Iterable[ThreadGroup] = _children(k, t, wanted)
    else:
        ready = (k.groups.peek(tgid) for thread in _threads(k, t, wanted.options) for _, tgid in thread.ready)
    for child in ready:
        if (wanted.kind != PGID or child.pgid == wanted.number) and _tells(child, wanted.options):
            return child
    return None


def _threads(k: Kernel, t: Task, options: int) -> Iterator[Task]:
    """Those whose children count: the caller, then the others from behind it on, in a circle."""
    yield t
    threads = list(k.groups.peek(t.tgid).threads)
    if options & WNOTHREAD or len(threads) == 1:
        return
    here = threads.index(t.tid)
    for tid in threads[here + 1 :] + threads[:here]:
        yield k.tasks.peek(tid)


def _children(k: Kernel, t: Task, wanted: Wanted) -> Iterator[ThreadGroup]:
    """The children meant, alive or not, in no order that matters."""
    mine = t.children if wanted.options & WNOTHREAD else k.groups.peek(t.tgid).children
    candidates: Iterable[int] = mine
    if wanted.kind == PID:
        candidates = (wanted.number,)
    elif wanted.kind == PGID:
        members = k.pgroups.peek(wanted.number).members if wanted.number in k.pgroups else {}
        candidates = members if len(members) < len(mine) else mine
    for tgid in candidates:
        if tgid in mine:
            child = k.groups.peek(tgid)
            if wanted.kind != PGID or child.pgid == wanted.number:
                yield child


def _is_eligible(child: ThreadGroup, options: int) -> bool:
    """A "clone child" (one that doesn't send SIGCHLD) is waited for with __WCLONE, others without; __WALL takes all."""
    return bool(options & WALL) or (child.exit_signal != SIGCHLD) == bool(options & WCLONE)


def _tells(child: ThreadGroup, options: int) -> bool:
    """Has it something to tell that was asked for?"""
    if not _is_eligible(child, options):
        return False
    if child.zombie:
        return bool(options & WEXITED)
    if child.report is None:
        return False
    return bool(options & (WCONTINUED if child.report == CONTINUED_STATUS else WSTOPPED))


def _may_tell(child: ThreadGroup, options: int) -> bool:
    """May it ever have? A zombie only if somebody asks for those that have ended."""
    return _is_eligible(child, options) and (not child.zombie or bool(options & WEXITED))


def _report(k: Kernel, t: Task, child: ThreadGroup, options: int) -> Found:
    """What the child tells. Unless WNOWAIT leaves it as it is, it won't tell that again; a zombie is gone."""
    status = child.status if child.zombie else child.report or 0
    found = Found(child.tgid, child.cred.uid, status, _usage(k, child))
    if options & WNOWAIT:
        return found
    if not child.zombie:
        reaper.set_report(k, child, None)
        return found
    _reap(k, k.groups[t.tgid], child, found.usage)
    if k.events.Reap:
        from kernel.events import Reap

        k.events.emit(Reap(k.machine.retired, t.tid, child.tgid, child.status))
    return found


def _usage(k: Kernel, group: ThreadGroup) -> Usage:
    """RUSAGE_BOTH: of the process and of the descendants it has waited for."""
    tasks = [k.tasks.peek(tid) for tid in group.threads]
    own = group.instructions + sum(t.instructions for t in tasks)
    frames = [group.max_frames, group.children_max_frames, *(k.mms.peek(t.mm).max_resident for t in tasks)]
    faults = group.faults + group.children_faults
    switches = map(sum, zip(group.switches, group.children_switches, strict=True))
    return Usage(own + group.children_instructions, faults, max(frames), *switches)


def _reap(k: Kernel, parent: ThreadGroup, child: ThreadGroup, usage: Usage) -> None:
    parent.children_instructions += usage.instructions
    parent.children_faults += usage.faults
    parent.children_max_frames = max(parent.children_max_frames, usage.max_frames)
    voluntary, forced = parent.children_switches
    parent.children_switches = (voluntary + usage.voluntary, forced + usage.involuntary)
    reaper.remove(k, child)
    k.stats.reaps += 1
