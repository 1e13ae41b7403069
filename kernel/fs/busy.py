"""A program that runs is not written to, and a file open for writing is not run: ETXTBSY of open(2) and execve(2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import ETXTBSY, SysError

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def require_not_running(k: Kernel, inode_id: int) -> None:
    """Before an open for writing, and before O_TRUNC. Raises ETXTBSY if a process runs the file."""
    if any(k.mms.peek(mm_id).exe == inode_id for mm_id in k.mms.ids()):
        raise SysError(ETXTBSY)


def require_not_written(k: Kernel, inode_id: int) -> None:
    """Before execve. Raises ETXTBSY if somebody has the file open for writing, or mapped so."""
    from kernel.mm import NEVER_WRITABLE, SHARED

    if not k.mounts.peek(k.inodes.peek(inode_id).mount).writable:
        return  # nobody can have it open so: the usual case, /bin
    for file_id in k.files.ids():
        file = k.files.peek(file_id)
        if file.inode == inode_id and file.writable():
            raise SysError(ETXTBSY)
    for mm_id in k.mms.ids():
        for vma in k.mms.peek(mm_id).vmas:
            if vma.inode == inode_id and vma.flags & (SHARED | NEVER_WRITABLE) == SHARED:
                raise SysError(ETXTBSY)  # a mapping keeps the file as open as it was when it was made
