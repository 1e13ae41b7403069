"""System calls that make files to wait on: eventfd2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EINVAL, SysError
from kernel.fs import special
from kernel.fs.constants import O_CLOEXEC, O_NONBLOCK
from kernel.fs.eventfd import DRIVER, EventFd
from kernel.syscalls.table import syscall

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

EFD_SEMAPHORE = 1


@syscall(19, "eventfd2", "count", "flags")
def sys_eventfd2(k: Kernel, t: Task, count: int, flags: int) -> int:
    """eventfd(2). Raises EINVAL, EMFILE, ENFILE."""
    flags &= 0xFFFFFFFF
    if flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK):
        raise SysError(EINVAL)
    event = EventFd(count & 0xFFFFFFFF, bool(flags & EFD_SEMAPHORE))
    return special.make(k, t, DRIVER, lambda: k.eventfds.add(event), flags)
