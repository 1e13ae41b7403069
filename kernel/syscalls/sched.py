"""System calls of the scheduler, as C libraries ask them: one hart, one class of tasks, no priorities.

The policies that are no real-time ones (SCHED_OTHER, SCHED_BATCH, SCHED_IDLE) are taken and remembered, and all mean
the same round robin. Real-time ones are EPERM, as they are to an unprivileged user on Linux; here to root too.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from kernel import scheduler
from kernel.clone import RESET_ON_FORK
from kernel.errno import EINVAL, EPERM, ESRCH, SysError
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

OTHER, FIFO, RR, BATCH, IDLE = 0, 1, 2, 3, 5
HIGHEST_PRIORITY = 99
MASK_SIZE = 8  # bytes of the kernel's own CPU mask
CPUS = 1


def _find(k: Kernel, t: Task, pid: int) -> Task:
    """The thread that a pid_t means; 0 is the caller. SysError EINVAL (negative), ESRCH.

    For a leader that has ended before its threads one of them answers. (On Linux it can be asked itself as long as its
    number is taken, a zombie too.)
    """
    number = signed32(pid)
    if number < 0:
        raise SysError(EINVAL)
    if not number:
        return t
    if number in k.tasks:
        return k.tasks[number]
    if number in k.groups and k.groups.peek(number).threads:
        return k.tasks[next(iter(k.groups.peek(number).threads))]
    raise SysError(ESRCH)


@syscall(124, "sched_yield")
def sys_sched_yield(k: Kernel, t: Task) -> int:
    """sched_yield(2): the time slice ends here."""
    scheduler.yield_now(k)
    return 0


@syscall(119, "sched_setscheduler", "pid", "policy", "param*")
def sys_sched_setscheduler(k: Kernel, t: Task, pid: int, policy: int, parameter: int) -> int:
    """sched_setscheduler(2). SysError EINVAL, EFAULT, ESRCH, EPERM (FIFO and RR)."""
    if signed32(policy) < 0:
        raise SysError(EINVAL)
    return _set(k, t, pid, signed32(policy), parameter)


@syscall(118, "sched_setparam", "pid", "param*")
def sys_sched_setparam(k: Kernel, t: Task, pid: int, parameter: int) -> int:
    """sched_setparam(2): without real-time policies the only priority is 0."""
    return _set(k, t, pid, None, parameter)


def _set(k: Kernel, t: Task, pid: int, policy: int | None, parameter: int) -> int:
    if not parameter or signed32(pid) < 0:
        raise SysError(EINVAL)
    priority = int.from_bytes(copy_in(k, t, parameter, 4), "little", signed=True)
    target = _find(k, t, pid)
    wanted = target.policy if policy is None else policy
    kind = wanted & ~RESET_ON_FORK
    if kind not in (OTHER, FIFO, RR, BATCH, IDLE) or not 0 <= priority <= HIGHEST_PRIORITY:
        raise SysError(EINVAL)
    if (kind in (FIFO, RR)) != (priority != 0):
        raise SysError(EINVAL)
    if kind in (FIFO, RR):
        raise SysError(EPERM)
    target.policy = wanted
    return 0


@syscall(120, "sched_getscheduler", "pid")
def sys_sched_getscheduler(k: Kernel, t: Task, pid: int) -> int:
    """sched_getscheduler(2)"""
    return _find(k, t, pid).policy


@syscall(121, "sched_getparam", "pid", "param*")
def sys_sched_getparam(k: Kernel, t: Task, pid: int, parameter: int) -> int:
    """sched_getparam(2): the priority, which is 0."""
    if not parameter:
        raise SysError(EINVAL)
    _find(k, t, pid)
    copy_out(k, t, parameter, bytes(4))
    return 0


@syscall(122, "sched_setaffinity", "pid", "size", "mask*")
def sys_sched_setaffinity(k: Kernel, t: Task, pid: int, size: int, mask: int) -> int:
    """sched_setaffinity(2). SysError EINVAL if the one hart isn't in the mask; EFAULT, ESRCH."""
    wanted = int.from_bytes(copy_in(k, t, mask, min(size & 0xFFFFFFFF, MASK_SIZE)), "little")
    if signed32(pid) < 0:
        raise SysError(ESRCH)
    _find(k, t, pid)
    if not wanted & (1 << CPUS) - 1:
        raise SysError(EINVAL)
    return 0


@syscall(123, "sched_getaffinity", "pid", "size", "mask*")
def sys_sched_getaffinity(k: Kernel, t: Task, pid: int, size: int, mask: int) -> int:
    """sched_getaffinity(2): it gives the size of the kernel's mask. SysError EINVAL (size), ESRCH, EFAULT."""
    size &= 0xFFFFFFFF
    if size % MASK_SIZE or size * 8 < CPUS:
        raise SysError(EINVAL)
    if signed32(pid) < 0:
        raise SysError(ESRCH)
    _find(k, t, pid)
    copy_out(k, t, mask, ((1 << CPUS) - 1).to_bytes(MASK_SIZE, "little"))
    return MASK_SIZE


@syscall(125, "sched_get_priority_max", "policy")
def sys_sched_get_priority_max(k: Kernel, t: Task, policy: int) -> int:
    """sched_get_priority_max(2)"""
    return _priority(signed32(policy), HIGHEST_PRIORITY)


@syscall(126, "sched_get_priority_min", "policy")
def sys_sched_get_priority_min(k: Kernel, t: Task, policy: int) -> int:
    """sched_get_priority_min(2)"""
    return _priority(signed32(policy), 1)


def _priority(policy: int, of_realtime: int) -> int:
    if policy in (FIFO, RR):
        return of_realtime
    if policy in (OTHER, BATCH, IDLE):
        return 0
    raise SysError(EINVAL)


@syscall(127, "sched_rr_get_interval", "pid", "time*")
def sys_sched_rr_get_interval(k: Kernel, t: Task, pid: int, time: int) -> int:
    """sched_rr_get_interval(2): the length of a time slice, an instruction being a nanosecond."""
    _find(k, t, pid)
    copy_out(k, t, time, pack("<2q", 0, k.config.quantum))
    return 0


@syscall(168, "getcpu", "cpu*", "node*", "unused")
def sys_getcpu(k: Kernel, t: Task, cpu: int, node: int, unused: int) -> int:
    """getcpu(2): there is one."""
    for address in (cpu, node):
        if address:
            copy_out(k, t, address, bytes(4))
    return 0
