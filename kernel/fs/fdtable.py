"""Descriptor tables: which open file each number of a process stands for. See open(2), dup(2), fcntl(2).

A table belongs to one process, or to several tasks that were cloned with CLONE_FILES (`users` counts them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits
from kernel.errno import EBADF, EMFILE, SysError
from kernel.fs import file as files
from kernel.fs import locks
from kernel.fs.constants import O_PATH
from kernel.table import Record

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


class FdTable(Record):
    """`slots`: descriptor → (open file id, close on exec). Descriptors are 0 to RLIMIT_NOFILE - 1."""

    __slots__ = ("slots", "users")

    def __init__(self) -> None:
        self.slots: dict[int, tuple[int, bool]] = {}
        self.users = 1


def lowest_free(k: Kernel, t: Task, start: int = 0) -> int:
    """The lowest descriptor >= start that stands for nothing in the task's table. Raises EMFILE (RLIMIT_NOFILE)."""
    slots = k.fdtables.peek(t.fdtable).slots
    for fd in range(start, limits.soft(k, t, limits.NOFILE)):
        if fd not in slots:
            return fd
    raise SysError(EMFILE)


def file_id(table: FdTable, fd: int) -> int:
    """The open file that `fd` (an unsigned int, as the kernel takes it) stands for. Raises EBADF."""
    slot = table.slots.get(fd & 0xFFFFFFFF)
    if slot is None:
        raise SysError(EBADF)
    return slot[0]


def install(k: Kernel, table_id: int, fd: int, file_id: int, cloexec: bool) -> None:
    """Lets `fd` stand for the open file, whose user the table becomes. What `fd` stood for before is closed."""
    slots = k.fdtables[table_id].slots
    before = slots.get(fd)
    slots[fd] = (file_id, cloexec)
    if before is not None:
        close(k, table_id, before[0])


def remove(k: Kernel, table_id: int, fd: int) -> None:
    """Close one descriptor: close(2). Raises EBADF."""
    slot = k.fdtables[table_id].slots.pop(fd & 0xFFFFFFFF, None)
    if slot is None:
        raise SysError(EBADF)
    close(k, table_id, slot[0])


def close(k: Kernel, table_id: int, file_id: int) -> None:
    """A descriptor of the table is gone (filp_close() of Linux): the process's record locks on that file go, too."""
    if len(k.locks) and not k.files.peek(file_id).flags & O_PATH:
        locks.closed_by_process(k, table_id, k.files.peek(file_id).inode)
    files.release(k, file_id)


def fork_table(k: Kernel, table_id: int) -> int:
    """A child's own table: the same descriptors for the same open files, so that offsets stay common. See fork(2)."""
    child = FdTable()
    child.slots = dict(k.fdtables.peek(table_id).slots)
    for file_id, _ in child.slots.values():
        files.hold(k, file_id)
    return k.fdtables.add(child)


def share_table(k: Kernel, table_id: int) -> int:
    """CLONE_FILES: one more task has the same table."""
    k.fdtables[table_id].users += 1
    return table_id


def look_up(k: Kernel, t: Task, fd: int) -> int:
    """The open file of `fd` for a system call that may take a while. Raises EBADF.

    While others share the table, one of them could close the descriptor meanwhile: the call keeps what it has found
    until it is over (`let_go`), as fdget of Linux does. So a call that is made again after waiting finds it again.
    """
    fd &= 0xFFFFFFFF
    for known, file in t.held:
        if known == fd:
            return file
    table = k.fdtables.peek(t.fdtable)
    found = file_id(table, fd)
    if table.users > 1:
        files.hold(k, found)
        t.held = (*t.held, (fd, found))
    return found


def let_go(k: Kernel, t: Task) -> None:
    """The task's system call is over."""
    held, t.held = t.held, ()
    for _, file in held:
        files.release(k, file)


def close_table(k: Kernel, table_id: int) -> None:
    """A task has no more use for the table. The last one closes every descriptor, lowest first."""
    table = k.fdtables[table_id]
    table.users -= 1
    if table.users:
        return
    for fd in sorted(table.slots):
        close(k, table_id, table.slots[fd][0])
    k.fdtables.remove(table_id)


def unshare_table(k: Kernel, t: Task) -> None:
    """The task gets a table of its own, if it shares one: execve(2), unshare(2)."""
    shared = t.fdtable
    if k.fdtables.peek(shared).users > 1:
        t.fdtable = fork_table(k, shared)
        close_table(k, shared)


def close_on_exec(k: Kernel, table_id: int) -> None:
    """Closes the descriptors that execve(2) does not hand on."""
    table = k.fdtables[table_id]
    for fd in sorted(fd for fd, (_, cloexec) in table.slots.items() if cloexec):
        file_id, _ = table.slots.pop(fd)
        close(k, table_id, file_id)
