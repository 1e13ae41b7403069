"""An inode of /proc, made from its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.fs import inode as inodes
from kernel.fs.constants import S_IFDIR, S_IFLNK, S_IFMT
from kernel.fs.inode import Inode
from kernel.fs.proc import links, who
from kernel.fs.proc.numbers import PID, TASK, Node, decode, encode
from kernel.fs.proc.tree import ENTRIES, FD, TASKS

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_FD_LINK_SIZE = 64  # st_size of fd/N, whatever its text is (Linux's proc_fd_instantiate)
MOUNT = 5  # its id in k.mounts (kernel/fs/setup.py)


def make(k: Kernel, inode_id: int) -> Inode:
    """What the number says, as it is now. Of a task that is gone, what an open descriptor still shows."""
    node = decode(inode_id)
    entry = ENTRIES[node.kind]
    about = who.find(k, node, True)
    uid, gid = who.owner(k, about, entry.mode)
    inode = Inode(entry.mode, MOUNT, uid, gid, inodes.now(k))
    inode.name = _name(node)
    inode.parent = encode(_parent(k, node)) if node.kind else k.root_inode
    if inode.is_directory():
        inode.nlink = _links(k, node) if about is not None or not node.tid else 0
    elif inode.is_symlink():
        inode.target = links.text(k, node)
        if node.kind in FD:
            inode.mode, inode.size = S_IFLNK | _opened_for(k, node), _FD_LINK_SIZE
    return inode


def _name(node: Node) -> bytes:
    if node.kind in (PID, TASK):
        return b"%d" % node.tid
    return ENTRIES[node.kind].name or (b"%d" % node.n if node.kind else b"proc")


def _opened_for(k: Kernel, node: Node) -> int:
    """The permission bits of fd/N, which tell how the file is open."""
    task = k.tasks.peek(node.tid) if node.tid in k.tasks else None
    slot = None if task is None else k.fdtables.peek(task.fdtable).slots.get(node.n)
    file = None if slot is None else k.files.peek(slot[0])
    if file is None:
        return 0
    return (0o500 if file.readable() else 0) | (0o300 if file.writable() else 0)


def _parent(k: Kernel, node: Node) -> Node:
    """The directory around it."""
    kind = ENTRIES[node.kind].parent
    if node.kind == PID:
        return Node(kind)
    if node.kind == TASK:
        return Node(kind, node.tgid, node.tgid, k.pids.serial(node.tgid))
    return node._replace(kind=kind, n=0)


def _links(k: Kernel, node: Node) -> int:
    """Two, and one for each directory in it."""
    entry = ENTRIES[node.kind]
    fixed = sum(ENTRIES[kind].mode & S_IFMT == S_IFDIR for kind in entry.below.values())
    numbered = (
        len(k.groups) if not node.kind else len(k.groups.peek(node.tgid).threads) if entry.numbered == TASKS else 0
    )
    return 2 + fixed + numbered
