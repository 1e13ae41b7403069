"""System calls of the signal family: sending, actions, masks, waiting for signals, alternate stack."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import itimer, siginfo, signal_frame, signal_stack, signals
from kernel.errno import EAGAIN, EINTR, EINVAL, EPERM, ESRCH, SysError
from kernel.signal_numbers import (
    LAST_SIGNAL,
    SA_EXPOSE_TAGBITS,
    SA_NOCLDSTOP,
    SA_NOCLDWAIT,
    SA_NODEFER,
    SA_ONSTACK,
    SA_RESETHAND,
    SA_RESTART,
    SA_SIGINFO,
    UNBLOCKABLE,
)
from kernel.syscalls.table import signed32, syscall
from kernel.task import DEFAULT, Action
from kernel.user_memory import copy_in, copy_out
from kernel.wait_queues import INTERRUPT, NO_HANDLER, TIMER, WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

_FLAGS = (
    SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND
)  # UAPI_SA_FLAGS: others are forgotten, so that a program can see what is known
SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK = range(3)
SET_SIZE = 8  # bytes of a sigset_t
NS = 1_000_000_000
_SIGNAL: tuple[str, ...] = ("signal",)  # what a task waits on that waits for signals only
SP = 2


@syscall(129, "kill", "pid", "signal")
def sys_kill(k: Kernel, t: Task, pid: int, signal: int) -> int:
    """kill(2)"""
    signals.kill(k, t, signed32(pid), signed32(signal))
    return 0


@syscall(130, "tkill", "tid", "signal")
def sys_tkill(k: Kernel, t: Task, tid: int, signal: int) -> int:
    """tkill(2): to one thread. SysError EINVAL, ESRCH."""
    return _to_thread(k, t, 0, signed32(tid), signed32(signal), None)


@syscall(131, "tgkill", "tgid", "tid", "signal")
def sys_tgkill(k: Kernel, t: Task, tgid: int, tid: int, signal: int) -> int:
    """tgkill(2): to one thread of this process. SysError EINVAL, ESRCH."""
    if signed32(tgid) <= 0:
        raise SysError(EINVAL)
    return _to_thread(k, t, signed32(tgid), signed32(tid), signed32(signal), None)


def _to_thread(k: Kernel, t: Task, tgid: int, tid: int, signal: int, info: siginfo.Info | None) -> int:
    """`tgid` 0: any process."""
    if tid <= 0:
        raise SysError(EINVAL)
    if tid not in k.tasks or (tgid and k.tasks.peek(tid).tgid != tgid):
        if tid in k.groups and tgid in (0, tid):
            _check_permission(k, t, tid, signal)
            return 0  # a zombie
        raise SysError(ESRCH)
    _check_permission(k, t, k.tasks.peek(tid).tgid, signal)
    if signal:
        signals.send_to_task(k, k.tasks[tid], info or siginfo.by_user(signal, t, siginfo.SI_TKILL))
    return 0


@syscall(138, "rt_sigqueueinfo", "tgid", "signal", "info*")
def sys_rt_sigqueueinfo(k: Kernel, t: Task, tgid: int, signal: int, info: int) -> int:
    """rt_sigqueueinfo(2). SysError EPERM for a siginfo that only the kernel may send; EAGAIN, EINVAL, ESRCH."""
    pid = signed32(tgid)
    queued = _own_info(t, signed32(signal), copy_in(k, t, info, siginfo.SIZE), pid)
    if pid <= 0 or (pid not in k.groups and pid not in k.tasks):
        raise SysError(ESRCH)
    tgid = pid if pid in k.groups else k.tasks.peek(pid).tgid
    _check_permission(k, t, tgid, signed32(signal))
    if signed32(signal):
        signals.send(k, tgid, queued, pid)
    return 0


def _check_permission(k: Kernel, t: Task, tgid: int, signal: int) -> None:
    signals.check_number(signal)
    if not signals.may_send(k, t, tgid, signal):
        raise SysError(EPERM)


@syscall(240, "rt_tgsigqueueinfo", "tgid", "tid", "signal", "info*")
def sys_rt_tgsigqueueinfo(k: Kernel, t: Task, tgid: int, tid: int, signal: int, info: int) -> int:
    """rt_tgsigqueueinfo(2): the same to one thread."""
    raw = copy_in(k, t, info, siginfo.SIZE)
    if signed32(tgid) <= 0 or signed32(tid) <= 0:
        raise SysError(EINVAL)
    queued = _own_info(t, signed32(signal), raw, signed32(tid))
    return _to_thread(k, t, signed32(tgid), signed32(tid), signed32(signal), queued)


def _own_info(t: Task, signal: int, raw: bytes, pid: int) -> siginfo.Info:
    queued = siginfo.queued(signal, t.tgid, raw)
    if (queued.code >= 0 or queued.code == siginfo.SI_TKILL) and pid != t.tid:
        raise SysError(EPERM)
    return queued


@syscall(134, "rt_sigaction", "signal", "action*", "old*", "size")
def sys_rt_sigaction(k: Kernel, t: Task, signal: int, action: int, old: int, size: int) -> int:
    """rt_sigaction(2). SysError EINVAL (no such signal, SIGKILL, SIGSTOP, size of the set), EFAULT."""
    number = signed32(signal)
    _check_size(size)
    new = Action(*unpack("<3Q", copy_in(k, t, action, 24))) if action else None
    if not 0 < number <= LAST_SIGNAL or (new and UNBLOCKABLE >> number - 1 & 1):
        raise SysError(EINVAL)
    sighand = k.sighands[t.sighand]
    before = sighand.actions.get(number, DEFAULT)
    if new:
        new = Action(new.handler, new.flags & _FLAGS, new.mask & ~UNBLOCKABLE)
        sighand.actions[number] = new
        if signals.is_ignored(new, number):
            signals.forget(k, k.groups[t.tgid], 1 << number - 1)
    if old:
        copy_out(k, t, old, pack("<3Q", *before))
    return 0


def _check_size(size: int) -> None:
    if size != SET_SIZE:
        raise SysError(EINVAL)


@syscall(135, "rt_sigprocmask", "how", "set*", "old*", "size")
def sys_rt_sigprocmask(k: Kernel, t: Task, how: int, new: int, old: int, size: int) -> int:
    """rt_sigprocmask(2)"""
    _check_size(size)
    before = t.blocked
    if new:
        mask = _set(k, t, new)
        how = signed32(how)
        if how not in (SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK):
            raise SysError(EINVAL)
        after = before | mask if how == SIG_BLOCK else before & ~mask if how == SIG_UNBLOCK else mask
        signals.set_blocked(k, t, after)
    if old:
        copy_out(k, t, old, before.to_bytes(8, "little"))
    return 0


def _set(k: Kernel, t: Task, address: int) -> int:
    return int.from_bytes(copy_in(k, t, address, SET_SIZE), "little")


@syscall(136, "rt_sigpending", "set*", "size")
def sys_rt_sigpending(k: Kernel, t: Task, address: int, size: int) -> int:
    """rt_sigpending(2): what is blocked and waits."""
    if size > SET_SIZE:
        raise SysError(EINVAL)
    pending = (t.signals | k.groups.peek(t.tgid).signals) & t.blocked
    copy_out(k, t, address, pending.to_bytes(8, "little")[:size])
    return 0


@syscall(133, "rt_sigsuspend", "set*", "size")
def sys_rt_sigsuspend(k: Kernel, t: Task, address: int, size: int) -> int:
    """rt_sigsuspend(2): waits, with another mask, until a handler has run. Always EINTR."""
    if t.pending is None:
        _check_size(size)
        mask = _set(k, t, address)
        t.saved_mask = t.blocked
        signals.set_blocked(k, t, mask)
    raise WouldBlock(_SIGNAL, restart=NO_HANDLER)


@syscall(137, "rt_sigtimedwait", "set*", "info*", "timeout*", "size")
def sys_rt_sigtimedwait(k: Kernel, t: Task, address: int, info: int, timeout: int, size: int) -> int:
    """rt_sigtimedwait(2): takes a pending signal. SysError EAGAIN (time is up), EINTR (woken for another one), EINVAL.

    As on Linux, who was woken tells other threads that could have the signal, before taking it: for those that come
    too late it is EINTR.
    """
    _check_size(size)
    if t.pending is None:
        wanted, deadline = _set(k, t, address) & ~UNBLOCKABLE, _deadline(k, t, timeout)
    else:
        wanted, deadline = t.awaited, t.pending.deadline
        signals.retarget(k, t, wanted & t.blocked)
    found = signals.take(k, t, wanted)
    if found is None:
        if deadline is not None and k.now >= deadline:
            raise SysError(EAGAIN)
        if t.pending is not None:
            raise SysError(EINTR)
        t.awaited = wanted
        raise WouldBlock(_SIGNAL if deadline is None else TIMER, deadline, restart=INTERRUPT)
    if info:
        copy_out(k, t, info, found.raw)
    return found.signal


def _deadline(k: Kernel, t: Task, timeout: int) -> int | None:
    if not timeout:
        return None
    seconds, ns = unpack("<2q", copy_in(k, t, timeout, 16))
    if seconds < 0 or not 0 <= ns < NS:
        raise SysError(EINVAL)
    return min(k.now + int(seconds * NS + ns), itimer.LAST)


@syscall(139, "rt_sigreturn")
def sys_rt_sigreturn(k: Kernel, t: Task) -> None:
    """rt_sigreturn(2): a handler has returned. A frame that isn't one is a SIGSEGV."""
    try:
        signal_frame.pop(k, t)
    except SysError:
        signals.force_segv(k, t)


@syscall(128, "restart_syscall")
def sys_restart_syscall(k: Kernel, t: Task) -> int:
    """restart_syscall(2): for the kernel's own use on Linux; there is never anything to restart."""
    raise SysError(EINTR)


@syscall(132, "sigaltstack", "stack*", "old*")
def sys_sigaltstack(k: Kernel, t: Task, new: int, old: int) -> int:
    """sigaltstack(2). SysError EPERM, EINVAL, ENOMEM, EFAULT."""
    data = copy_in(k, t, new, signal_stack.SIZE) if new else b""
    sp = t.hart.x[SP]
    before = signal_stack.describe(t, sp)
    if new:
        signal_stack.change(t, sp, data)
    if old:
        copy_out(k, t, old, before)
    return 0
