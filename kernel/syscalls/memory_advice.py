"""System calls that say or ask something about memory that is mapped: madvise, msync, mincore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import mm, pagetable, populate, vmas
from kernel.errno import EACCES, EBUSY, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, EPERM, SysError
from kernel.fs import api as fs
from kernel.fs.constants import USER_TOP
from kernel.mm import DONT_FORK, LOCKED, PROT_WRITE, SHARED, WIPE_ON_FORK, Mm, Vma
from kernel.syscalls.memory import round_up
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_out
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED = range(5)
FREE, REMOVE, DONTFORK, DOFORK, MERGEABLE, UNMERGEABLE = range(8, 14)
HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP, WIPEONFORK, KEEPONFORK = range(14, 20)
COLD, PAGEOUT, POPULATE_READ, POPULATE_WRITE, DONTNEED_LOCKED = range(20, 25)
HWPOISON, SOFT_OFFLINE = 100, 101
# Advice about what this machine doesn't have: read-ahead, huge pages, merging, core dumps, swap.
_NOTHING_TO_DO = (
    NORMAL, RANDOM, SEQUENTIAL, WILLNEED, MERGEABLE, UNMERGEABLE, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP, COLD, PAGEOUT
)  # fmt: skip
_FLAGS = {  # advice → (flags that are set, flags that are cleared)
    DONTFORK: (DONT_FORK, 0),
    DOFORK: (0, DONT_FORK),
    WIPEONFORK: (WIPE_ON_FORK, 0),
    KEEPONFORK: (0, WIPE_ON_FORK),
}
_DISCARDS = (DONTNEED, DONTNEED_LOCKED, FREE)
_KNOWN = (*_NOTHING_TO_DO, *_FLAGS, *_DISCARDS, REMOVE, POPULATE_READ, POPULATE_WRITE)
MS_ASYNC, MS_INVALIDATE, MS_SYNC = 1, 2, 4
_TOP = 1 << 64


@syscall(233, "madvise", "addr*", "length", "advice")
def sys_madvise(k: Kernel, t: Task, address: int, length: int, advice: int) -> int:
    """madvise(2). Raises EINVAL, EACCES, EPERM, EFAULT, EOPNOTSUPP; ENOMEM for a hole, with the rest done.

    MADV_FREE frees at once, which it may.
    """
    advice = signed32(advice)
    if advice in (HWPOISON, SOFT_OFFLINE):
        raise SysError(EPERM)
    end = address + round_up(length)
    if advice not in _KNOWN or address % PAGE or end >= _TOP:
        raise SysError(EINVAL)
    if address == end:
        return 0
    space, at = k.mms[t.mm], address
    hole = False
    for vma in vmas.overlapping(space, address, end):
        hole = hole or at < vma.start
        if hole and advice in (POPULATE_READ, POPULATE_WRITE):
            break
        part = vmas.part(vma, address, end)
        _advise(k, t, space, part, advice)
        at = part.end
    if hole or at < end:
        raise SysError(ENOMEM)
    return 0


def _advise(k: Kernel, t: Task, space: Mm, part: Vma, advice: int) -> None:
    if advice in _FLAGS:
        if advice == WIPEONFORK and (part.inode or part.flags & SHARED):
            raise SysError(EINVAL)
        more, less = _FLAGS[advice]
        vmas.change(k, space, part.start, part.end, lambda v: v._replace(flags=v.flags & ~less | more))
    elif advice in _DISCARDS:
        if (part.flags & LOCKED and advice != DONTNEED_LOCKED) or (advice == FREE and part.inode):
            raise SysError(EINVAL)
        mm.unmap_pages(k, space, part.start, part.end)
    elif advice == REMOVE:
        _refuse_remove(part)
    elif advice in (POPULATE_READ, POPULATE_WRITE):
        _populate(k, t, part, "store" if advice == POPULATE_WRITE else "load")


def _refuse_remove(part: Vma) -> None:
    """MADV_REMOVE: no file system here can punch holes, and says so after Linux's other checks."""
    if part.flags & LOCKED or not part.inode:
        raise SysError(EINVAL)
    if not part.flags & SHARED or not part.prot & PROT_WRITE:
        raise SysError(EACCES)
    raise SysError(EOPNOTSUPP)


def _populate(k: Kernel, t: Task, part: Vma, access: str) -> None:
    if not part.prot & (PROT_WRITE if access == "store" else 7):
        raise SysError(EINVAL)
    if not populate.pages(k, t, part.start, part.end, access):
        raise SysError(EFAULT)


@syscall(227, "msync", "addr*", "length", "flags")
def sys_msync(k: Kernel, t: Task, address: int, length: int, flags: int) -> int:
    """msync(2). Nothing is to be written: a mapping's frames are the file's own. Raises EINVAL, ENOMEM, EBUSY."""
    flags &= 0xFFFFFFFF
    known = not flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)
    if not known or address % PAGE or (flags & MS_ASYNC and flags & MS_SYNC):
        raise SysError(EINVAL)
    end = address + round_up(length)
    if end >= _TOP:
        raise SysError(ENOMEM)
    at, hole = address, False
    for vma in vmas.overlapping(k.mms.peek(t.mm), address, end):
        if flags & MS_INVALIDATE and vma.flags & LOCKED:
            raise SysError(EBUSY)
        hole, at = hole or at < vma.start, vma.end
    if hole or at < end:
        raise SysError(ENOMEM)
    return 0


@syscall(232, "mincore", "addr*", "length", "vec*")
def sys_mincore(k: Kernel, t: Task, address: int, length: int, vec: int) -> int:
    """mincore(2): one byte for each page, 1 if touching it waits for nothing. Raises EINVAL, ENOMEM, EFAULT."""
    if address % PAGE:
        raise SysError(EINVAL)
    if length > USER_TOP or address > USER_TOP - length:
        raise SysError(ENOMEM)
    end = address + round_up(length)
    if vec > USER_TOP - (end - address) // PAGE:
        raise SysError(EFAULT)
    space = k.mms[t.mm]
    while address < end:
        vma = mm.find(space, address)
        if vma is None:
            raise SysError(ENOMEM)
        stop = min(vma.end, end, (address | pagetable.LEAF_SPAN - 1) + 1)
        copy_out(k, t, vec, _resident(k, space, vma, address, stop))
        vec += (stop - address) // PAGE
        address = stop
    return 0


def _resident(k: Kernel, space: Mm, vma: Vma, start: int, end: int) -> bytes:
    """Is each page of [start, end) mapped, or, of a file, in the page cache? All of them are below one leaf table."""
    count, first = (end - start) // PAGE, (start - vma.start + vma.offset) // PAGE
    cached = fs.cached(k, vma.inode) if vma.inode else ()
    slot = pagetable.find(k, space.root, start)
    if not slot:
        return bytes([index in cached for index in range(first, first + count)]) if cached else bytes(count)
    entries = k.machine.ram.view64(slot // PAGE)[slot % PAGE // 8 :][:count].tolist()
    return bytes([entry != 0 or index in cached for index, entry in enumerate(entries, first)])
