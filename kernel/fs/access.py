"""Who may do what with a file: permission bits against the caller's uid and gid. See path_resolution(7).

Programs run as one unprivileged user; what the kernel itself makes (/, /bin, /dev) belongs to root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EACCES, EPERM, EROFS, SysError
from kernel.fs.constants import S_IFCHR, S_IFMT, S_ISVTX, W_OK

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel

USER = 1000  # uid and gid of every program
ROOT = 0


def allowed(inode: Inode, want: int) -> bool:
    """Do the permission bits grant all of `want` (R_OK, W_OK, X_OK)? Owner, else group, else others decide alone."""
    if inode.uid == USER:
        bits = inode.mode >> 6
    elif inode.gid == USER:
        bits = inode.mode >> 3
    else:
        bits = inode.mode
    return not want & ~bits & 7


def require(k: Kernel, inode: Inode, want: int) -> None:
    """Raises EROFS for a write to a file of a read-only mount, EACCES if the permission bits don't grant `want`."""
    if want & W_OK and read_only(k, inode) and inode.mode & S_IFMT != S_IFCHR:
        raise SysError(EROFS)
    if not allowed(inode, want):
        raise SysError(EACCES)


def read_only(k: Kernel, inode: Inode) -> bool:
    """Does the inode lie on a mount that nobody may change?"""
    return not k.mounts.peek(inode.mount).writable


def require_removal(directory: Inode, victim: Inode) -> None:
    """In a sticky directory (/tmp) only the owner of a file, or of the directory, may remove it. Raises EPERM."""
    if directory.mode & S_ISVTX and USER not in (directory.uid, victim.uid):
        raise SysError(EPERM)
