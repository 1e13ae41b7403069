"""Files that are neither bytes nor places: eventfd, pidfd, sockets and their kin. What each does is a `Kind` in KINDS.

Such a file is an inode without a name whose `driver` names its kind and whose `number` is the row of that kind's own
table (a pidfd's is the pid). The module of a kind puts it into KINDS and is imported by whoever makes such files, so
that a machine that has none pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kernel import credentials
from kernel.errno import EINVAL, ENFILE, SysError
from kernel.fs import fdtable, file
from kernel.fs import inode as inodes
from kernel.fs.constants import O_CLOEXEC, O_NONBLOCK, O_RDWR
from kernel.fs.inode import Inode

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.fs.readiness import Readiness
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel
    from kernel.task import Task

Transfer = Callable[["Kernel", "Task", int, "UserBuffer", int], int]


def refuse(k: Kernel, t: Task, number: int, buffer: UserBuffer, flags: int) -> int:
    """read or write of a file that has none. Raises EINVAL."""
    raise SysError(EINVAL)


def nothing(k: Kernel, number: int) -> None:
    """The last close of a file that holds nothing."""


class Kind(NamedTuple):
    """What such files do. `number` is the inode's; `flags` are the open file's.

    read, write  (k, t, number, buffer, flags) → bytes moved, as transfer.read and write
    poll         (k, t, open file, number, wanted events) → Readiness
    closed       (k, number): the last descriptor is gone, and the inode goes with it
    """

    read: Transfer
    write: Transfer
    poll: Callable[[Kernel, Task, OpenFile, int, int], Readiness]
    closed: Callable[[Kernel, int], None] = nothing
    waiting: Callable[[Kernel, int], int] | None = None  # FIONREAD
    seekable: bool = False  # lseek answers 0 instead of ESPIPE


KINDS: dict[str, Kind] = {}


def kind_of(inode: Inode) -> Kind | None:
    """The kind of file that an inode is, None for one that isn't special."""
    return KINDS.get(inode.driver)


def add(k: Kernel, driver: str, number: int, mode: int, flags: int) -> int:
    """An open file of a new inode without a name; returns its id, with one user. Raises ENFILE."""
    from kernel.fs.setup import PIPE_MOUNT

    user = credentials.owner(k)
    node = Inode(mode, PIPE_MOUNT, user, user, inodes.now(k))
    node.driver, node.number, node.nlink = driver, number, 0
    file.check_limit(k)
    try:
        inode_id = inodes.add(k, node)
    except SysError:
        raise SysError(ENFILE) from None
    return file.add(k, inode_id, flags)


def make(
    k: Kernel,
    t: Task,
    driver: str,
    number: Callable[[], int],
    flags: int,
    kept: int = O_NONBLOCK,
    mode: int = 0o600,
) -> int:
    """A descriptor for a new anonymous file (without a type, as Linux shows them), open for both directions.

    `number()` makes what stands behind it, once nothing can fail any more. Of `flags` O_CLOEXEC counts, and the open
    file keeps those in `kept`. Raises EMFILE, ENFILE.
    """
    fd = require_room(k, t)
    opened = add(k, driver, number(), mode, O_RDWR | flags & kept)
    fdtable.install(k, t.fdtable, fd, opened, bool(flags & O_CLOEXEC))
    return fd


def require_room(k: Kernel, t: Task) -> int:
    """The descriptor that `make` will give out next. Raises EMFILE, ENFILE."""
    fd = fdtable.lowest_free(k, t)
    file.check_limit(k)
    if len(k.inodes) >= inodes.limit(k):
        raise SysError(ENFILE)
    return fd
