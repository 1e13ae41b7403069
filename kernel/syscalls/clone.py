"""System calls that make tasks, and part what they share: clone, clone3, unshare."""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING

from kernel import clone
from kernel.clone import CSIGNAL, Request
from kernel.errno import E2BIG, EINVAL, SysError
from kernel.mm import TASK_SIZE
from kernel.signal_numbers import LAST_SIGNAL
from kernel.syscalls.table import syscall
from kernel.user_memory import copy_in
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

# struct clone_args: eleven 64-bit words, of which the first eight (64 bytes) must be there.
FIRST_SIZE, CGROUP_SIZE = 64, 88
MAX_PID_NS_LEVEL = 32
_LEGACY = 0xFFFFFFFF
_CLONE3 = _LEGACY | clone.CLONE_CLEAR_SIGHAND | clone.CLONE_INTO_CGROUP


@syscall(220, "clone", "flags", "stack*", "parent_tid*", "tls", "child_tid*")
def sys_clone(k: Kernel, t: Task, flags: int, stack: int, parent_tid: int, tls: int, child_tid: int) -> int:
    """clone(2); the order of arguments is RISC-V's. The low byte of the flags is the signal for the parent.

    A pidfd goes to where the tid would go with CLONE_PARENT_SETTID.
    """
    mask, signal = flags & _LEGACY & ~CSIGNAL, flags & CSIGNAL
    return clone.clone(k, t, Request(mask, signal, stack, tls, parent_tid, child_tid, pidfd=parent_tid))


@syscall(435, "clone3", "args*", "size")
def sys_clone3(k: Kernel, t: Task, address: int, size: int) -> int:
    """clone3(2). SysError EINVAL, E2BIG (fields that are not known have values), EFAULT, and those of clone.

    CLONE_INTO_CGROUP is EBADF: there are no cgroups, so no descriptor is one's.
    """
    if t.pending is not None:
        return clone.clone(k, t, Request(0, 0))  # its vfork goes on
    fields = _fields(k, t, address, size)
    flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup = fields
    if set_tid_size > MAX_PID_NS_LEVEL or bool(set_tid) != bool(set_tid_size):
        raise SysError(EINVAL)
    if exit_signal > LAST_SIGNAL:
        raise SysError(EINVAL)
    if flags & clone.CLONE_INTO_CGROUP and (cgroup > 0x7FFFFFFF or size < CGROUP_SIZE):
        raise SysError(EINVAL)
    tids = unpack(f"<{set_tid_size}i", copy_in(k, t, set_tid, 4 * set_tid_size))
    _check_flags(flags, exit_signal)
    sp = _stack_end(stack, stack_size)
    return clone.clone(k, t, Request(flags, exit_signal, sp, tls, parent_tid, child_tid, tids, pidfd))


def _fields(k: Kernel, t: Task, address: int, size: int) -> tuple[int, ...]:
    """The words of struct clone_args, which may be an older or a newer one than ours (copy_struct_from_user)."""
    if size > PAGE:
        raise SysError(E2BIG)
    if size < FIRST_SIZE:
        raise SysError(EINVAL)
    data = copy_in(k, t, address, size)
    if any(data[CGROUP_SIZE:]):
        raise SysError(E2BIG)
    return unpack("<11Q", data[:CGROUP_SIZE].ljust(CGROUP_SIZE, b"\0"))


def _check_flags(flags: int, exit_signal: int) -> None:
    """clone3_args_valid of Linux's kernel/fork.c."""
    if flags & ~_CLONE3 or flags & (clone.CLONE_DETACHED | CSIGNAL & ~clone.CLONE_NEWTIME):
        raise SysError(EINVAL)
    if flags & clone.CLONE_SIGHAND and flags & clone.CLONE_CLEAR_SIGHAND:
        raise SysError(EINVAL)
    if flags & (clone.CLONE_THREAD | clone.CLONE_PARENT) and exit_signal:
        raise SysError(EINVAL)


def _stack_end(stack: int, size: int) -> int:
    """clone3 gets the stack's lowest address and its size; the child begins at its end. 0: the caller's sp."""
    if bool(stack) != bool(size) or stack + size > TASK_SIZE:
        raise SysError(EINVAL)
    return stack + size


@syscall(97, "unshare", "flags")
def sys_unshare(k: Kernel, t: Task, flags: int) -> int:
    """unshare(2): CLONE_FILES, CLONE_FS, CLONE_SYSVSEM; the other kinds as far as there is nothing to part."""
    clone.unshare(k, t, flags)
    return 0
