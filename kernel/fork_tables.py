"""The fork policy `shared-tables`: the child shares the parent's page tables; they are copied when they must differ.

Only the root is the child's own. Its entries name the parent's upper tables, whose entries are closed (pagetable.py),
so that neither process gets to a page without a fault:

    parent root ─┐                              first access below a leaf table: it loses all W, once, and is open
                 ├─▶ upper table ──closed──▶ leaf table ──▶ pages
    child root ──┘                              first write: both tables are copied for the writer, then the page

That is one entry for each GiB of addresses, whatever is in them: what the size of a process costs is paid by those who
change it, 2 MiB at a time. A child that execs or exits soon gives the tables back as they were: the parent finds its
entries closed, but its leaf tables its own, opens them and has all its rights again, without a fault for each page.

Not so shared: the leaf tables that have a part of an area in cow.NOT_COPIED, which the child must not find there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import cow, pagetable
from kernel.pagetable import LEAF_SPAN, UPPER_SPAN
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm, Vma


def share_tables(k: Kernel, parent: Mm, child: Mm) -> int:
    """Gives the child the parent's tables; returns how many pages it has. Raises OutOfMemory."""
    ram, frames = k.machine.ram, k.frames
    apart = [vma for vma in parent.vmas if vma.flags & cow.NOT_COPIED]
    missing = 0
    for index, entry in pagetable.present(k, parent.root):
        upper, base = entry >> 10, index * UPPER_SPAN
        if frames.count(upper) == 1:  # of one that is shared all entries were closed, or their pages write-protected
            pagetable.close(k, upper)
        here = cow.overlapping(apart, base, UPPER_SPAN)
        if here:
            missing += _share_leaf_tables(k, upper, base, child, here)
            continue
        frames.hold(upper)
        ram.write64(child.root * PAGE + index * 8, entry)
        k.stats.pay("entries", 1)
    return parent.resident - missing


def _share_leaf_tables(k: Kernel, upper: int, base: int, child: Mm, apart: list[Vma]) -> int:
    """The same for one upper table that can't be shared as a whole; returns how many pages the child doesn't get."""
    ram, missing = k.machine.ram, 0
    own = pagetable.own_upper(k, child.root, base)
    for index, entry in pagetable.present(k, upper):
        low, table = base + index * LEAF_SPAN, entry >> 10
        here = cow.overlapping(apart, low, LEAF_SPAN)
        if here:
            missing += len(pagetable.present(k, table)) - cow.share_leaf(k, low, table, child, here)
            continue
        k.frames.hold(table)
        ram.write64(own * PAGE + index * 8, entry)
        k.stats.pay("entries", 1)
    return missing
