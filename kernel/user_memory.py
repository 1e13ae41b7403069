"""Copying between the kernel and a program's memory: the only way in, with the program's own rights.

Each page goes through the MMU with the task's satp, as U-mode would; what faults is resolved by the same handler as
for the program's own accesses (demand-zero, file pages, stack growth, COW: a `read` into a shared page copies it).
What the program itself could not touch is SysError(EFAULT).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import fault
from kernel.errno import EFAULT, SysError
from kernel.mm import TASK_SIZE
from vm.mmu import PageFault
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


def copy_in(k: Kernel, t: Task, va: int, size: int) -> bytes:
    """`size` bytes from the program's memory. SysError(EFAULT) if any of them isn't readable."""
    first = PAGE - (va & PAGE - 1)
    if size <= first:
        return k.machine.ram.read(_address(k, t, va, "load"), size) if size else b""
    _check_range(va, size)
    parts = []
    while size:
        step = min(size, PAGE - (va & PAGE - 1))
        parts.append(k.machine.ram.read(_address(k, t, va, "load"), step))
        va += step
        size -= step
    return b"".join(parts)


def copy_out(k: Kernel, t: Task, va: int, data: bytes | bytearray | memoryview) -> None:
    """Stores `data` in the program's memory. SysError(EFAULT) if it may not write there; bytes before that stay."""
    size = len(data)
    if size <= PAGE - (va & PAGE - 1):
        if size:
            k.machine.ram.write(_address(k, t, va, "store"), data)
        return
    _check_range(va, size)
    view, done = memoryview(data), 0
    while done < size:
        step = min(size - done, PAGE - (va & PAGE - 1))
        k.machine.ram.write(_address(k, t, va, "store"), view[done : done + step])
        va += step
        done += step


def copy_in_string(k: Kernel, t: Task, va: int, limit: int = 4096, error: int | None = None) -> bytes:
    """The bytes up to a NUL, without it. EFAULT; ENAMETOOLONG (or `error`) if there is none in `limit` bytes."""
    parts: list[bytes] = []
    while limit > 0:
        step = min(limit, PAGE - (va & PAGE - 1))
        part = k.machine.ram.read(_address(k, t, va, "load"), step)
        end = part.find(0)
        if end >= 0:
            parts.append(part[:end])
            return b"".join(parts)
        parts.append(part)
        va += step
        limit -= step
    from kernel.errno import ENAMETOOLONG

    raise SysError(ENAMETOOLONG if error is None else error)


def copy_in_words(k: Kernel, t: Task, va: int, count: int) -> list[int]:
    """`count` unsigned 64-bit words."""
    return memoryview(copy_in(k, t, va, 8 * count)).cast("Q").tolist()


def copy_in_pointers(k: Kernel, t: Task, va: int, limit: int, error: int) -> list[int]:
    """The 64-bit pointers before a null one (argv, envp). SysError(error) if there are more than `limit`."""
    pointers: list[int] = []
    while True:
        count = (PAGE - (va & PAGE - 1)) // 8 or 1
        for pointer in copy_in_words(k, t, va, count):
            if not pointer:
                return pointers
            pointers.append(pointer)
        if len(pointers) > limit:
            raise SysError(error)
        va += 8 * count


def _check_range(va: int, size: int) -> None:
    """A long range that leaves the user's half is refused before it is walked."""
    if va + size > TASK_SIZE:
        raise SysError(EFAULT)


def _address(k: Kernel, t: Task, va: int, access: str) -> int:
    """Where the byte at `va` lies in physical memory, faulting its page in as the hardware's access would have."""
    while True:
        try:
            return k.machine.translate(t.hart, va, access)
        except PageFault:
            if fault.resolve(k, t, va, access, kernel=True) is not None:
                raise SysError(EFAULT) from None
