"""Looking into another process's memory without touching it: what isn't in a frame now is not brought there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import pagetable
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm


def read_memory(k: Kernel, mm: Mm, va: int, size: int) -> bytes:
    """Bytes from `va` on, up to `size`; fewer where a page is not there."""
    parts = []
    while size > 0:
        step = min(size, PAGE - va % PAGE)
        slot = pagetable.find(k, mm.root, va)
        entry = k.machine.ram.read64(slot) if slot else 0
        if not entry:
            break
        parts.append(k.machine.ram.read((entry >> 10) * PAGE + va % PAGE, step))
        va, size = va + step, size - step
    return b"".join(parts)
