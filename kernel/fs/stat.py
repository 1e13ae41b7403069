"""struct stat of riscv64, 128 bytes: include/uapi/asm-generic/stat.h, stat(3type)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from kernel.fs.constants import PAGE, S_IFBLK, S_IFCHR, S_IFMT
from kernel.fs.proc.numbers import SHOWN
from kernel.fs.regular import fetch

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel

# st_dev st_ino | st_mode st_nlink st_uid st_gid | st_rdev pad | st_size | st_blksize pad | st_blocks
# | st_atime nsec | st_mtime nsec | st_ctime nsec | two unused ints
_LAYOUT = Struct("<QQ IIII QQ q ii q qQ qQ qQ II".replace(" ", ""))
_SECOND = 1_000_000_000
DIRECTORY_SIZE = 4096


def shown_size(inode: Inode) -> int:
    """st_size"""
    return DIRECTORY_SIZE if inode.is_directory() else len(inode.target) if inode.is_symlink() else inode.size


def device_number(inode: Inode) -> int:
    """st_rdev"""
    return inode.number if inode.mode & S_IFMT in (S_IFCHR, S_IFBLK) else 0


def split_device(number: int) -> tuple[int, int]:
    """(major, minor) of a device number, as new_encode_dev() has put them together."""
    return number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00


def blocks(inode: Inode, size: int) -> int:
    """st_blocks: units of 512 bytes. Holes count too."""
    return -(-size // PAGE) * (PAGE // 512) if inode.is_regular() else 0


def pack(k: Kernel, inode_id: int) -> bytes:
    """What fstat and newfstatat store. Raises EIO if a program of /bin can't be made (its size is wanted)."""
    inode = fetch(k, inode_id)
    size = shown_size(inode)
    times = divmod(inode.accessed, _SECOND), divmod(inode.modified, _SECOND), divmod(inode.changed, _SECOND)
    return _LAYOUT.pack(
        k.mounts.peek(inode.mount).dev,
        inode_id & SHOWN,
        inode.mode,
        inode.nlink,
        inode.uid,
        inode.gid,
        device_number(inode),
        0,
        size,
        PAGE,
        0,
        blocks(inode, size),
        *times[0],
        *times[1],
        *times[2],
        0,
        0,
    )
