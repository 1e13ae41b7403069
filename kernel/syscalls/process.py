"""System calls of the process family: execve, exit and who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import exec as program
from kernel import lifecycle
from kernel.errno import E2BIG, SysError
from kernel.syscalls.table import syscall
from kernel.user_memory import copy_in_pointers, copy_in_string

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


@syscall(221, "execve", "path*", "argv*", "envp*")
def sys_execve(k: Kernel, t: Task, path: int, argv: int, envp: int) -> None:
    """execve(2). A null argv or envp is an empty one. On success no register is left to hold a result."""
    name = copy_in_string(k, t, path)
    program.execve(k, t, name, _strings(k, t, argv), _strings(k, t, envp))


def _strings(k: Kernel, t: Task, va: int) -> list[bytes]:
    """An array of strings. SysError E2BIG if one, or all together, are more than exec takes; EFAULT."""
    if not va:
        return []
    left = program.max_strings(k, t)
    strings = []
    for pointer in copy_in_pointers(k, t, va, left // 8, E2BIG):
        strings.append(copy_in_string(k, t, pointer, program.MAX_STRING, E2BIG))
        left -= len(strings[-1]) + 1 + 8
        if left < 0:
            raise SysError(E2BIG)
    return strings


@syscall(93, "exit", "status")
def sys_exit(k: Kernel, t: Task, status: int) -> None:
    """_exit(2) of one task. Never returns."""
    lifecycle.exit_task(k, t, (status & 0xFF) << 8)


@syscall(94, "exit_group", "status")
def sys_exit_group(k: Kernel, t: Task, status: int) -> None:
    """exit_group(2): the whole process. Never returns."""
    lifecycle.exit_group(k, k.groups[t.tgid], (status & 0xFF) << 8)


@syscall(172, "getpid")
def sys_getpid(k: Kernel, t: Task) -> int:
    """getpid(2): what programs call the pid is the thread group's id."""
    return t.tgid


@syscall(173, "getppid")
def sys_getppid(k: Kernel, t: Task) -> int:
    """getppid(2): 0 for pid 1."""
    return k.groups.peek(t.tgid).parent


@syscall(178, "gettid")
def sys_gettid(k: Kernel, t: Task) -> int:
    """gettid(2)"""
    return t.tid


@syscall(96, "set_tid_address", "tid*")
def sys_set_tid_address(k: Kernel, t: Task, address: int) -> int:
    """set_tid_address(2)"""
    t.clear_child_tid = address
    return t.tid
