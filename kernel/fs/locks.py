"""Locks on files: fcntl's record locks, of processes (F_SETLK) and of open files (F_OFD_SETLK), and flock(2).

    record locks   per owner, sorted and never overlapping:   [0─9 read] [10─19 write]      [30─∞ read]
    flock          per open file: shared or exclusive, the file as a whole

A process's locks belong to its descriptor table (Linux's files_struct): fork doesn't hand them on, exec keeps them,
threads share them, and any close of the file in that process drops them all. Those of an open file go with its last
descriptor. The two kinds of record locks see each other; flock sees only flock. See fcntl_locking(2), flock(2).

Who waits is woken by every unlock of the file, first come first served, and looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.errno import EAGAIN, EDEADLK, SysError
from kernel.table import Record
from kernel.wait_queues import WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel

READ, WRITE, UNLOCK = 0, 1, 2  # F_RDLCK, F_WRLCK, F_UNLCK
PROCESS, FILE = "process", "file"
Owner = tuple[str, int]  # (PROCESS, descriptor table's id) or (FILE, open file's id)


class Lock(NamedTuple):
    """Bytes `start` to `end`, both included. `pid` is for F_GETLK: the process that made it, -1 for an open file's."""

    kind: int
    start: int
    end: int
    pid: int


class FileLocks(Record):
    """The locks of one inode: a row of `k.locks` by inode id while there are any."""

    __slots__ = ("records", "whole")

    def __init__(self) -> None:
        self.records: dict[Owner, list[Lock]] = {}  # owners in the order in which they came; none has an empty list
        self.whole: dict[int, int] = {}  # open file → READ or WRITE: flock's


def conflict(k: Kernel, inode_id: int, owner: Owner, wanted: Lock) -> tuple[Owner, Lock] | None:
    """The first lock of somebody else's that `wanted` can't be had beside, and its owner."""
    if inode_id not in k.locks:
        return None
    for other, held in k.locks.peek(inode_id).records.items():
        for lock in held if other != owner else ():
            if lock.start <= wanted.end and wanted.start <= lock.end and WRITE in (lock.kind, wanted.kind):
                return other, lock
    return None


def lock(k: Kernel, inode_id: int, owner: Owner, wanted: Lock, wait: bool) -> None:
    """Sets or takes back (UNLOCK) a record lock; what the owner had on these bytes before is replaced.

    Raises EAGAIN if somebody else's is in the way, or waits for it (`wait`); EDEADLK if that would be for ever.
    """
    if wanted.kind != UNLOCK:
        found = conflict(k, inode_id, owner, wanted)
        if found is not None:
            if not wait:
                raise SysError(EAGAIN)
            _wait_for(k, inode_id, owner, found[0])
    had = _held(k, inode_id, owner)
    now = _replace(had, wanted)
    if now != had:
        _store(k, inode_id, owner, now)


def _wait_for(k: Kernel, inode_id: int, owner: Owner, blocker: Owner) -> None:
    """Sleeps until something is unlocked. Whom a process waits for is its progress: the next one looks there."""
    key = ("lock", inode_id)
    if owner[0] == FILE:
        raise WouldBlock(key)
    if _waits_for(k, blocker, owner):
        raise SysError(EDEADLK)
    raise WouldBlock((key, ("lock-owner", owner[1])), progress=blocker)


def _waits_for(k: Kernel, waiter: Owner, owner: Owner) -> bool:
    """Does `waiter`, or somebody it waits for, wait for `owner`? posix_locks_deadlock() of Linux's fs/locks.c."""
    for _ in range(10):  # as many steps as Linux goes, too
        if waiter == owner:
            return True
        sleepers = k.wait_queues.waiting(("lock-owner", waiter[1])) if waiter[0] == PROCESS else []
        pending = k.tasks.peek(sleepers[0]).pending if sleepers else None
        if pending is None or not isinstance(pending.progress, tuple):
            return False
        waiter = pending.progress
    return False


def _held(k: Kernel, inode_id: int, owner: Owner) -> list[Lock]:
    return k.locks.peek(inode_id).records.get(owner, []) if inode_id in k.locks else []


def _replace(had: list[Lock], wanted: Lock) -> list[Lock]:
    """What one owner has after `wanted`: older locks keep what sticks out of it; neighbours of a kind become one."""
    pieces = []
    for old in had:
        if old.start < wanted.start:
            pieces.append(old._replace(end=min(old.end, wanted.start - 1)))
        if old.end > wanted.end:
            pieces.append(old._replace(start=max(old.start, wanted.end + 1)))
    if wanted.kind != UNLOCK:
        pieces.append(wanted)
    merged: list[Lock] = []
    for piece in sorted(pieces, key=lambda lock: lock.start):
        if merged and merged[-1].kind == piece.kind and merged[-1].end + 1 == piece.start:
            merged[-1] = merged[-1]._replace(end=piece.end)
        else:
            merged.append(piece)
    return merged


def _store(k: Kernel, inode_id: int, owner: Owner, now: list[Lock]) -> None:
    if inode_id not in k.locks:
        k.locks.add(FileLocks(), inode_id)
    records = k.locks[inode_id].records
    if now:
        records[owner] = now
    else:
        records.pop(owner, None)
    _changed(k, inode_id)


def _changed(k: Kernel, inode_id: int) -> None:
    row = k.locks.peek(inode_id)
    if not row.records and not row.whole:
        k.locks.remove(inode_id)
    k.wake(("lock", inode_id))


def flock(k: Kernel, inode_id: int, file_id: int, kind: int, wait: bool) -> None:
    """flock(2). Another kind replaces the one that was there, which is lost even if the new one can't be had.

    Raises EAGAIN, or waits.
    """
    held = k.locks.peek(inode_id).whole.get(file_id, UNLOCK) if inode_id in k.locks else UNLOCK
    if held == kind:
        return
    if held != UNLOCK:
        del k.locks[inode_id].whole[file_id]
        _changed(k, inode_id)
    if kind == UNLOCK:
        return
    others = k.locks.peek(inode_id).whole.values() if inode_id in k.locks else ()
    if WRITE in others or (kind == WRITE and others):
        if wait:
            raise WouldBlock(("lock", inode_id))
        raise SysError(EAGAIN)
    if inode_id not in k.locks:
        k.locks.add(FileLocks(), inode_id)
    k.locks[inode_id].whole[file_id] = kind


def closed_by_process(k: Kernel, table_id: int, inode_id: int) -> None:
    """A process has closed a descriptor of the file: its record locks are gone, whichever descriptor made them."""
    if inode_id in k.locks and (PROCESS, table_id) in k.locks.peek(inode_id).records:
        _store(k, inode_id, (PROCESS, table_id), [])


def closed_file(k: Kernel, file_id: int, inode_id: int) -> None:
    """An open file is gone, and its locks with it."""
    if inode_id not in k.locks:
        return
    row = k.locks[inode_id]
    if row.whole.pop(file_id, None) is not None or row.records.pop((FILE, file_id), None) is not None:
        row.records.pop((FILE, file_id), None)
        _changed(k, inode_id)
