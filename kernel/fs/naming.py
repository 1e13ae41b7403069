"""What a file is called, for people: where /proc shows an open file, a mapping, a program or a working directory.

An inode knows the directory and the name by which it was entered or opened last (`parent`, `name`). With one name,
which is the rule, that is what Linux's dentry says: rename enters it anew. When that name goes away the path becomes
text: `name` is then all of it, and `parent` is 0. What never had a path has such a text from the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.fs.constants import S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK
from kernel.fs.device import NAMELESS
from kernel.fs.proc.numbers import FIRST

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel

DELETED = b" (deleted)"
_WITHOUT_PATH = {S_IFIFO: b"pipe", S_IFSOCK: b"socket"}


def name_of(k: Kernel, inode_id: int) -> bytes:
    """The path, with " (deleted)" behind it if it leads there no longer; of what never had one, what it is."""
    inode = k.inodes.peek(inode_id)
    if inode.mode & S_IFMT == S_IFCHR and inode.driver in NAMELESS:
        return b"/dev/console"
    if not inode.mode & S_IFMT:
        return b"anon_inode:%s" % inode.driver.encode()
    if not inode.parent:
        kind = _WITHOUT_PATH.get(inode.mode & S_IFMT)
        return inode.name + DELETED if kind is None else b"%s:[%d]" % (kind, inode_id)
    return _path(k, inode_id, inode) + (b"" if _is_entered(k, inode_id, inode) else DELETED)


def _path(k: Kernel, inode_id: int, inode: Inode) -> bytes:
    """The names from the root to the inode."""
    names: list[bytes] = []
    while inode_id != k.root_inode:
        names.append(inode.name)
        inode_id = inode.parent
        inode = k.inodes.peek(inode_id)
    return b"/" + b"/".join(reversed(names))


def _is_entered(k: Kernel, inode_id: int, inode: Inode) -> bool:
    if inode.is_directory():
        return bool(inode.nlink)
    if inode_id >= FIRST:
        return bool(k.inodes.peek(inode.parent).nlink)
    entry = k.inodes.peek(inode.parent).entries.get(inode.name)
    return entry is not None and entry[0] == inode_id


def opened_by(k: Kernel, inode_id: int, parent: int, name: bytes) -> None:
    """A file that has, or had, several names was opened by this one."""
    inode = k.inodes.peek(inode_id)
    if name and (inode.nlink > 1 or not inode.parent) and not inode.is_directory() and inode_id < FIRST:
        changed = k.inodes[inode_id]
        changed.parent, changed.name = parent, name


def left(k: Kernel, inode_id: int, parent: int, name: bytes) -> None:
    """The name is about to go. Directories keep theirs, and their parents, as long as they exist."""
    inode = k.inodes.peek(inode_id)
    if (inode.parent, inode.name) == (parent, name) and not inode.is_directory() and (inode.users or inode.nlink > 1):
        changed = k.inodes[inode_id]
        changed.name, changed.parent = _path(k, inode_id, inode), 0


def escape(name: bytes, special: bytes) -> bytes:
    """Bytes of `special` as \\ooo: how a path is written into a file that has one line for each thing."""
    return b"".join(b"\\%03o" % byte if byte in special else bytes((byte,)) for byte in name)
