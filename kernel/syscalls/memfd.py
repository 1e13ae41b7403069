"""memfd_create(2): a file without a name, to be mapped by several processes or handed on by its descriptor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EINVAL, SysError
from kernel.fs import fdtable, nameless
from kernel.fs import file as files
from kernel.fs.constants import F_SEAL_EXEC, O_LARGEFILE, O_RDWR
from kernel.syscalls.table import syscall
from kernel.user_memory import copy_in_string

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC = 1, 2, 8, 16
NAME_LIMIT = 250  # bytes with the NUL


@syscall(279, "memfd_create", "name*", "flags")
def sys_memfd_create(k: Kernel, t: Task, name: int, flags: int) -> int:
    """memfd_create(2). Raises EINVAL (flags, MFD_HUGETLB among them; a long name), EFAULT, EMFILE, ENFILE, ENOSPC.

    The name is for people: /proc shows it. MFD_NOEXEC_SEAL makes a file that nobody can execute, now or later.
    """
    flags &= 0xFFFFFFFF
    known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC
    if flags & ~known or (flags & MFD_EXEC and flags & MFD_NOEXEC_SEAL):
        raise SysError(EINVAL)
    label = copy_in_string(k, t, name, NAME_LIMIT, EINVAL)
    fd = fdtable.lowest_free(k, t)
    files.check_limit(k)
    inode_id = nameless.create(k, 0, t.cred, b"/memfd:" + label)
    _set_seals(k, inode_id, flags)
    opened = files.add(k, inode_id, O_RDWR | O_LARGEFILE)
    fdtable.install(k, t.fdtable, fd, opened, bool(flags & MFD_CLOEXEC))
    return fd


def _set_seals(k: Kernel, inode_id: int, flags: int) -> None:
    inode = k.inodes[inode_id]
    if flags & MFD_NOEXEC_SEAL:
        inode.mode &= ~0o111
        inode.seals = F_SEAL_EXEC
    elif flags & MFD_ALLOW_SEALING:
        inode.seals = 0
