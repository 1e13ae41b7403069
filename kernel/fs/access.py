"""Who may do what with a file: its permission bits and owner against the caller's credentials. See path_resolution(7).

/bin, /tmp and /dev belong to root; / and the directories of the host to the user whose machine it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.credentials import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
from kernel.errno import EACCES, EPERM, EROFS, SysError
from kernel.fs.constants import R_OK, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISVTX, W_OK, X_OK

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel


def allowed(cred: Cred, inode: Inode, want: int) -> bool:
    """May the caller do all of `want` (R_OK, W_OK, X_OK)? Owner, else group, else others decide alone. (A hot path.)"""
    if inode.uid == cred.fsuid:
        bits = inode.mode >> 6
    elif cred.in_group(inode.gid):
        bits = inode.mode >> 3
    else:
        bits = inode.mode
    return not want & ~bits & 7 or (cred.effective != 0 and _overridden(cred, inode, want))


def _overridden(cred: Cred, inode: Inode, want: int) -> bool:
    """CAP_DAC_*: root may all, but runs only what somebody may run."""
    if inode.is_directory():
        reads_only = not want & W_OK
    else:
        reads_only = want == R_OK
        if want & X_OK and not inode.mode & 0o111:
            return False
    return cred.can(CAP_DAC_OVERRIDE) or (reads_only and cred.can(CAP_DAC_READ_SEARCH))


def require(k: Kernel, cred: Cred, inode: Inode, want: int) -> None:
    """Raises EROFS for a write to a file of a read-only mount, EACCES if the caller may not do `want`."""
    if want & W_OK and read_only(k, inode) and inode.mode & S_IFMT in (S_IFREG, S_IFDIR, S_IFLNK):
        raise SysError(EROFS)
    if not allowed(cred, inode, want):
        raise SysError(EACCES)


def read_only(k: Kernel, inode: Inode) -> bool:
    """Does the inode lie on a mount that nobody may change?"""
    return not k.mounts.peek(inode.mount).writable


def require_removal(cred: Cred, directory: Inode, victim: Inode) -> None:
    """In a sticky directory (/tmp) only the owner of a file, or of the directory, may remove it. Raises EPERM."""
    owners = (directory.uid, victim.uid)
    if directory.mode & S_ISVTX and cred.fsuid not in owners and not cred.can(CAP_FOWNER):
        raise SysError(EPERM)
