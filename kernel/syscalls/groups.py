"""System calls about process groups and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import pgroups
from kernel.syscalls.table import signed32, syscall

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(154, "setpgid", "pid", "pgid")
def sys_setpgid(k: Kernel, t: Task, pid: int, pgid: int) -> int:
    """setpgid(2). SysError EACCES, EINVAL, EPERM, ESRCH."""
    pgroups.setpgid(k, t, signed32(pid), signed32(pgid))
    return 0


@syscall(155, "getpgid", "pid")
def sys_getpgid(k: Kernel, t: Task, pid: int) -> int:
    """getpgid(2) of any process; 0 is the caller. SysError(ESRCH)."""
    return pgroups.find(k, t, signed32(pid)).pgid


@syscall(156, "getsid", "pid")
def sys_getsid(k: Kernel, t: Task, pid: int) -> int:
    """getsid(2) of any process; 0 is the caller. SysError(ESRCH)."""
    return pgroups.find(k, t, signed32(pid)).sid


@syscall(157, "setsid")
def sys_setsid(k: Kernel, t: Task) -> int:
    """setsid(2). SysError(EPERM) for the leader of a process group."""
    return pgroups.setsid(k, t)
