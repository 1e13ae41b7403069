"""Seals of memfds: what may never be done to a file again. See fcntl(2), memfd_create(2), and Linux's mm/memfd.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EBUSY, EINVAL, EPERM, SysError
from kernel.fs.constants import (
    F_SEAL_EXEC,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
)

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.kernel import Kernel

_NO_WRITES = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE
_ALL = _NO_WRITES | F_SEAL_SEAL | F_SEAL_EXEC


def get(k: Kernel, file: OpenFile) -> int:
    """F_GET_SEALS. Raises EINVAL for what is no file in memory. One that may not be sealed has F_SEAL_SEAL."""
    inode = k.inodes.peek(file.inode)
    if not inode.is_regular() or inode.source or inode.mount != k.inodes.peek(k.root_inode).mount:
        raise SysError(EINVAL)
    return inode.seals


def add(k: Kernel, file: OpenFile, seals: int) -> None:
    """F_ADD_SEALS. Raises EPERM (not open for writing, sealed against seals), EINVAL, EBUSY (mapped to be written)."""
    if not file.writable():
        raise SysError(EPERM)
    if seals & ~_ALL:
        raise SysError(EINVAL)
    if get(k, file) & F_SEAL_SEAL:
        raise SysError(EPERM)
    inode = k.inodes[file.inode]
    if seals & F_SEAL_WRITE and not inode.seals & F_SEAL_WRITE and _mapped_for_writing(k, file.inode):
        raise SysError(EBUSY)
    if seals & F_SEAL_EXEC and inode.mode & 0o111:
        seals |= _NO_WRITES
    inode.seals |= seals


def _mapped_for_writing(k: Kernel, inode_id: int) -> bool:
    """Is there a shared mapping that is or can be made writable? (Rare enough to look at all of them.)"""
    from kernel.mm import NEVER_WRITABLE, SHARED

    return any(
        vma.inode == inode_id and vma.flags & (SHARED | NEVER_WRITABLE) == SHARED
        for mm_id in k.mms.ids()
        for vma in k.mms.peek(mm_id).vmas
    )
