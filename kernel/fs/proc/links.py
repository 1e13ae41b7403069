"""The symbolic links of /proc: what readlink(2) says of them, and where they lead.

self and thread-self are words for the task on the hart. exe, cwd, root and fd/N are more than their text: a walk goes
straight to the file (path.py), even if its name is gone or it never had one, as with a pipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EACCES, ENOENT, SysError
from kernel.fs import naming
from kernel.fs.proc import who
from kernel.fs.proc.numbers import decode
from kernel.fs.proc.tree import ENTRIES, FD

if TYPE_CHECKING:
    from kernel.fs.proc.numbers import Node
    from kernel.kernel import Kernel
    from kernel.task import Task


def text(k: Kernel, node: Node) -> bytes:
    """What readlink says. b"" if there is nothing to lead to."""
    name = ENTRIES[node.kind].name
    if name == b"mounts":
        return b"self/mounts"
    if name in (b"self", b"thread-self"):
        return _own(k, name)
    inode_id = _file(k, node)
    return b"" if inode_id is None else naming.name_of(k, inode_id)


def follow(k: Kernel, t: Task, inode_id: int) -> int | None:
    """The inode that a link leads straight to; None for one whose text is walked. Raises ENOENT, EACCES."""
    node = decode(inode_id)
    if not node.tid:
        return None
    require(k, t, inode_id)
    found = _file(k, node)
    if found is None:
        raise SysError(ENOENT)
    return found


def require(k: Kernel, t: Task, inode_id: int) -> None:
    """Before a link is read or followed: raises EACCES if the task is another user's, ENOENT if it is gone."""
    node = decode(inode_id)
    about = who.find(k, node, True)
    if not node.tid:
        return
    if about is None or about.task is None:
        raise SysError(ENOENT)
    if not who.may_look(k, t, about):
        raise SysError(EACCES)


def _own(k: Kernel, name: bytes) -> bytes:
    """Who asks: the process, or the thread."""
    if k.current not in k.tasks:
        return b""
    task = k.tasks.peek(k.current)
    return b"%d" % task.tgid if name == b"self" else b"%d/task/%d" % (task.tgid, task.tid)


def _file(k: Kernel, node: Node) -> int | None:
    """The inode behind exe, cwd, root or fd/N."""
    about = who.find(k, node, True)
    if about is None or about.task is None:
        return None
    if node.kind in FD:
        slot = k.fdtables.peek(about.task.fdtable).slots.get(node.n)
        return None if slot is None else k.files.peek(slot[0]).inode
    name = ENTRIES[node.kind].name
    if name == b"exe":
        return k.mms.peek(about.task.mm).exe or None
    return k.fs_structs.peek(about.task.fs).cwd if name == b"cwd" else k.root_inode
