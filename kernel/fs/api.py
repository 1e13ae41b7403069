"""The file system's face to the rest of the kernel: what fork, exec, exit, boot and the checker need of it.

System calls about files (kernel/syscalls/{files,paths,pipes}.py) use the modules behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from kernel.errno import EACCES, SysError
from kernel.fs import access, busy, pipe, regular, socketpair
from kernel.fs.constants import AT_FDCWD, X_OK
from kernel.fs.fdtable import close_on_exec, close_table, fork_table, let_go, share_table, unshare_table
from kernel.fs.inode import Inode
from kernel.fs.inode import hold as hold_inode
from kernel.fs.inode import release as release_inode
from kernel.fs.path import path_of, resolve
from kernel.fs.setup import init, open_console
from kernel.fs.terminal import pids as pids_of_terminals
from kernel.fs.terminal import shut_down as shut_down_terminal
from kernel.fs.terminal import take as take_terminal

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel

__all__ = [
    "AT_FDCWD",
    "cached",
    "close_on_exec",
    "close_table",
    "executable",
    "findings",
    "flush",
    "fork_table",
    "frames_in_use",
    "hold_inode",
    "init",
    "inode",
    "let_go",
    "open_console",
    "path_of",
    "pids_of_terminals",
    "read_inode",
    "release_inode",
    "resolve",
    "shut_down_terminal",
    "take_terminal",
    "share_table",
    "unshare_table",
    "written",
]

read_inode = regular.read_bytes
written = regular.written


def frames_in_use(k: Kernel) -> Iterator[int]:
    """Every frame that a pipe or a socket holds, as ppn."""
    yield from pipe.frames_in_use(k)
    yield from socketpair.frames_in_use(k)


def inode(k: Kernel, inode_id: int) -> Inode:
    """The inode, for reading, with its size known (a program of /bin is made now). Raises EIO."""
    return regular.fetch(k, inode_id)


def cached(k: Kernel, inode_id: int) -> Collection[int]:
    """The indexes of the file's pages that are in the page cache."""
    return k.page_cache.indexes(inode_id)


def executable(k: Kernel, cred: Cred, inode_id: int) -> Inode:
    """The inode if execve(2) may run it: a regular file with execute permission. Raises EACCES, ETXTBSY, EIO."""
    file = k.inodes.peek(inode_id)
    if not file.is_regular() or not access.allowed(cred, file, X_OK):
        raise SysError(EACCES)
    busy.require_not_written(k, inode_id)
    return regular.fetch(k, inode_id)


def findings(k: Kernel) -> list[str]:
    """What doesn't agree among files, one line each: for kernel/check.py."""
    from kernel.fs import check

    return check.check(k)


def flush(k: Kernel) -> list[str]:
    """Carries what was written to `rw` mounts out to the host; returns what went wrong, one message each.

    To be called once, when a live run has ended: a machine that was set back or is explored must not touch the host.
    """
    messages: list[str] = []
    for mount_id in k.mounts.ids():
        mount = k.mounts.peek(mount_id)
        if mount.host >= 0 and mount.writable:
            from kernel.fs import host_flush

            messages += host_flush.flush(k, mount_id)
    return messages
