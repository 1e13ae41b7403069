"""RLIMIT_AS and RLIMIT_DATA: how much address space a process may have, and how much of it private and writable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.limits import AS, DATA, INFINITY, soft
from kernel.mm import GROWS_DOWN, PROT_WRITE, SHARED, Mm, Vma

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


def may_expand(k: Kernel, t: Task, mm: Mm, area: Vma, size: int, total: bool = True) -> bool:
    """May the address space have `size` bytes more that are like `area` (Linux's may_expand_vm)?

    `total` is False if they are there already and only become writable. Areas are counted only if there is a limit.
    """
    space, data = soft(k, t, AS), soft(k, t, DATA)
    if total and space != INFINITY and size_of(mm) + size > space:
        return False
    return data == INFINITY or not is_data(area) or data_size(mm) + size <= data


def is_data(area: Vma) -> bool:
    """Does RLIMIT_DATA count it: private, writable, no stack?"""
    return bool(area.prot & PROT_WRITE) and not area.flags & (SHARED | GROWS_DOWN)


def size_of(mm: Mm) -> int:
    """Bytes of address space in use."""
    return sum(area.end - area.start for area in mm.vmas)


def data_size(mm: Mm) -> int:
    """Bytes of them that RLIMIT_DATA counts."""
    return sum(area.end - area.start for area in mm.vmas if is_data(area))
