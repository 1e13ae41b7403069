"""Which executable a process runs, and what its addresses are called; looked at without touching the machine."""

from __future__ import annotations

from forkyard.symbols import Symbols
from kernel.kernel import Kernel
from kernel.page_cache import PageCache
from vm.ram import PAGE


class Images:
    """The symbols of every program that runs in one machine, kept by the inode of its file."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._symbols: dict[int, Symbols] = {}

    def symbols(self, tid: int) -> Symbols:
        """The symbols of the program that task `tid` runs; empty ones for a task that is gone."""
        kernel = self.kernel
        if tid not in kernel.tasks or kernel.tasks.peek(tid).mm not in kernel.mms:
            return Symbols(b"")
        inode = kernel.mms.peek(kernel.tasks.peek(tid).mm).exe
        if inode not in self._symbols:
            self._symbols[inode] = Symbols(content(kernel, inode))
        return self._symbols[inode]

    def name(self, tid: int, address: int) -> str | None:
        """`symbol+0x10` for an address in the task's program."""
        return self.symbols(tid).name(address)


def content(kernel: Kernel, inode_id: int) -> bytes:
    """The bytes of a file of the machine, as they are now: from its cached pages, else from where those come from."""
    if inode_id not in kernel.inodes:
        return b""
    cache: PageCache = kernel.page_cache
    size = kernel.inodes.peek(inode_id).size
    present = {index: ppn for owner, index, ppn in cache.frames() if owner == inode_id}
    pages = []
    for index in range((size + PAGE - 1) // PAGE):
        if index in present:
            page = kernel.machine.ram.read(present[index] * PAGE, PAGE)
        else:
            page = cache.fill(kernel, inode_id, index) or b""
        pages.append(page.ljust(PAGE, b"\0"))
    return b"".join(pages)[:size]
