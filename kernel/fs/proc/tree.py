"""Which names there are in /proc, and what makes the content of each. proc(5) is the list of what could be there.

An entry is known by its kind, its index in ENTRIES. `below` are the kinds of a directory's fixed names; what else is in
a directory (processes, tasks, descriptors) says `numbered`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kernel.fs.constants import S_IFDIR, S_IFLNK, S_IFREG
from kernel.fs.proc import memory_map, process, task_stat, task_status
from kernel.fs.proc.numbers import PID, TASK

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel

Show = Callable[["Kernel", "Who"], bytes]  # the whole content, made at once: Linux's seq_file
Part = Callable[["Kernel", "Who", int, int], bytes]  # up to so many bytes from an offset, made as they are asked for
State = Callable[["Kernel"], bytes]  # as Show, of a file that is about no task
Store = Callable[["Kernel", "Who", bytes], None]

PIDS, TASKS, FDS, FDINFOS = "pids", "tasks", "fds", "fdinfos"  # what is numbered


class Entry(NamedTuple):
    """One kind of file."""

    name: bytes
    mode: int
    parent: int
    show: Show | None = None
    part: Part | None = None
    state: State | None = None
    store: Store | None = None
    numbered: str = ""
    below: dict[bytes, int] = {}  # noqa: RUF012 - each directory gets its own


ROOT, TASK_DIRECTORY = 0, 3  # kinds, as PID and TASK of numbers.py
ENTRIES: list[Entry] = []


def _add(entry: Entry) -> int:
    kind = len(ENTRIES)
    ENTRIES.append(entry)
    if entry.name:
        ENTRIES[entry.parent].below[entry.name] = kind
    return kind


def _directory(parent: int, name: bytes, mode: int = 0o555, numbered: str = "") -> int:
    return _add(Entry(name, S_IFDIR | mode, parent, numbered=numbered, below={}))


def _link(parent: int, *names: bytes) -> None:
    for name in names:
        _add(Entry(name, S_IFLNK | 0o777, parent))


def _show(parent: int, name: bytes, show: Show, mode: int = 0o444, store: Store | None = None) -> None:
    _add(Entry(name, S_IFREG | mode, parent, show=show, store=store))


def _part(parent: int, name: bytes, part: Part, mode: int) -> None:
    _add(Entry(name, S_IFREG | mode, parent, part=part))


def _of_both(parent: int) -> None:
    """What /proc/PID and /proc/PID/task/TID both have."""
    _show(parent, b"stat", task_stat.stat)
    _show(parent, b"status", task_status.status)
    _show(parent, b"statm", task_stat.statm)
    _show(parent, b"schedstat", task_stat.schedstat)
    _show(parent, b"comm", process.comm, 0o644, process.set_comm)
    _show(parent, b"wchan", task_stat.wchan)
    _show(parent, b"maps", memory_map.maps)
    _part(parent, b"cmdline", process.cmdline, 0o444)
    _part(parent, b"environ", process.environ, 0o400)


_directory(ROOT, b"", numbered=PIDS)
_directory(ROOT, b"")
_directory(TASK_DIRECTORY, b"")
_directory(PID, b"task", numbered=TASKS)
_of_both(PID)
_of_both(TASK)
_link(ROOT, b"self", b"thread-self")
