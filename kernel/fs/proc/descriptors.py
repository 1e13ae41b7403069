"""fdinfo/N: an open file as a descriptor of a process stands for it. proc_pid_fdinfo(5)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import ENOENT, SysError
from kernel.fs.constants import O_CLOEXEC
from kernel.fs.proc.numbers import SHOWN

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel


def fdinfo(k: Kernel, about: Who, fd: int) -> bytes:
    """Offset, flags (octal, O_CLOEXEC among them), mount and inode. Raises ENOENT if nothing is open there."""
    slot = None if about.task is None else k.fdtables.peek(about.task.fdtable).slots.get(fd)
    if slot is None:
        raise SysError(ENOENT)
    file = k.files.peek(slot[0])
    flags = file.flags | (O_CLOEXEC if slot[1] else 0)
    mount = k.inodes.peek(file.inode).mount
    return b"pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n" % (file.offset, flags, mount, file.inode & SHOWN)
