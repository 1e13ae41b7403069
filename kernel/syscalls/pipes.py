"""System calls that make pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EINVAL, ENFILE, SysError
from kernel.fs import fdtable, file, inode
from kernel.fs.constants import O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY, S_IFIFO
from kernel.fs.inode import Inode
from kernel.fs.pipe import Pipe
from kernel.fs.setup import PIPE_MOUNT
from kernel.syscalls.table import syscall
from kernel.user_memory import copy_out

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(59, "pipe2", "pipefd*", "flags")
def sys_pipe2(k: Kernel, t: Task, address: int, flags: int) -> int:
    """pipe2(2): stores the reading and the writing descriptor, two ints. Raises EINVAL, ENFILE, EMFILE, EFAULT."""
    flags &= 0xFFFFFFFF
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT):
        raise SysError(EINVAL)
    file.check_limit(k, 2)
    reader = fdtable.lowest_free(k, t)
    writer = fdtable.lowest_free(k, t, reader + 1)
    copy_out(k, t, address, reader.to_bytes(4, "little") + writer.to_bytes(4, "little"))
    for fd, file_id in zip((reader, writer), _make(k, t.cred, flags), strict=True):
        fdtable.install(k, t.fdtable, fd, file_id, bool(flags & O_CLOEXEC))
    return 0


def _make(k: Kernel, cred: Cred, flags: int) -> tuple[int, int]:
    """A new pipe, open at both ends; closing them frees it."""
    node = Inode(S_IFIFO | 0o600, PIPE_MOUNT, cred.fsuid, cred.fsgid, inode.now(k))
    node.nlink = 1
    try:
        inode_id = inode.add(k, node)
    except SysError:
        raise SysError(ENFILE) from None
    node.number = k.pipes.add(Pipe())
    kept = flags & (O_NONBLOCK | O_DIRECT)
    ends = file.add(k, inode_id, O_RDONLY | kept), file.add(k, inode_id, O_WRONLY | kept)
    node.nlink = 0  # it has no name: it goes with its last open file
    return ends
