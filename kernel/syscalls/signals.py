"""System calls of the signal family: kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import signals
from kernel.syscalls.table import signed32, syscall

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(129, "kill", "pid", "signal")
def sys_kill(k: Kernel, t: Task, pid: int, signal: int) -> int:
    """kill(2)"""
    signals.kill(k, t, signed32(pid), signed32(signal))
    return 0
