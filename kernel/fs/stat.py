"""struct stat of riscv64, 128 bytes: include/uapi/asm-generic/stat.h, stat(3type)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from kernel.fs.constants import PAGE, S_IFCHR, S_IFMT
from kernel.fs.proc.numbers import SHOWN
from kernel.fs.regular import fetch

if TYPE_CHECKING:
    from kernel.kernel import Kernel

# st_dev st_ino | st_mode st_nlink st_uid st_gid | st_rdev pad | st_size | st_blksize pad | st_blocks
# | st_atime nsec | st_mtime nsec | st_ctime nsec | two unused ints
_LAYOUT = Struct("<QQ IIII QQ q ii q qQ qQ qQ II".replace(" ", ""))
_SECOND = 1_000_000_000
DIRECTORY_SIZE = 4096


def pack(k: Kernel, inode_id: int) -> bytes:
    """What fstat and newfstatat store. No file keeps a time of access: it is shown as that of modification.

    Raises EIO if a program of /bin can't be made (its size is wanted).
    """
    inode = fetch(k, inode_id)
    size = DIRECTORY_SIZE if inode.is_directory() else len(inode.target) if inode.is_symlink() else inode.size
    modified, changed = divmod(inode.modified, _SECOND), divmod(inode.changed, _SECOND)
    rdev = inode.number if inode.mode & S_IFMT == S_IFCHR else 0
    blocks = -(-size // PAGE) * (PAGE // 512) if inode.is_regular() else 0
    return _LAYOUT.pack(
        k.mounts.peek(inode.mount).dev,
        inode_id & SHOWN,
        inode.mode,
        inode.nlink,
        inode.uid,
        inode.gid,
        rdev,
        0,
        size,
        PAGE,
        0,
        blocks,
        *modified,
        *modified,
        *changed,
        0,
        0,
    )
