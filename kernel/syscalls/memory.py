"""System calls that say what is where in an address space: brk, mmap, munmap, mprotect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import memory_limits, mm, pagetable_ranges, placement, populate, vmas
from kernel.errno import EACCES, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM, OutOfMemory, SysError
from kernel.fs import nameless
from kernel.fs.constants import F_SEAL_FUTURE_WRITE, F_SEAL_WRITE
from kernel.mm import (
    GROWS_DOWN,
    GUARD_GAP,
    LOCKED,
    NEVER_WRITABLE,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    SHARED,
    TASK_SIZE,
    Mm,
    Vma,
)
from kernel.syscalls.files import file_id_of
from kernel.syscalls.table import syscall
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel
    from kernel.task import Task

MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_TYPE = 1, 2, 3, 15
MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN = 0x10, 0x20, 0x100
MAP_DENYWRITE, MAP_EXECUTABLE, MAP_LOCKED, MAP_NORESERVE = 0x800, 0x1000, 0x2000, 0x4000
MAP_POPULATE, MAP_NONBLOCK, MAP_STACK, MAP_HUGETLB = 0x8000, 0x10000, 0x20000, 0x40000
MAP_FIXED_NOREPLACE, MAP_UNINITIALIZED = 0x100000, 0x4000000
# What MAP_SHARED_VALIDATE knows (LEGACY_MAP_MASK of include/linux/mman.h; MAP_SYNC is for files of other systems).
_KNOWN = (
    MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_UNINITIALIZED
    | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB
)  # fmt: skip
PROT_GROWSDOWN, PROT_GROWSUP = 0x01000000, 0x02000000
_PROT = PROT_READ | PROT_WRITE | PROT_EXEC
_PROT_SEM = 8
_NO_WRITING = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE
_LAST_PAGE = (1 << 52) - 1  # pgoff is an unsigned long
MAX_AREAS = 65530  # vm.max_map_count


@syscall(214, "brk", "address*")
def sys_brk(k: Kernel, t: Task, address: int) -> int:
    """brk(2) as the kernel has it: the new end of the heap, or the one that stays if `address` can't be it."""
    space = k.mms[t.mm]
    if not space.start_brk <= address <= TASK_SIZE:
        return space.brk
    old, new = round_up(space.brk), round_up(address)
    if not (_shrink(k, space, new, old) if new < old else _grow(k, t, space, old, new)):
        return space.brk
    space.brk = address
    return address


def _shrink(k: Kernel, space: Mm, new: int, old: int) -> bool:
    """False if there is no memory for a page table that has to be copied first."""
    try:
        vmas.remove(k, space, new, old)
    except OutOfMemory:
        return False
    return True


def _grow(k: Kernel, t: Task, space: Mm, old: int, new: int) -> bool:
    if new == old:
        return True
    area = Vma(old, new, PROT_READ | PROT_WRITE, LOCKED if space.lock_future else 0, name=b"[heap]")
    if not _can_grow(k, space, old, new) or not memory_limits.may_expand(k, t, space, area, new - old):
        return False
    mm.map_area(k, space, area)
    vmas.join(k, space, old, new)
    if area.flags & LOCKED:
        populate.quietly(k, t, old, new)
    return True


def _can_grow(k: Kernel, space: Mm, old: int, new: int) -> bool:
    """Is [old, new) free, with a page to spare (a guard gap below a stack), and not more than there is of memory?"""
    if exceeds_memory(k, new - old) or not mm.is_free(space, old, new):
        return False
    index = mm.following(space, old)
    if index == len(space.vmas):
        return True
    above = space.vmas[index]
    return new + (GUARD_GAP if above.flags & GROWS_DOWN else PAGE) <= above.start


@syscall(222, "mmap", "addr*", "length", "prot", "flags", "fd", "offset")
def sys_mmap(k: Kernel, t: Task, address: int, length: int, prot: int, flags: int, fd: int, offset: int) -> int:
    """mmap(2). Raises EINVAL, EBADF, ENOMEM, EEXIST, EPERM, EACCES, ENODEV, EOVERFLOW, EOPNOTSUPP, in Linux's order.

    MAP_GROWSDOWN is EOPNOTSUPP: the only stack that grows is the one that exec made. MAP_HUGETLB is ENOMEM: there are
    no huge pages.
    """
    if offset % PAGE:
        raise SysError(EINVAL)
    file_id = 0 if flags & MAP_ANONYMOUS else file_id_of(k, t, fd)
    if flags & MAP_HUGETLB:
        raise SysError(ENOMEM if flags & MAP_ANONYMOUS else EINVAL)
    size = _checked_size(length, offset)
    space = k.mms[t.mm]
    start = _start(space, address, size, flags)
    area = Vma(start, start + size, prot & _PROT, LOCKED if flags & MAP_LOCKED or space.lock_future else 0)
    area = _object(k, area, flags, file_id, offset)
    _require_room(k, t, space, area, flags)
    _place(k, space, area)
    if flags & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE or area.flags & LOCKED:
        populate.quietly(k, t, start, start + size)
    return start


def _checked_size(length: int, offset: int) -> int:
    """`length` in whole pages. Raises EINVAL (nothing), ENOMEM and EOVERFLOW (more than an unsigned long can say)."""
    if not length:
        raise SysError(EINVAL)
    size = round_up(length)
    if size >> 64:
        raise SysError(ENOMEM)
    if (offset // PAGE) + size // PAGE > _LAST_PAGE:
        raise SysError(EOVERFLOW)
    return size


def _start(space: Mm, address: int, size: int, flags: int) -> int:
    """Where the mapping goes. Raises ENOMEM (too many areas, no room), and for a fixed place EINVAL, EEXIST, EPERM."""
    if len(space.vmas) > MAX_AREAS:
        raise SysError(ENOMEM)
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        return placement.fixed(space, address, size, not flags & MAP_FIXED_NOREPLACE)
    return placement.choose(space, address, size)


def _require_room(k: Kernel, t: Task, space: Mm, area: Vma, flags: int) -> None:
    """Raises ENOMEM: more memory than there is, or (less what it replaces) more than the limits allow."""
    size = area.end - area.start
    if needs_memory(area) and not flags & MAP_NORESERVE and exceeds_memory(k, size):
        raise SysError(ENOMEM)
    replaced = sum(
        min(old.end, area.end) - max(old.start, area.start) for old in vmas.overlapping(space, area.start, area.end)
    )
    if not memory_limits.may_expand(k, t, space, area, size - replaced):
        raise SysError(ENOMEM)


def _place(k: Kernel, space: Mm, area: Vma) -> None:
    """The area takes the place of whatever is there. Shared anonymous memory gets its object now."""
    if area.flags & SHARED and not area.inode:
        area = area._replace(inode=nameless.create(k, area.end - area.start), name=b"/dev/zero (deleted)")
    vmas.remove(k, space, area.start, area.end)
    mm.map_area(k, space, area)
    vmas.join(k, space, area.start, area.end)


def _object(k: Kernel, area: Vma, flags: int, file_id: int, offset: int) -> Vma:
    """The area with what MAP_SHARED or MAP_PRIVATE of the file means; refuses what can't be (do_mmap in mm/mmap.c)."""
    kind = flags & MAP_TYPE
    if not file_id:
        return _anonymous(area, kind, flags)
    file = k.files.peek(file_id)
    inode = k.inodes.peek(file.inode)
    _check_mappable(area, flags, file, inode)
    if inode.driver == "zero":
        return _anonymous(area, MAP_PRIVATE if kind == MAP_PRIVATE else MAP_SHARED, flags)
    writable = file.writable() and not inode.seals & _NO_WRITING
    shared = 0 if kind == MAP_PRIVATE else SHARED if writable else SHARED | NEVER_WRITABLE
    return area._replace(flags=area.flags | shared, inode=file.inode, offset=offset)


def _check_mappable(area: Vma, flags: int, file: OpenFile, inode: Inode) -> None:
    """Raises EINVAL, EOPNOTSUPP, EACCES (how it was opened), ENODEV (a pipe...), EPERM (a seal), in Linux's order."""
    kind = flags & MAP_TYPE
    stored = kind != MAP_PRIVATE and area.prot & PROT_WRITE
    if kind not in (MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE):
        raise SysError(EINVAL)
    if kind == MAP_SHARED_VALIDATE and flags & ~_KNOWN:
        raise SysError(EOPNOTSUPP)
    if (stored and not file.writable()) or not file.readable():
        raise SysError(EACCES)
    if not inode.is_regular() and inode.driver != "zero":
        raise SysError(ENODEV)
    if flags & MAP_GROWSDOWN:
        raise SysError(EINVAL)
    if stored and inode.seals & _NO_WRITING:
        raise SysError(EPERM)


def _anonymous(area: Vma, kind: int, flags: int) -> Vma:
    if kind not in (MAP_SHARED, MAP_PRIVATE) or (kind == MAP_SHARED and flags & MAP_GROWSDOWN):
        raise SysError(EINVAL)
    if flags & MAP_GROWSDOWN:
        raise SysError(EOPNOTSUPP)
    return area._replace(flags=area.flags | (SHARED if kind == MAP_SHARED else 0))


@syscall(215, "munmap", "addr*", "length")
def sys_munmap(k: Kernel, t: Task, address: int, length: int) -> int:
    """munmap(2): no page of the range is mapped any more, whatever was there. Raises EINVAL."""
    if address % PAGE or address > TASK_SIZE or not 0 < length <= TASK_SIZE - address:
        raise SysError(EINVAL)
    vmas.remove(k, k.mms[t.mm], address, address + round_up(length))
    return 0


@syscall(226, "mprotect", "addr*", "length", "prot")
def sys_mprotect(k: Kernel, t: Task, address: int, length: int, prot: int) -> int:
    """mprotect(2). Raises EINVAL, ENOMEM (a hole; what lies before it is changed), EACCES. PROT_GROWSDOWN is known."""
    prot &= (1 << 64) - 1
    grows, prot = prot & (PROT_GROWSDOWN | PROT_GROWSUP), prot & ~(PROT_GROWSDOWN | PROT_GROWSUP)
    if grows == PROT_GROWSDOWN | PROT_GROWSUP or address % PAGE:
        raise SysError(EINVAL)
    if not length:
        return 0
    end = address + round_up(length)
    if not address < end < 1 << 64:
        raise SysError(ENOMEM)
    if prot & ~(_PROT | _PROT_SEM):
        raise SysError(EINVAL)
    space = k.mms[t.mm]
    if grows:
        address = _stack_start(space, address, end, grows)
    _protect(k, t, space, address, end, prot & _PROT)
    return 0


def _stack_start(space: Mm, address: int, end: int, grows: int) -> int:
    """PROT_GROWSDOWN: the change begins where the stack does. Raises ENOMEM, EINVAL."""
    vma = next((v for v in space.vmas if v.end > address), None)
    if vma is None or (vma.start >= end if grows == PROT_GROWSDOWN else vma.start > address):
        raise SysError(ENOMEM)
    if grows == PROT_GROWSUP or not vma.flags & GROWS_DOWN:
        raise SysError(EINVAL)
    return vma.start


def _protect(k: Kernel, t: Task, space: Mm, address: int, end: int, prot: int) -> None:
    for vma in vmas.overlapping(space, address, end):
        if vma.start > address:
            break
        if prot & PROT_WRITE and vma.flags & NEVER_WRITABLE:
            raise SysError(EACCES)
        part = vmas.part(vma, address, end)
        if not needs_memory(part) and needs_memory(part._replace(prot=prot)) and exceeds_memory(k, part.end - address):
            raise SysError(ENOMEM)
        if not memory_limits.is_data(part) and not memory_limits.may_expand(
            k, t, space, part._replace(prot=prot), part.end - address, total=False
        ):
            raise SysError(ENOMEM)
        if vma.prot != prot:
            pagetable_ranges.own_range(k, space.root, part.start, part.end)
            vmas.change(k, space, part.start, part.end, lambda old: old._replace(prot=prot))
            pagetable_ranges.protect(k, space.root, part.start, part.end, mm.rights(prot), bool(prot & PROT_WRITE))
            mm.flush(k, space)
        address = part.end
    if address < end:
        raise SysError(ENOMEM)


def needs_memory(vma: Vma) -> bool:
    """Will its pages need frames of their own: is it private and writable, or shared memory without a file?"""
    if vma.flags & SHARED:
        return not vma.inode
    return bool(vma.prot & PROT_WRITE)


def exceeds_memory(k: Kernel, size: int) -> bool:
    """Is this one request more than the machine has? (Linux's overcommit_memory 0 refuses just these.)"""
    return size // PAGE > k.frames.total


def round_up(value: int) -> int:
    """To whole pages."""
    return (value + PAGE - 1) & -PAGE
