"""The fork policy `eager`: the child gets a copy of every page that can be written, at once.

What no area lets anybody write stays shared (the program's text: early Unix did that, too), and takes the way of cow.py
if mprotect changes its mind. The parent keeps all of its rights, so that neither has a fault to pay for later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import cow, pagetable
from kernel import mm as address_space
from kernel.mm import PROT_WRITE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm

_FLAGS = 0x3FF


def copy_pages(k: Kernel, parent: Mm, child: Mm) -> int:
    """Gives the child its pages; returns how many. Raises OutOfMemory."""
    ram, given = k.machine.ram, 0
    for va, entry in pagetable.mappings(k, parent.root):
        vma = address_space.find(parent, va)
        assert vma is not None
        if vma.flags & cow.NOT_COPIED:
            continue
        slot, ppn = pagetable.own(k, child.root, va), entry >> 10
        if vma.prot & PROT_WRITE:
            ram.write64(slot, cow.copy_frame(k, ppn, slot, va) << 10 | entry & _FLAGS)
        else:
            k.frames.hold(ppn)
            ram.write64(slot, entry)
        given += 1
    k.stats.pay("entries", given)
    return given
