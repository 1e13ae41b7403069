"""mremap(2): a mapping that shrinks, grows where it is, or moves with its pages (Linux's mm/mremap.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import memory_limits, mm, pagetable_ranges, placement, populate, vmas
from kernel.errno import EFAULT, EINVAL, ENOMEM, SysError
from kernel.fs import api as fs
from kernel.mm import LOCKED, SHARED, TASK_SIZE, Mm, Vma
from kernel.syscalls.memory import MAX_AREAS, exceeds_memory, needs_memory, round_up
from kernel.syscalls.table import syscall
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

MAYMOVE, FIXED, DONTUNMAP = 1, 2, 4
_MASK = (1 << 64) - 1


@syscall(216, "mremap", "addr*", "old_length", "new_length", "flags", "new_addr*")
def sys_mremap(k: Kernel, t: Task, address: int, old: int, new: int, flags: int, to: int) -> int:
    """mremap(2). Raises EINVAL, EFAULT (no mapping, or the old range isn't all of one), ENOMEM."""
    old, new = _checked_lengths(address, old, new, flags)
    space = k.mms[t.mm]
    if mm.find(space, address) is None:
        raise SysError(EFAULT)
    if flags & (FIXED | DONTUNMAP):
        return _move_to(k, t, space, address, old, new, flags, to)
    if old >= new:
        vmas.remove(k, space, address + new, min(address + old, TASK_SIZE))
        return address
    return _grow(k, t, space, address, old, new, bool(flags & MAYMOVE))


def _checked_lengths(address: int, old: int, new: int, flags: int) -> tuple[int, int]:
    """Both lengths in whole pages. Raises EINVAL."""
    if flags & ~(MAYMOVE | FIXED | DONTUNMAP) or (flags & (FIXED | DONTUNMAP) and not flags & MAYMOVE):
        raise SysError(EINVAL)
    if (flags & DONTUNMAP and old != new) or address % PAGE:
        raise SysError(EINVAL)
    old, new = round_up(old) & _MASK, round_up(new) & _MASK
    if not new:
        raise SysError(EINVAL)
    return old, new


def _grow(k: Kernel, t: Task, space: Mm, address: int, old: int, new: int, may_move: bool) -> int:
    """In its place if what follows is free, else (`may_move`) somewhere else. Raises EFAULT, EINVAL, ENOMEM."""
    vma = _growing(k, t, space, address, old, new)
    if vma.end == address + old and address + new <= TASK_SIZE and mm.is_free(space, vma.end, address + new):
        mm.replace(space, vma, vma._replace(end=address + new))
        vmas.join(k, space, address, address + new)
        _fill(k, t, vma, address + old, address + new)
        return address
    if not may_move:
        raise SysError(ENOMEM)
    return _move(k, t, space, address, old, new, placement.choose(space, 0, new), keep=False)


def _move_to(k: Kernel, t: Task, space: Mm, address: int, old: int, new: int, flags: int, to: int) -> int:
    """MREMAP_FIXED, or MREMAP_DONTUNMAP with or without it."""
    if to % PAGE or new > TASK_SIZE or to > TASK_SIZE - new:
        raise SysError(EINVAL)
    if address + old > to and to + new > address:
        raise SysError(EINVAL)
    if len(space.vmas) + 2 >= MAX_AREAS:
        raise SysError(ENOMEM)
    if flags & FIXED:
        placement.fixed(space, to, new, replace=True)
        vmas.remove(k, space, to, to + new)
    if old > new:
        vmas.remove(k, space, address + new, min(address + old, TASK_SIZE))
        old = new
    _growing(k, t, space, address, old, new)
    if not flags & FIXED:
        to = placement.choose(space, to, new)
    return _move(k, t, space, address, old, new, to, keep=bool(flags & DONTUNMAP))


def _growing(k: Kernel, t: Task, space: Mm, address: int, old: int, new: int) -> Vma:
    """The area that becomes larger (vma_to_resize). Raises EFAULT, EINVAL, ENOMEM."""
    vma = mm.find(space, address)
    if vma is None:
        raise SysError(EFAULT)
    if not old and not vma.flags & SHARED:
        raise SysError(EINVAL)
    if old > vma.end - address:
        raise SysError(EFAULT)
    if needs_memory(vma) and new > old and exceeds_memory(k, new - old):
        raise SysError(ENOMEM)
    if not memory_limits.may_expand(k, t, space, vma, new - old):
        raise SysError(ENOMEM)
    return vma


def _move(k: Kernel, t: Task, space: Mm, address: int, old: int, new: int, to: int, keep: bool) -> int:
    """The pages of [address, address + old) go to `to`; `keep`: their area stays, empty. Raises OutOfMemory."""
    vma = mm.find(space, address)
    assert vma is not None
    moved = vmas.part(vma, address, vma.end)._replace(start=to, end=to + new)
    mm.map_area(k, space, moved)
    try:
        pagetable_ranges.move(k, space.root, address, address + old, to)
    except SysError:
        space.vmas.remove(moved)
        if moved.inode:
            fs.release_inode(k, moved.inode)
        raise
    mm.flush(k, space)
    if keep:
        vmas.change(k, space, address, address + old, lambda area: area._replace(flags=area.flags & ~LOCKED))
    elif old:
        vmas.remove(k, space, address, address + old)
    vmas.join(k, space, to, to + new)
    _fill(k, t, moved, to + old, to + new)
    return to


def _fill(k: Kernel, t: Task, vma: Vma, start: int, end: int) -> None:
    if vma.flags & LOCKED and start < end:
        populate.quietly(k, t, start, end)
