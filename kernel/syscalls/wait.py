"""System calls that wait for children: wait4 and waitid."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from kernel import wait
from kernel.errno import EAGAIN, EINVAL, SysError
from kernel.fs import pidfd
from kernel.siginfo import CLD_CONTINUED, CLD_EXITED, CLD_KILLED, CLD_STOPPED
from kernel.signal_numbers import SIGCHLD, SIGCONT
from kernel.stopping import CONTINUED_STATUS
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

P_ALL, P_PID, P_PGID, P_PIDFD = range(4)


@syscall(260, "wait4", "pid", "status*", "options", "rusage*")
def sys_wait4(k: Kernel, t: Task, pid: int, status: int, options: int, usage: int) -> int:
    """wait4(2). As on Linux the child is reaped even if `status` or `usage` can't be written (EFAULT)."""
    found = wait.wait4(k, t, signed32(pid), options & 0xFFFFFFFF)
    if found is None:
        return 0
    if status:
        copy_out(k, t, status, found.status.to_bytes(4, "little"))
    if usage:
        copy_out(k, t, usage, found.usage.pack())
    return found.pid


@syscall(95, "waitid", "which", "id", "info*", "options", "rusage*")
def sys_waitid(k: Kernel, t: Task, which: int, number: int, info: int, options: int, usage: int) -> int:
    """waitid(2), with the fifth argument that glibc doesn't show. `info` is written in any case, as on Linux: zeros if
    there is nothing to say, or an error. SysError EINVAL, ECHILD, EBADF (no pidfd), EAGAIN (PIDFD_NONBLOCK), EFAULT.
    """
    error, found = None, None
    try:
        found = _waitid(k, t, signed32(which), signed32(number), options & 0xFFFFFFFF)
    except SysError as refusal:
        error = refusal
    if found is not None and usage:
        copy_out(k, t, usage, found.usage.pack())
    if info:
        _store_info(k, t, info, found)
    if error is not None:
        raise error
    return 0


def _waitid(k: Kernel, t: Task, which: int, number: int, options: int) -> wait.Found | None:
    asked = wait.WEXITED | wait.WSTOPPED | wait.WCONTINUED
    if options & ~wait.WAITID_OPTIONS or not options & asked:
        raise SysError(EINVAL)
    if which == P_ALL:
        return wait.wait(k, t, wait.ANY, 0, options)
    if which == P_PIDFD and number >= 0:
        return _by_pidfd(k, t, number, options)
    if which not in (P_PID, P_PGID) or number < 0 or (which == P_PID and not number):
        raise SysError(EINVAL)
    return wait.wait(k, t, wait.PID if which == P_PID else wait.PGID, number, options)


def _by_pidfd(k: Kernel, t: Task, fd: int, options: int) -> wait.Found | None:
    """The descriptor is looked at once; a PIDFD_NONBLOCK one makes nobody wait."""
    if t.pending is not None:
        return wait.wait(k, t, wait.PID, 0, options)
    pid, flags = pidfd.look_up(k, t, fd)
    if not flags & pidfd.PIDFD_NONBLOCK:
        return wait.wait(k, t, wait.PID, pid, options)
    found = wait.wait(k, t, wait.PID, pid, options | wait.WNOHANG)
    if found is None and not options & wait.WNOHANG:
        raise SysError(EAGAIN)
    return found


def _store_info(k: Kernel, t: Task, address: int, found: wait.Found | None) -> None:
    """si_signo, si_errno, si_code; si_pid, si_uid, si_status. What lies between and behind stays as it is."""
    signal, code, pid, uid, status = (0, 0, 0, 0, 0) if found is None else (SIGCHLD, *_cause(found))
    copy_out(k, t, address, pack("<3i", signal, 0, code))
    copy_out(k, t, address + 16, pack("<iIi", pid, uid, status))


def _cause(found: wait.Found) -> tuple[int, int, int, int]:
    """(si_code, si_pid, si_uid, si_status)"""
    word = found.status
    if word == CONTINUED_STATUS:
        code, status = CLD_CONTINUED, SIGCONT
    elif word & 0xFF == 0x7F:
        code, status = CLD_STOPPED, word >> 8
    elif word & 0x7F:
        code, status = CLD_KILLED, word & 0x7F
    else:
        code, status = CLD_EXITED, word >> 8
    return code, found.pid, found.uid, status
