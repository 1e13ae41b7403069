"""Which names there are in /proc, and what makes the content of each. proc(5) is the list of what could be there.

An entry is known by its kind, its index in ENTRIES. `below` are the kinds of a directory's fixed names; what else is in
a directory (processes, tasks, descriptors) has a number for a name: `numbered` says which, `child` is their kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kernel.fs.constants import S_IFDIR, S_IFLNK, S_IFREG
from kernel.fs.proc import (
    descriptors,
    machine,
    memory_map,
    page_view,
    process,
    smaps,
    sysctl,
    task_limits,
    task_stat,
    task_status,
)
from kernel.fs.proc.numbers import PID, TASK

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel

Show = Callable[["Kernel", "Who"], bytes]  # the whole content, made at once: Linux's seq_file
Numbered = Callable[["Kernel", "Who", int], bytes]  # the same of what has a number
Part = Callable[["Kernel", "Who", int, int], bytes]  # up to so many bytes from an offset, made as they are asked for
State = Callable[["Kernel"], bytes]  # as Show, of a file that is about no task
Store = Callable[["Kernel", "Who", bytes], None]

PIDS, TASKS, FDS = "pids", "tasks", "fds"  # what is numbered


class Entry(NamedTuple):
    """One kind of file. `private`: to be opened only by who may look into the task (who.may_look)."""

    name: bytes
    mode: int
    parent: int
    show: Show | None = None
    describe: Numbered | None = None
    part: Part | None = None
    state: State | None = None
    store: Store | None = None
    private: bool = False
    numbered: str = ""
    child: int = 0
    below: dict[bytes, int] = {}  # noqa: RUF012 - each directory gets its own


ROOT, TASK_DIRECTORY = 0, 3  # kinds, as PID and TASK of numbers.py
ENTRIES: list[Entry] = []
FD: list[int] = []  # the kinds of fd/N


def _add(entry: Entry) -> int:
    """Its kind. What has a number for a name has no name."""
    kind = len(ENTRIES)
    ENTRIES.append(entry)
    if entry.name:
        ENTRIES[entry.parent].below[entry.name] = kind
    return kind


def _directory(parent: int, name: bytes, mode: int = 0o555, numbered: str = "", child: int = 0) -> int:
    return _add(Entry(name, S_IFDIR | mode, parent, numbered=numbered, child=child, below={}))


def _links(parent: int, *names: bytes) -> None:
    for name in names:
        _add(Entry(name, S_IFLNK | 0o777, parent))


def _show(parent: int, name: bytes, show: Show, mode: int = 0o444, store: Store | None = None) -> None:
    _add(Entry(name, S_IFREG | mode, parent, show=show, store=store))


def _private(parent: int, name: bytes, show: Show) -> None:
    _add(Entry(name, S_IFREG | 0o444, parent, show=show, private=True))


def _part(parent: int, name: bytes, part: Part, mode: int) -> None:
    _add(Entry(name, S_IFREG | mode, parent, part=part, private=mode == 0o400))


def _state(parent: int, name: bytes, state: State) -> None:
    _add(Entry(name, S_IFREG | 0o444, parent, state=state))


def _of_both(parent: int) -> None:
    """What /proc/PID and /proc/PID/task/TID both have."""
    _show(parent, b"stat", task_stat.stat)
    _show(parent, b"status", task_status.status)
    _show(parent, b"statm", task_stat.statm)
    _show(parent, b"schedstat", task_stat.schedstat)
    _show(parent, b"comm", process.comm, 0o644, process.set_comm)
    _show(parent, b"limits", task_limits.limits)
    _show(parent, b"wchan", task_stat.wchan)
    _private(parent, b"maps", memory_map.maps)
    _private(parent, b"smaps", smaps.smaps)
    _private(parent, b"smaps_rollup", smaps.rollup)
    _private(parent, b"frames", page_view.frames)
    _part(parent, b"pagemap", page_view.pagemap, 0o400)
    _part(parent, b"cmdline", process.cmdline, 0o444)
    _part(parent, b"environ", process.environ, 0o400)
    _add(Entry(b"mounts", S_IFREG | 0o444, parent, state=machine.mounts))
    _links(parent, b"exe", b"cwd", b"root")
    _descriptors(parent)


def _descriptors(parent: int) -> None:
    here = len(ENTRIES)
    _directory(parent, b"fd", 0o500, FDS, here + 1)
    FD.append(_add(Entry(b"", S_IFLNK | 0o700, here)))
    _directory(parent, b"fdinfo", 0o555, FDS, here + 3)
    _add(Entry(b"", S_IFREG | 0o444, here + 2, describe=descriptors.fdinfo, private=True))


_directory(ROOT, b"", numbered=PIDS, child=PID)
_directory(ROOT, b"")
_directory(TASK_DIRECTORY, b"")
_directory(PID, b"task", numbered=TASKS, child=TASK)
_of_both(PID)
_of_both(TASK)
_links(ROOT, b"self", b"thread-self")
for _name, _make in (
    (b"meminfo", machine.meminfo),
    (b"uptime", machine.uptime),
    (b"loadavg", machine.loadavg),
    (b"stat", machine.stat),
    (b"version", machine.version),
    (b"cpuinfo", machine.cpuinfo),
    (b"filesystems", machine.filesystems),
):
    _state(ROOT, _name, _make)
_add(Entry(b"mounts", S_IFLNK | 0o777, ROOT))
_KERNEL = _directory(_directory(ROOT, b"sys"), b"kernel")
for _name, _make in (
    (b"pid_max", sysctl.pid_max),
    (b"ostype", sysctl.ostype),
    (b"osrelease", sysctl.osrelease),
    (b"version", sysctl.version),
    (b"hostname", sysctl.hostname),
    (b"domainname", sysctl.domainname),
):
    _state(_KERNEL, _name, _make)
