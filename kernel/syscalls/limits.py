"""System calls of the limits family: prlimit64, getrlimit, setrlimit."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import cpu_time, limits
from kernel.credentials import CAP_SYS_RESOURCE
from kernel.errno import EINVAL, EPERM, ESRCH, SysError
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup

SIZE = 16  # struct rlimit64: soft, hard


@syscall(261, "prlimit64", "pid", "resource", "new*", "old*")
def sys_prlimit64(k: Kernel, t: Task, pid: int, resource: int, new: int, old: int) -> int:
    """prlimit(2): of any process (0: the caller's). SysError EFAULT, ESRCH, EPERM, EINVAL."""
    values = unpack("<2Q", copy_in(k, t, new, SIZE)) if new else None
    group = _group(k, t, signed32(pid))
    _check_owner(t, group)
    before = _exchange(k, t, group, resource & 0xFFFFFFFF, values)
    if old:
        copy_out(k, t, old, pack("<2Q", *before))
    return 0


@syscall(163, "getrlimit", "resource", "limit*")
def sys_getrlimit(k: Kernel, t: Task, resource: int, limit: int) -> int:
    """getrlimit(2). SysError EINVAL, EFAULT."""
    copy_out(k, t, limit, pack("<2Q", *_exchange(k, t, k.groups[t.tgid], resource & 0xFFFFFFFF, None)))
    return 0


@syscall(164, "setrlimit", "resource", "limit*")
def sys_setrlimit(k: Kernel, t: Task, resource: int, limit: int) -> int:
    """setrlimit(2). SysError EFAULT, EINVAL, EPERM."""
    values = unpack("<2Q", copy_in(k, t, limit, SIZE))
    _exchange(k, t, k.groups[t.tgid], resource & 0xFFFFFFFF, values)
    return 0


def _group(k: Kernel, t: Task, pid: int) -> ThreadGroup:
    """The process that `pid` means, by any of its threads. A zombie has limits still."""
    if not pid:
        return k.groups[t.tgid]
    if pid in k.groups:
        return k.groups[pid]
    if pid in k.tasks:
        return k.groups[k.tasks.peek(pid).tgid]
    raise SysError(ESRCH)


def _check_owner(t: Task, group: ThreadGroup) -> None:
    """Only one's own processes, by all three ids (check_prlimit_permission of kernel/sys.c). SysError(EPERM)."""
    me, it = t.cred, group.cred
    same = {me.uid} == {it.uid, it.euid, it.suid} and {me.gid} == {it.gid, it.egid, it.sgid}
    if not same and group.tgid != t.tgid and not me.can(CAP_SYS_RESOURCE):
        raise SysError(EPERM)


def _exchange(k: Kernel, t: Task, group: ThreadGroup, resource: int, new: tuple[int, ...] | None) -> tuple[int, int]:
    """Sets one limit, if `new` (soft, hard) is given; returns what it was. SysError EINVAL, EPERM."""
    if resource >= len(group.limits):
        raise SysError(EINVAL)
    before = group.limits[resource]
    if new is not None:
        soft, hard = new
        if soft > hard:
            raise SysError(EINVAL)
        if resource == limits.NOFILE and hard > limits.MOST_FILES:
            raise SysError(EPERM)
        if hard > before[1] and not t.cred.can(CAP_SYS_RESOURCE):
            raise SysError(EPERM)
        limits.change(group, resource, soft, hard)
        cpu_time.set_alarm(group)
    return before
