"""pidfds: descriptors that stand for a process, or with PIDFD_THREAD for a thread. See pidfd_open(2). As of Linux 6.18.

There is nothing to read; a pidfd is ready to be read once its process has ended, and hung up once that was reaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import pid_refs
from kernel.errno import EBADF, SysError
from kernel.fs import fdtable, special
from kernel.fs.constants import O_CLOEXEC, O_NONBLOCK
from kernel.fs.readiness import POLLHUP, READABLE, Readiness

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.kernel import Kernel
    from kernel.task import Task

DRIVER = "[pidfd]"
PIDFD_NONBLOCK = O_NONBLOCK
PIDFD_THREAD = 0o200  # O_EXCL's bit


def make(k: Kernel, t: Task, pid: int, flags: int) -> int:
    """A descriptor (close-on-exec) for a process, or a thread, that is there. Raises EMFILE, ENFILE.

    `flags`: PIDFD_NONBLOCK, PIDFD_THREAD.
    """
    kept = PIDFD_NONBLOCK | PIDFD_THREAD
    return special.make(k, t, DRIVER, lambda: pid_refs.hold(k, pid), flags | O_CLOEXEC, kept, 0o700)


def look_up(k: Kernel, t: Task, fd: int) -> tuple[int, int]:
    """(pid, 0 if it is gone; the open file's flags) of a pidfd. Raises EBADF."""
    found = k.files.peek(fdtable.file_id(k.fdtables.peek(t.fdtable), fd))
    inode = k.inodes.peek(found.inode)
    if inode.driver != DRIVER:
        raise SysError(EBADF)
    return k.pid_refs.peek(inode.number).pid, found.flags


def _poll(k: Kernel, t: Task, opened: OpenFile, row: int, wanted: int) -> Readiness:
    pid = k.pid_refs.peek(row).pid
    keys = (("pidfd", row),)
    if not pid:
        return Readiness(READABLE | POLLHUP)
    ended = pid not in k.tasks if opened.flags & PIDFD_THREAD else k.groups.peek(pid).zombie
    return Readiness(READABLE if ended else 0, keys)


special.KINDS[DRIVER] = special.Kind(special.refuse, special.refuse, _poll, pid_refs.release)
