"""mlock(2) and its kin. Nothing is ever swapped out here: what they do is to bring pages in, and to be remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel import limits, populate, vmas
from kernel.errno import EAGAIN, EINVAL, ENOMEM, OutOfMemory, SysError
from kernel.mm import LOCKED, TASK_SIZE, Mm, Vma
from kernel.syscalls.memory import round_up
from kernel.syscalls.table import syscall
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

MLOCK_ONFAULT = 1
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4


@syscall(228, "mlock", "addr*", "length")
def sys_mlock(k: Kernel, t: Task, address: int, length: int) -> int:
    """mlock(2): the pages are there now. Raises ENOMEM (a hole, or more than the limit), EINVAL, EAGAIN."""
    return _lock(k, t, address, length, bring_in=True)


@syscall(284, "mlock2", "addr*", "length", "flags")
def sys_mlock2(k: Kernel, t: Task, address: int, length: int, flags: int) -> int:
    """mlock2(2): with MLOCK_ONFAULT the pages come when they are touched."""
    if flags & 0xFFFFFFFF & ~MLOCK_ONFAULT:
        raise SysError(EINVAL)
    return _lock(k, t, address, length, bring_in=not flags & MLOCK_ONFAULT)


def _lock(k: Kernel, t: Task, address: int, length: int, bring_in: bool) -> int:
    start, end = _range(address, length)
    space = k.mms[t.mm]
    parts = [vmas.part(vma, start, end) for vma in vmas.overlapping(space, start, end) if not vma.flags & LOCKED]
    limit = limits.soft(k, t, limits.MEMLOCK)
    if end - start > limit or _size(parts) + _size([v for v in space.vmas if v.flags & LOCKED]) > limit:
        raise SysError(ENOMEM)
    _mark(k, space, start, end, LOCKED)
    if bring_in:
        for vma in vmas.overlapping(space, start, end):
            _bring_in(k, t, vmas.part(vma, start, end))
    return 0


@syscall(229, "munlock", "addr*", "length")
def sys_munlock(k: Kernel, t: Task, address: int, length: int) -> int:
    """munlock(2). Raises ENOMEM (a hole), EINVAL."""
    start, end = _range(address, length)
    _mark(k, k.mms[t.mm], start, end, 0)
    return 0


@syscall(230, "mlockall", "flags")
def sys_mlockall(k: Kernel, t: Task, flags: int) -> int:
    """mlockall(2). Raises EINVAL, ENOMEM (more than the limit)."""
    flags &= 0xFFFFFFFF
    if flags in (0, MCL_ONFAULT) or flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT):
        raise SysError(EINVAL)
    space = k.mms[t.mm]
    if flags & MCL_CURRENT and _size(space.vmas) > limits.soft(k, t, limits.MEMLOCK):
        raise SysError(ENOMEM)
    space.lock_future = bool(flags & MCL_FUTURE)
    if flags & MCL_CURRENT:
        vmas.change(k, space, 0, TASK_SIZE, _with_lock(LOCKED))
        if not flags & MCL_ONFAULT:
            populate.quietly(k, t, 0, TASK_SIZE)
    return 0


@syscall(231, "munlockall")
def sys_munlockall(k: Kernel, t: Task) -> int:
    """munlockall(2)."""
    space = k.mms[t.mm]
    space.lock_future = False
    vmas.change(k, space, 0, TASK_SIZE, _with_lock(0))
    return 0


def _range(address: int, length: int) -> tuple[int, int]:
    """Whole pages. Raises EINVAL if the range wraps around."""
    start = address & -PAGE
    end = start + round_up(length + address - start)
    if end >= 1 << 64:
        raise SysError(EINVAL)
    return start, end


def _mark(k: Kernel, space: Mm, start: int, end: int, flag: int) -> None:
    """Sets or clears LOCKED up to the first hole, which is ENOMEM."""
    at = start
    for vma in vmas.overlapping(space, start, end):
        if vma.start > at:
            break
        at = min(vma.end, end)
    if start < at:
        vmas.change(k, space, start, at, _with_lock(flag))
    if at < end:
        raise SysError(ENOMEM)


def _with_lock(flag: int) -> Callable[[Vma], Vma]:
    """An area with LOCKED as given."""
    return lambda vma: vma._replace(flags=vma.flags & ~LOCKED | flag)


def _size(areas: list[Vma]) -> int:
    return sum(vma.end - vma.start for vma in areas)


def _bring_in(k: Kernel, t: Task, part: Vma) -> None:
    """mlock(2) tells if a page can't be there: ENOMEM, or EAGAIN for want of memory."""
    access = populate.natural(part)
    try:
        whole = access and populate.pages(k, t, part.start, part.end, access)
    except OutOfMemory:
        raise SysError(EAGAIN) from None
    if not whole:
        raise SysError(ENOMEM)
