"""Open files: what a descriptor stands for, shared by every descriptor that dup and fork made of it: open(2), NOTES.

The offset lives here, not in the descriptor: that is why a parent and its child go on reading where the other stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import ENFILE, SysError
from kernel.fs import inode as inodes
from kernel.fs import locks, pipe
from kernel.fs.constants import O_ACCMODE, O_PATH, O_RDONLY, O_RDWR, O_WRONLY, S_IFIFO, S_IFMT
from kernel.table import Record

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class OpenFile(Record):
    """`flags` are what F_GETFL shows; `offset` is in bytes (in a directory: the cookie of the last entry given).

    `view` is of files of /proc: (offset, what a read that goes on there will get), or None. kernel/fs/proc/content.py
    `before_writers` is of a fifo that was opened for reading before anybody wrote: the pipe's arrived_writers then.
    """

    __slots__ = ("inode", "flags", "offset", "users", "view", "before_writers")

    def __init__(self, inode: int, flags: int) -> None:
        self.inode = inode
        self.flags = flags
        self.offset = 0
        self.view: tuple[int, bytes] | None = None
        self.before_writers: int | None = None
        self.users = 1  # descriptors, and system calls under way, that refer to it

    def readable(self) -> bool:
        """Was it opened for reading?"""
        return self.flags & O_ACCMODE in (O_RDONLY, O_RDWR) and not self.flags & O_PATH

    def writable(self) -> bool:
        """Was it opened for writing?"""
        return self.flags & O_ACCMODE in (O_WRONLY, O_RDWR) and not self.flags & O_PATH


def limit(k: Kernel) -> int:
    """Open files of the whole machine: /proc/sys/fs/file-max, which proc(5) derives from the size of RAM."""
    return max(8192, k.machine.ram.frames * 4 // 10)


def check_limit(k: Kernel, wanted: int = 1) -> None:
    """Raises ENFILE if the machine can't have `wanted` more open files."""
    if len(k.files) + wanted > limit(k):
        raise SysError(ENFILE)


def add(k: Kernel, inode_id: int, flags: int) -> int:
    """Opens an inode that has passed every check; returns the open file's id, with one user. Raises ENFILE."""
    check_limit(k)
    inodes.hold(k, inode_id)
    file = OpenFile(inode_id, flags)
    file_id = k.files.add(file)
    if _is_pipe(k, file):
        pipe.opened(k, k.inodes.peek(inode_id).number, file.readable(), file.writable())
    return file_id


def hold(k: Kernel, file_id: int) -> None:
    """One more descriptor refers to the open file."""
    k.files[file_id].users += 1


def release(k: Kernel, file_id: int) -> None:
    """One descriptor less; the last one closes the file, and the end of a pipe with it."""
    file = k.files[file_id]
    file.users -= 1
    if file.users:
        return
    if _is_pipe(k, file):
        _close_pipe(k, file)
    elif k.inodes.peek(file.inode).driver and not file.flags & O_PATH:
        _close_special(k, file)
    if len(k.locks):
        locks.closed_file(k, file_id, file.inode)
    k.files.remove(file_id)
    inodes.release(k, file.inode)


def _is_pipe(k: Kernel, file: OpenFile) -> bool:
    return k.inodes.peek(file.inode).mode & S_IFMT == S_IFIFO and not file.flags & O_PATH


def _close_pipe(k: Kernel, file: OpenFile) -> None:
    inode = k.inodes[file.inode]
    pipe.closed(k, inode.number, file.readable(), file.writable())
    if inode.number not in k.pipes:
        inode.number = 0  # the name of a fifo stays, to be opened again


def _close_special(k: Kernel, file: OpenFile) -> None:
    from kernel.fs import special

    inode = k.inodes.peek(file.inode)
    kind = special.kind_of(inode)
    if kind is not None:
        kind.closed(k, inode.number)
