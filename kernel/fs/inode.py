"""Inodes: what a file is, whatever it is called and whoever has it open. See inode(7).

An inode is plain data in the table `k.inodes`, named by its id, which is also its st_ino. It lives as long as it has a
name (`nlink` > 0) or somebody holds it (`users` > 0: an open file, a working directory, a mapping); `release` and
`unlinked` free it, and its pages, when both are zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.errno import ENOSPC, SysError
from kernel.fs.constants import F_SEAL_SEAL, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from kernel.fs.proc import numbers as proc
from kernel.table import Record

if TYPE_CHECKING:
    from kernel.kernel import Kernel

# Where a file's content comes from until it is in memory: ("program", name) for /bin, ("host", component, …) for a
# host mount, the components below the mount's root. (): it was made in the machine.
Source = tuple[str | bytes, ...]


class Inode(Record):
    """One file of any type; fields that a type has no use for keep their first value.

    `users` is changed by hold() and release() alone, `entries` by kernel/fs/directory.py alone.
    """

    __slots__ = (
        "mode",  # type and permission bits, as st_mode
        "uid",
        "gid",
        "nlink",  # names that lead here; a directory starts with two
        "users",  # who holds it without a name
        "mount",  # id of the mount it belongs to
        "accessed",  # st_atime, ns since the epoch
        "modified",  # st_mtime
        "changed",  # st_ctime
        "source",  # where the content comes from; () if made in the machine
        "fetched",  # False: the source has not been asked for its size yet
        "stamp",  # what the host's file was when it was looked at: (st_dev, st_ino, st_size, st_mtime_ns)
        # regular files
        "size",
        "linkable",  # made without a name, and may get one: O_TMPFILE of open(2)
        "seals",  # F_SEAL_... bits: what may not be done to it any more
        "source_size",  # bytes of the source that still show; the file has been cut to this size at least once
        "dirty",  # indexes of the pages that were written in the machine (files of host mounts)
        "parent",  # id of the directory that it is named in, as naming.py says; the root's is its own
        "name",  # what that directory calls it
        # directories
        "entries",  # name → (inode id, cookie); cookies only grow, so a directory stream keeps its place
        "next_cookie",
        "removed",  # names of the source that were removed in the machine → `removed` of the directory it was, or None
        # symbolic links
        "target",
        # devices and fifos
        "driver",  # kernel/fs/device.py's name for the device
        "number",  # st_rdev of a device; the pipe's id of a fifo
    )

    def __init__(self, mode: int, mount: int, uid: int = 0, gid: int = 0, now: int = 0) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.nlink = 2 if mode & S_IFMT == S_IFDIR else 1
        self.users = 0
        self.mount = mount
        self.accessed = now
        self.modified = now
        self.changed = now
        self.source: Source = ()
        self.fetched = True
        self.stamp: tuple[int, ...] = ()
        self.size = 0
        self.linkable = False
        self.seals = F_SEAL_SEAL
        self.source_size = 0
        self.dirty: dict[int, bool] = {}
        self.entries: dict[bytes, tuple[int, int]] = {}
        self.next_cookie = 3  # 1 and 2 are `.` and `..`
        self.parent = 0
        self.name = b""
        self.removed: dict[bytes, Any] = {}
        self.target = b""
        self.driver = ""
        self.number = 0

    def is_directory(self) -> bool:
        """Can names be looked up in it?"""
        return self.mode & S_IFMT == S_IFDIR

    def is_regular(self) -> bool:
        """Is it bytes in the page cache?"""
        return self.mode & S_IFMT == S_IFREG

    def is_symlink(self) -> bool:
        """Does a walk go on with its target?"""
        return self.mode & S_IFMT == S_IFLNK


def now(k: Kernel) -> int:
    """The guest's wall clock in ns: the same in every run of the same program."""
    return k.door.wall_clock + k.now


def add(k: Kernel, inode: Inode) -> int:
    """Puts a new inode into the table. Raises ENOSPC when there are as many as this machine may have."""
    if len(k.inodes) >= limit(k):
        raise SysError(ENOSPC)
    return k.inodes.add(inode)


def limit(k: Kernel) -> int:
    """Inodes lie outside the guest's RAM, so RAM bounds their number instead, as in tmpfs(5), nr_inodes."""
    return max(65536, k.machine.ram.frames // 2)


def hold(k: Kernel, inode_id: int) -> None:
    """Keeps the inode even if its last name goes away; pairs with release(). Those of /proc need no keeping."""
    if inode_id < proc.FIRST:
        k.inodes[inode_id].users += 1


def release(k: Kernel, inode_id: int) -> None:
    """Gives back one hold(); frees the inode and its pages if nothing needs them any more."""
    if inode_id >= proc.FIRST:
        return
    inode = k.inodes[inode_id]
    inode.users -= 1
    _free_if_unused(k, inode_id, inode)


def unlinked(k: Kernel, inode_id: int) -> None:
    """One name of the inode is gone; an empty directory loses both links at once."""
    inode = k.inodes[inode_id]
    inode.nlink -= 2 if inode.is_directory() else 1
    inode.changed = now(k)
    _free_if_unused(k, inode_id, inode)


def _free_if_unused(k: Kernel, inode_id: int, inode: Inode) -> None:
    while not inode.users and inode.nlink <= 0:
        if inode.is_regular():
            k.page_cache.truncate(k, inode_id, 0)
        k.inodes.remove(inode_id)
        if not inode.is_directory():
            return
        inode_id = inode.parent  # which the directory held, so that its `..` leads somewhere
        inode = k.inodes[inode_id]
        inode.users -= 1
