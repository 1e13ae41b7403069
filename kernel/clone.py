"""clone: a new task, which shares with the old one what the flags say, and has copies of the rest.

    fork      nothing is shared                              a process
    vfork     CLONE_VM | CLONE_VFORK: memory, for a while    a process
    a thread  CLONE_THREAD | CLONE_SIGHAND | CLONE_VM: memory, signal actions and the process itself; mostly
              CLONE_FILES (descriptors) and CLONE_FS (working directory, umask) too

A child is built whole before anything of it can be seen; what fails on the way is undone (ENOMEM, EAGAIN). What flags
go together is said by copy_process in Linux's kernel/fork.c; clone(2) is the manual page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from kernel import cpu_time, fork_policy, lifecycle, mm, reaper, scheduler, users
from kernel.credentials import CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN
from kernel.errno import EAGAIN, EBADF, EINVAL, EPERM, SysError
from kernel.fs import api as fs
from kernel.signal_numbers import SIG_IGN
from kernel.task import Action, FsStruct, SigHand, Task, ThreadGroup
from kernel.wait_queues import KILLABLE, WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INIT = 1

CSIGNAL = 0xFF
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD = 0x100, 0x200, 0x400, 0x800, 0x1000
CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT, CLONE_THREAD, CLONE_NEWNS = 0x2000, 0x4000, 0x8000, 0x10000, 0x20000
CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID = 0x40000, 0x80000, 0x100000
CLONE_CHILD_CLEARTID, CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID = 0x200000, 0x400000, 0x800000, 0x1000000
CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER = 0x2000000, 0x4000000, 0x8000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET, CLONE_IO = 0x20000000, 0x40000000, 0x80000000
CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP = 0x100000000, 0x200000000  # clone3 only
CLONE_NEWTIME = 0x80  # clone3 and unshare only

NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
) | CLONE_NEWTIME

_PARTABLE = CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM
# unshare: who wants the one wants the other too, in this order (ksys_unshare).
_IMPLIED = (
    (CLONE_NEWUSER, CLONE_THREAD | CLONE_FS),
    (CLONE_VM, CLONE_SIGHAND),
    (CLONE_SIGHAND, CLONE_THREAD),
    (CLONE_NEWNS, CLONE_FS),
)

RESET_ON_FORK = 0x40000000  # of Task.policy
SP, TP, A0 = 2, 4, 10


class Request(NamedTuple):
    """What is asked for. `flags` without the signal; `stack`: the child's sp, 0 is the caller's; `set_tid`: its tid."""

    flags: int
    exit_signal: int
    stack: int = 0
    tls: int = 0
    parent_tid: int = 0
    child_tid: int = 0
    set_tid: tuple[int, ...] = ()
    pidfd: int = 0


def clone(k: Kernel, t: Task, request: Request) -> int:
    """clone(2): returns the child's tid. With CLONE_VFORK the caller sleeps until the child execs or ends.

    SysError EINVAL or EPERM for flags that Linux refuses; EAGAIN at the limit of tasks; ENOMEM; EMFILE, ENFILE, EFAULT
    (CLONE_PIDFD). CLONE_PTRACE, CLONE_UNTRACED, CLONE_IO, CLONE_SYSVSEM and CLONE_DETACHED have nothing to do.
    """
    if t.pending is not None:
        return _wait_for_vfork(k, t, cast("int", t.pending.progress))
    if k.config.fork == "vfork" and not request.flags & CLONE_VM:
        request = request._replace(flags=request.flags | CLONE_VM | CLONE_VFORK)
    flags = request.flags
    _check(t, request)
    users.check_limit(k, t)
    if len(k.tasks) + k.zombies >= k.config.max_procs:
        raise SysError(EAGAIN)
    if flags & CLONE_PIDFD:
        _announce_pidfd(k, t, request.pidfd)
    child, shared = _copy(k, t, request)
    _tell_numbers(k, t, child, request)
    k.stats.forks += 1
    if k.events.Fork:
        from kernel.events import Fork

        k.events.emit(Fork(k.machine.retired, t.tid, child.tid, flags | request.exit_signal, shared))
    if flags & CLONE_VFORK:
        child.vfork = t.tid
        return _wait_for_vfork(k, t, child.tid)
    return child.tid


def _announce_pidfd(k: Kernel, t: Task, address: int) -> None:
    """The number that the pidfd is going to have goes to `address`. SysError EMFILE, ENFILE, EFAULT: no child then."""
    from kernel.fs import special
    from kernel.user_memory import copy_out

    copy_out(k, t, address, special.require_room(k, t).to_bytes(4, "little"))


def _tell_numbers(k: Kernel, t: Task, child: Task, request: Request) -> None:
    """The child is there: its pidfd, and its tid in the parent's memory and in its own, where that is asked for."""
    if request.flags & CLONE_PIDFD:
        _make_pidfd(k, t, child)
    if request.flags & CLONE_PARENT_SETTID:
        lifecycle.store_tid(k, t, request.parent_tid, child.tid)
    if request.flags & CLONE_CHILD_SETTID:
        lifecycle.store_tid(k, child, request.child_tid, child.tid)
        mm.forget_detached(k)


def _make_pidfd(k: Kernel, t: Task, child: Task) -> None:
    from kernel.fs import pidfd

    pidfd.make(k, t, child.tid, pidfd.PIDFD_THREAD if child.tid != child.tgid else 0)


def _wait_for_vfork(k: Kernel, t: Task, child: int) -> int:
    """Nothing but death interrupts this."""
    if child in k.tasks and k.tasks.peek(child).vfork == t.tid:
        raise WouldBlock(("vfork", child), progress=child, restart=KILLABLE)
    return child


def _check(t: Task, request: Request) -> None:
    """What kernel_clone and copy_process refuse; then what needs a privilege, and what this kernel doesn't have."""
    flags = request.flags
    if flags & CLONE_PIDFD and (
        flags & CLONE_DETACHED or (flags & CLONE_PARENT_SETTID and request.pidfd == request.parent_tid)
    ):
        raise SysError(EINVAL)
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise SysError(EINVAL)
    if (flags & CLONE_THREAD and not flags & CLONE_SIGHAND) or (flags & CLONE_SIGHAND and not flags & CLONE_VM):
        raise SysError(EINVAL)
    if flags & CLONE_PARENT and t.tgid == INIT:
        raise SysError(EINVAL)  # its child would have no parent
    if flags & CLONE_THREAD and flags & (CLONE_NEWUSER | CLONE_NEWPID):
        raise SysError(EINVAL)
    if flags & CLONE_INTO_CGROUP:
        raise SysError(EBADF)
    _refuse_namespaces(t, flags)


def _refuse_namespaces(t: Task, flags: int) -> None:
    """They need a privilege, and who has it hears that this kernel was built without them."""
    if flags & NAMESPACES:
        raise SysError(EINVAL if t.cred.can(CAP_SYS_ADMIN) else EPERM)


def _copy(k: Kernel, t: Task, request: Request) -> tuple[Task, int]:
    """A child that is ready to run, and how many frames it shares with its parent. It is whole, or SysError."""
    flags, tid = request.flags, _allocate(k, t, request.set_tid)
    try:
        mm_id, shared = _share_mm(k, t) if flags & CLONE_VM else fork_policy.fork(k, k.mms[t.mm])
    except BaseException:
        k.pids.release(tid)
        raise
    child = _task(k, t, tid, mm_id, request)
    _set_registers(k, t, child, request)
    if flags & CLONE_THREAD:
        k.tasks.add(child, tid)
        k.groups[t.tgid].threads[tid] = None
    else:
        _found_process(k, t, child, request)
    scheduler.add(k, child)
    return child, shared


def _task(k: Kernel, t: Task, tid: int, mm_id: int, request: Request) -> Task:
    """The child with what it shares and what it inherits, but for its registers. It is in no table yet."""
    flags = request.flags
    fdtable = fs.share_table(k, t.fdtable) if flags & CLONE_FILES else fs.fork_table(k, t.fdtable)
    tgid = t.tgid if flags & CLONE_THREAD else tid
    k.users.add(t.cred.uid)
    child = Task(tid, tgid, mm_id, fdtable, _fs_struct(k, t, flags), _sighand(k, t, flags), t.comm, t.cred)
    child.blocked, child.policy = t.blocked, t.policy & ~RESET_ON_FORK
    child.inherit(t)
    if flags & (CLONE_VM | CLONE_VFORK) != CLONE_VM:
        child.altstack = t.altstack
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = request.child_tid
    return child


def _allocate(k: Kernel, t: Task, wanted: tuple[int, ...]) -> int:
    """A tid: the next one, or (set_tid) this very one. SysError EINVAL, EPERM, EEXIST; EAGAIN if there are no more."""
    if not wanted:
        return k.pids.alloc(k.now)
    if len(wanted) > 1 or not 0 < wanted[0] < k.pids.pid_max:
        raise SysError(EINVAL)  # there is one level of pids
    if not (t.cred.can(CAP_CHECKPOINT_RESTORE) or t.cred.can(CAP_SYS_ADMIN)):
        raise SysError(EPERM)
    k.pids.take(wanted[0], k.now)
    return wanted[0]


def unshare(k: Kernel, t: Task, flags: int) -> None:
    """unshare(2). SysError EINVAL for what is shared and can't be parted, EPERM for namespaces."""
    for flag, implied in _IMPLIED:
        flags |= implied if flags & flag else 0
    if flags & ~(_PARTABLE | NAMESPACES):
        raise SysError(EINVAL)
    alone = len(k.groups.peek(t.tgid).threads) == 1 and t.tid == t.tgid
    if flags & CLONE_THREAD and not alone:
        raise SysError(EINVAL)
    if flags & CLONE_SIGHAND and k.sighands.peek(t.sighand).users > 1:
        raise SysError(EINVAL)
    if flags & CLONE_VM and k.mms.peek(t.mm).users > 1:
        raise SysError(EINVAL)
    _refuse_namespaces(t, flags)
    if flags & CLONE_FS and k.fs_structs.peek(t.fs).users > 1:
        shared, t.fs = t.fs, copy_fs_struct(k, t.fs)
        lifecycle.release_fs(k, shared)
    if flags & CLONE_FILES:
        fs.unshare_table(k, t)


def _share_mm(k: Kernel, t: Task) -> tuple[int, int]:
    k.mms[t.mm].users += 1
    return t.mm, k.mms.peek(t.mm).resident


def _fs_struct(k: Kernel, t: Task, flags: int) -> int:
    if flags & CLONE_FS:
        k.fs_structs[t.fs].users += 1
        return t.fs
    return copy_fs_struct(k, t.fs)


def copy_fs_struct(k: Kernel, fs_id: int) -> int:
    """One of its own, with the same contents."""
    old = k.fs_structs.peek(fs_id)
    fs.hold_inode(k, old.root)
    fs.hold_inode(k, old.cwd)
    return k.fs_structs.add(FsStruct(old.root, old.cwd, old.umask))


def _sighand(k: Kernel, t: Task, flags: int) -> int:
    if flags & CLONE_SIGHAND:
        k.sighands[t.sighand].users += 1
        return t.sighand
    new = SigHand()
    actions = k.sighands.peek(t.sighand).actions
    if flags & CLONE_CLEAR_SIGHAND:
        new.actions = {n: Action(SIG_IGN, 0, 0) for n, action in actions.items() if action.handler == SIG_IGN}
    else:
        new.actions = dict(actions)
    return k.sighands.add(new)


def _set_registers(k: Kernel, t: Task, child: Task, request: Request) -> None:
    """The caller's, but for those that clone's arguments name. An lr doesn't reach over clone."""
    hart, flags = child.hart, request.flags
    hart.load(t.hart.save())
    hart.clear_reservation()
    hart.x[A0] = 0
    hart.satp = t.hart.satp if flags & CLONE_VM else mm.detached_satp(k, child.mm)
    if request.stack:
        hart.x[SP] = request.stack
    if flags & CLONE_SETTLS:
        hart.x[TP] = request.tls


def _found_process(k: Kernel, t: Task, child: Task, request: Request) -> None:
    """The child leads a process of its own: the caller's child, or (CLONE_PARENT) its sibling."""
    own = k.groups[t.tgid]
    sibling = bool(request.flags & CLONE_PARENT)
    signal = own.exit_signal if sibling else request.exit_signal
    group = ThreadGroup(child.tid, 0, own.pgid, own.sid, signal, child.comm, child.cred, own.limits)
    group.tty = own.tty
    group.below_subreaper = own.subreaper or own.below_subreaper
    cpu_time.set_alarm(group)
    lifecycle.enter(k, child, group)
    reaper.adopt(k, k.tasks[own.forker] if sibling else t, group)
