"""The process table of a machine, looked at from outside: what `forkyard ps` and `forkyard pstree` print.

A moment has to be chosen, because at the end of a run nobody is left. `--at N` is when N instructions have retired.
Without it, it is when the run had most processes and threads: right when the first of those that there were then ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forkyard import errors
from kernel.events import Exit, Fork, ThreadExit
from kernel.fs.proc import process, who
from kernel.fs.proc.numbers import PID, Node
from vm.ram import PAGE

if TYPE_CHECKING:
    from forkyard.session import Session
    from kernel.kernel import Kernel

_COMMAND = 4096  # bytes of a command line


class Row(NamedTuple):
    """One process, alive or a zombie. `memory` is the pid of the process whose memory it uses (vfork), or 0."""

    pid: int
    parent: int
    pgid: int
    sid: int
    state: str
    threads: tuple[int, ...]
    resident: int
    instructions: int
    memory: int
    name: str
    command: str


class Moment(NamedTuple):
    """The table when so many instructions had retired."""

    retired: int
    rows: list[Row]


def look(session: Session, at: int | None) -> Moment:
    """Runs the program and returns the table at the moment that was asked for. Raises UserError if there is none."""
    return _most(session.kernel) if at is None else _at(session.kernel, at)


def _at(k: Kernel, at: int) -> Moment:
    if k.run(at).kind != "paused" and not len(k.groups):
        raise errors.UserError(f"at {at} instructions nobody is left: the program ended after {k.machine.retired}")
    return Moment(k.machine.retired, rows(k))


def _most(k: Kernel) -> Moment:
    """Watches births and ends: a table is made when the first task ends after there were more than ever before."""
    most, due, found = 1, True, Moment(0, [])

    def born(event: Fork) -> None:
        nonlocal most, due
        there = len(k.tasks) + k.zombies
        due = due or there > most
        most = max(most, there)

    def ended(event: Exit | ThreadExit) -> None:
        nonlocal due, found
        if due:
            due, found = False, Moment(k.machine.retired, rows(k))

    k.events.on(Fork, born)
    k.events.on(Exit, ended)
    k.events.on(ThreadExit, ended)
    k.run()
    return Moment(k.machine.retired, rows(k)) if due and len(k.groups) else found


def rows(k: Kernel) -> list[Row]:
    """Everybody, by pid."""
    users: dict[int, int] = {}
    return [_row(k, tgid, users) for tgid in k.groups.ids()]


def _row(k: Kernel, tgid: int, users: dict[int, int]) -> Row:
    """`users`: address space → the process that was found to use it first."""
    about = who.find(k, Node(PID, tgid, tgid, k.pids.serial(tgid)), True)
    assert about is not None
    group, mm = about.group, who.mm_of(k, about)
    name = who.comm(about).decode("utf-8", "backslashreplace")
    words = process.cmdline(k, about, 0, _COMMAND).decode("utf-8", "backslashreplace").rstrip("\0").split("\0")
    threads = tuple(tid for tid in group.threads if tid != tgid)
    first = tgid if about.task is None else users.setdefault(about.task.mm, tgid)
    return Row(
        tgid,
        group.parent,
        group.pgid,
        group.sid,
        who.state(about),
        threads,
        0 if mm is None else mm.resident * PAGE // 1024,
        who.run_time(k, about),
        first if first != tgid else 0,
        name,
        f"[{name}] <defunct>" if mm is None else " ".join(words) or f"[{name}]",
    )


def _notes(row: Row) -> str:
    """What can't be seen in a line of ps: threads, and memory that isn't its own."""
    threads = f"  (threads {', '.join(map(str, row.threads))})" if row.threads else ""
    return threads + (f"  (in the memory of {row.memory})" if row.memory else "")


def table(moment: Moment) -> str:
    """One line for each process."""
    lines = ["  PID  PPID  PGID   SID S   RSS kB    INSTRUCTIONS COMMAND\n"]
    for r in moment.rows:
        numbers = f"{r.pid:5} {r.parent:5} {r.pgid:5} {r.sid:5} {r.state} {r.resident:8} {r.instructions:15}"
        lines.append(f"{numbers} {r.command}{_notes(r)}\n")
    return "".join(lines)


def tree(moment: Moment) -> str:
    """Each process below its parent."""
    children: dict[int, list[Row]] = {}
    for row in moment.rows:
        children.setdefault(row.parent, []).append(row)
    lines: list[str] = []
    todo = [(row, "", "") for row in reversed(children.get(0, []))]  # what hangs left of a name, and of those below it
    while todo:
        row, before, below = todo.pop()
        defunct = " <defunct>" if row.state == "Z" else ""
        lines.append(f"{before}{row.pid} {row.name}{defunct}{_notes(row)}\n")
        family = children.get(row.pid, [])
        for index in range(len(family) - 1, -1, -1):
            last = index == len(family) - 1
            todo.append((family[index], below + ("`- " if last else "|- "), below + ("   " if last else "|  ")))
    return "".join(lines)
