"""System calls about pidfds: pidfd_open, pidfd_send_signal, pidfd_getfd. As of Linux 6.18."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import credentials, pgroups, siginfo, signals
from kernel.errno import EINVAL, ENOENT, EPERM, ESRCH, SysError
from kernel.fs import fdtable, pidfd
from kernel.fs import file as files
from kernel.fs.pidfd import PIDFD_NONBLOCK, PIDFD_THREAD
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

SIGNAL_THREAD, SIGNAL_THREAD_GROUP, SIGNAL_PROCESS_GROUP = 1, 2, 4


@syscall(434, "pidfd_open", "pid", "flags")
def sys_pidfd_open(k: Kernel, t: Task, pid: int, flags: int) -> int:
    """pidfd_open(2). SysError EINVAL, ESRCH, ENOENT (no leader, and no PIDFD_THREAD), EMFILE, ENFILE."""
    pid, flags = signed32(pid), flags & 0xFFFFFFFF
    if flags & ~(PIDFD_NONBLOCK | PIDFD_THREAD) or pid <= 0:
        raise SysError(EINVAL)
    if pid not in k.groups:
        if pid not in k.tasks:
            raise SysError(ESRCH)
        if not flags & PIDFD_THREAD:
            raise SysError(ENOENT)
    return pidfd.make(k, t, pid, flags)


@syscall(424, "pidfd_send_signal", "pidfd", "signal", "info*", "flags")
def sys_pidfd_send_signal(k: Kernel, t: Task, fd: int, signal: int, info: int, flags: int) -> int:
    """pidfd_send_signal(2): to the process, its thread or its group. SysError EBADF, EINVAL, EPERM, ESRCH, EFAULT."""
    flags, number = flags & 0xFFFFFFFF, signed32(signal)
    if flags not in (0, SIGNAL_THREAD, SIGNAL_THREAD_GROUP, SIGNAL_PROCESS_GROUP):
        raise SysError(EINVAL)
    pid, opened = pidfd.look_up(k, t, fd)
    if not flags:
        flags = SIGNAL_THREAD if opened & PIDFD_THREAD else SIGNAL_THREAD_GROUP
    queued = _own_info(k, t, number, info, pid, flags) if info else None
    if not pid:
        raise SysError(ESRCH)
    if flags == SIGNAL_THREAD and pid in k.tasks:
        _to_thread(k, t, pid, number, queued)
    else:
        group = pgroups.find(k, t, pid).tgid
        targets = pgroups.members(k, pid) if flags == SIGNAL_PROCESS_GROUP else [group]
        signals.send_to_all(k, t, targets, number, queued, preferred=pid)
    return 0


def _to_thread(k: Kernel, t: Task, tid: int, signal: int, info: siginfo.Info | None) -> None:
    signals.check_number(signal)
    target = k.tasks[tid]
    if not signals.may_send(k, t, target.tgid, signal):
        raise SysError(EPERM)
    if signal:
        signals.send_to_task(k, target, info or siginfo.by_user(signal, t, siginfo.SI_TKILL))


def _own_info(k: Kernel, t: Task, signal: int, address: int, pid: int, flags: int) -> siginfo.Info:
    """The caller's own siginfo: it must be for this signal, and only a thread itself may be told anything at all."""
    raw = copy_in(k, t, address, siginfo.SIZE)
    queued = siginfo.queued(signal, t.tgid, raw)
    if int.from_bytes(raw[:4], "little", signed=True) != signal:
        raise SysError(EINVAL)
    to_itself = pid == t.tid and flags != SIGNAL_PROCESS_GROUP
    if not to_itself and (queued.code >= 0 or queued.code == siginfo.SI_TKILL):
        raise SysError(EPERM)
    return queued


@syscall(438, "pidfd_getfd", "pidfd", "fd", "flags")
def sys_pidfd_getfd(k: Kernel, t: Task, fd: int, wanted: int, flags: int) -> int:
    """pidfd_getfd(2): the caller's own descriptor for another's open file. Raises EINVAL, EBADF, ESRCH, EPERM, EMFILE.

    Who may do that is who may attach with ptrace: the same user and group, with no more capabilities; CAP_SYS_PTRACE.
    """
    if flags & 0xFFFFFFFF:
        raise SysError(EINVAL)
    pid, _ = pidfd.look_up(k, t, fd)
    if pid not in k.tasks:
        raise SysError(ESRCH)
    target = k.tasks.peek(pid)
    if target.tgid != t.tgid and not credentials.may_trace(t.cred, target.cred, k.mms.peek(target.mm).dumpable):
        raise SysError(EPERM)
    opened = fdtable.file_id(k.fdtables.peek(target.fdtable), wanted)
    new = fdtable.lowest_free(k, t)
    files.hold(k, opened)
    fdtable.install(k, t.fdtable, new, opened, cloexec=True)
    return new
