"""Files without a name: shared anonymous memory and memfd_create(2). They live as long as somebody holds them.

Linux keeps both in a tmpfs that nobody sees (mm/shmem.c); here they are inodes with nlink 0 on the root's mount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.fs import inode as inodes
from kernel.fs.constants import S_IFREG
from kernel.fs.inode import Inode

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel


def create(k: Kernel, size: int, cred: Cred | None = None, name: bytes = b"/dev/zero") -> int:
    """An inode of `size` zeros that nobody holds yet: the caller does so at once. Raises ENOSPC.

    `cred`: whose it is, as fstat shows it; `name`: what /proc shows of it. Memory that is only mapped never shows it.
    """
    mount = k.inodes.peek(k.root_inode).mount
    uid, gid = (cred.fsuid, cred.fsgid) if cred else (0, 0)
    inode = Inode(S_IFREG | 0o777, mount, uid, gid, inodes.now(k))
    inode.nlink, inode.name = 0, name
    inode.size = size
    return inodes.add(k, inode)
