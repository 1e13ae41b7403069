"""From a directory of /proc and a name to an inode, and reading its directories.

A directory's stream goes on behind the last cookie, whoever was born or died meanwhile: `.` and `..` are 1 and 2, fixed
names follow in their order, and what has a number has the cookie FIRST_NUMBERED + number. So processes come in the
order of their pids, each one that was there all the time exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel.errno import ENOENT, ESRCH, SysError
from kernel.fs.constants import S_IFDIR
from kernel.fs.directory import Entry
from kernel.fs.proc import who
from kernel.fs.proc.numbers import Node, decode, encode
from kernel.fs.proc.tree import ENTRIES, FDS, PIDS, TASKS

if TYPE_CHECKING:
    from kernel.kernel import Kernel

FIRST_NUMBERED = 256
_DIGITS = 10  # of a number that may be somebody's


def enter(k: Kernel, directory_id: int) -> None:
    """Before anything is done in a directory: raises ESRCH if the task it is about is gone."""
    if not who.is_there(k, decode(directory_id)):
        raise SysError(ESRCH)


def lookup(k: Kernel, directory_id: int, name: bytes) -> int:
    """The inode called `name`. Raises ENOENT: never "not there yet", because nobody can make a file here."""
    node = decode(directory_id)
    entry = ENTRIES[node.kind]
    kind = entry.below.get(name)
    if kind is not None:
        return encode(node._replace(kind=kind))
    number = _number(name) if entry.numbered else None
    found = None if number is None else _numbered(k, node, number)
    if found is None:
        raise SysError(ENOENT)
    return encode(found)


def listing(k: Kernel, directory_id: int, after: int, limit: int) -> list[Entry]:
    """Up to `limit` entries with a cookie greater than `after`. Raises ENOENT if the task is gone."""
    node = decode(directory_id)
    if not who.is_there(k, node):
        raise SysError(ENOENT)
    found: list[Entry] = []
    for entry in _entries(k, directory_id, node, after):
        if len(found) == limit:
            break
        found.append(entry)
    return found


def _entries(k: Kernel, directory_id: int, node: Node, after: int) -> Iterator[Entry]:
    """All entries behind `after`, in the order of their cookies."""
    parent = k.inodes.peek(directory_id).parent
    kinds = ENTRIES[node.kind].below
    fixed = [(b".", directory_id, S_IFDIR), (b"..", parent, S_IFDIR)]
    fixed += [(name, encode(node._replace(kind=kind)), ENTRIES[kind].mode) for name, kind in kinds.items()]
    for cookie, (name, inode_id, mode) in enumerate(fixed, 1):
        if cookie > after:
            yield Entry(cookie, name, inode_id, mode >> 12)
    for number in _numbers(k, node, max(after + 1 - FIRST_NUMBERED, 0)):
        found = _numbered(k, node, number)
        if found is not None:
            yield Entry(FIRST_NUMBERED + number, b"%d" % number, encode(found), ENTRIES[found.kind].mode >> 12)


def _numbers(k: Kernel, node: Node, start: int) -> Iterator[int]:
    """The numbers from `start` on that are in a directory, ascending."""
    what = ENTRIES[node.kind].numbered
    if what == PIDS:
        pid = k.pids.next_taken(start)
        while pid is not None:
            if pid in k.groups:
                yield pid
            pid = k.pids.next_taken(pid + 1)
    elif what == TASKS:
        yield from (tid for tid in _tids(k, node.tgid) if tid >= start)
    elif what == FDS:
        yield from sorted(fd for fd in _descriptors(k, node) if fd >= start)


def _tids(k: Kernel, tgid: int) -> list[int]:
    """A process's tasks; the leader is among them as long as the process is, as a zombie if need be."""
    return sorted({tgid, *k.groups.peek(tgid).threads}) if tgid in k.groups else []


def _descriptors(k: Kernel, node: Node) -> dict[int, tuple[int, bool]]:
    """What a task has open; a zombie has nothing."""
    return k.fdtables.peek(k.tasks.peek(node.tid).fdtable).slots if node.tid in k.tasks else {}


def _numbered(k: Kernel, node: Node, number: int) -> Node | None:
    """What a number leads to. A thread that leads no process is found in /proc too, though it isn't listed."""
    what, child = ENTRIES[node.kind].numbered, ENTRIES[node.kind].child
    if what == PIDS:
        tgid = number if number in k.groups else k.tasks.peek(number).tgid if number in k.tasks else 0
        return Node(child, tgid, number, k.pids.serial(number)) if tgid else None
    if what == TASKS:
        if number not in _tids(k, node.tgid):
            return None
        return Node(child, node.tgid, number, k.pids.serial(number))
    return node._replace(kind=child, n=number) if number in _descriptors(k, node) else None


def _number(name: bytes) -> int | None:
    """Linux's name_to_int(): digits without a leading zero."""
    if not name.isdigit() or len(name) > _DIGITS or (name.startswith(b"0") and name != b"0"):
        return None
    return int(name)
