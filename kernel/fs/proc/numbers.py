"""The numbers of inodes in /proc, which say everything about them:

    | serial … 86 | tgid 85:64 | 0 | 1 | 0 | kind 51:44 | n 43:22 | tid 21:0 |
                                 63  62

`kind` is a row of tree.py; `tid` the task it is about (0: none), `n` a descriptor. `serial` tells the task from a later
one with the same number: pids are used again, these are not. Programs see the low 64 bits as st_ino.
"""

from __future__ import annotations

from typing import NamedTuple

FIRST = 1 << 62  # all inodes of /proc, and no others, have numbers from here on
ROOT = FIRST  # kind 0: the directory itself
PID, TASK = 1, 2  # kinds: /proc/PID and /proc/PID/task/TID
SHOWN = (1 << 64) - 1  # what programs see of an inode's number
_SMALL = (1 << 22) - 1  # pid_max is at most 1 << 22, and RLIMIT_NOFILE 1 << 20


class Node(NamedTuple):
    """What a number says. For /proc/PID of a thread that doesn't lead, `tid` is the thread."""

    kind: int
    tgid: int = 0
    tid: int = 0
    serial: int = 0
    n: int = 0


def encode(node: Node) -> int:
    """The inode's number."""
    low = FIRST | node.kind << 44 | node.n << 22 | node.tid
    return node.serial << 86 | node.tgid << 64 | low


def decode(inode_id: int) -> Node:
    """What the number of an inode in /proc says."""
    kind = inode_id >> 44 & 0xFF
    return Node(kind, inode_id >> 64 & _SMALL, inode_id & _SMALL, inode_id >> 86, inode_id >> 22 & _SMALL)


def is_immutable(inode_id: int) -> bool:
    """Is it the directory of a process or a task? Linux marks them S_IMMUTABLE: EPERM, whatever is to be changed."""
    return inode_id >= FIRST and inode_id >> 44 & 0xFF in (PID, TASK)
