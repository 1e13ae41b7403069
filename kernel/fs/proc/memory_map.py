"""maps: the areas of an address space, one a line. proc_pid_maps(5); Linux's fs/proc/task_mmu.c"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.fs import naming
from kernel.fs.proc import who
from kernel.mm import PROT_EXEC, PROT_READ, PROT_WRITE, SHARED

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel
    from kernel.mm import Vma

_NAME_COLUMN = 73  # 25 + 6 * sizeof(void *), where the name begins if what is before it is not longer


def maps(k: Kernel, about: Who) -> bytes:
    """Nothing for a zombie."""
    mm = who.mm_of(k, about)
    return b"" if mm is None else b"".join(header(k, vma) for vma in mm.vmas)


def header(k: Kernel, vma: Vma) -> bytes:
    """The line of one area: address range, rights, offset, device, inode, name."""
    device, number, name = 0, 0, vma.name
    if vma.inode:
        device = k.mounts.peek(k.inodes.peek(vma.inode).mount).dev
        number, name = vma.inode, naming.name_of(k, vma.inode)
    rights = _rights(vma)
    line = b"%08x-%08x %s %08x %02x:%02x %d " % (
        vma.start,
        vma.end,
        rights,
        vma.offset,
        device >> 8,
        device & 255,
        number,
    )
    return line + b"\n" if not name else line.ljust(_NAME_COLUMN) + naming.escape(name, b"\n") + b"\n"


def _rights(vma: Vma) -> bytes:
    letters = zip(b"rwx", (PROT_READ, PROT_WRITE, PROT_EXEC), strict=True)
    return bytes(letter if vma.prot & bit else ord("-") for letter, bit in letters) + (
        b"s" if vma.flags & SHARED else b"p"
    )
