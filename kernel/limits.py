"""Resource limits: how much of each thing one process may have (getrlimit(2)).

Every process has a soft limit, which counts, and a hard one, up to which it may raise the soft one itself. A child gets
its parent's, and exec keeps them. Where each is looked at:

    CPU          cpu_time.py: SIGXCPU at the soft limit, SIGKILL at the hard one
    FSIZE        `room_in_file`: SIGXFSZ and EFBIG
    DATA, AS     memory_limits.py: ENOMEM of mmap, brk, mremap, mprotect; the stack doesn't grow
    STACK        fault.py: the stack doesn't grow; exec.py: E2BIG; placement.py: where mmap's areas begin
    NPROC        users.py: EAGAIN of clone
    NOFILE       fs/fdtable.py: EMFILE
    MEMLOCK      syscalls/memory_lock.py: ENOMEM
    SIGPENDING   signals.py: EAGAIN of sigqueue. Of one process or thread: Linux adds up what a user has everywhere

The others can be set and read; nothing here could exceed them (there are no core dumps, message queues or priorities).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EFBIG, SysError
from kernel.signal_numbers import SIGXFSZ

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup

CPU, FSIZE, DATA, STACK, CORE, RSS, NPROC, NOFILE, MEMLOCK, AS, LOCKS, SIGPENDING, MSGQUEUE, NICE, RTPRIO, RTTIME = (
    range(16)
)
INFINITY = (1 << 64) - 1
STACK_LIMIT = 8 << 20  # bytes that the stack may have, if nobody has said otherwise
MOST_FILES = 1 << 20  # fs.nr_open: the highest hard limit of NOFILE

Limits = tuple[tuple[int, int], ...]  # (soft, hard) by resource


def at_boot(max_procs: int) -> Limits:
    """What pid 1 has: Linux's INIT_RLIMITS; `max_procs` tasks are the most that the machine has at all."""
    limits = [(INFINITY, INFINITY)] * 16
    limits[STACK] = (STACK_LIMIT, INFINITY)
    limits[CORE] = (0, INFINITY)
    limits[NPROC] = limits[SIGPENDING] = (max_procs, max_procs)
    limits[NOFILE] = (1024, 4096)
    limits[MEMLOCK] = (8 << 20, 8 << 20)
    limits[MSGQUEUE] = (819200, 819200)
    limits[NICE] = limits[RTPRIO] = (0, 0)
    return tuple(limits)


def soft(k: Kernel, t: Task, resource: int) -> int:
    """The limit that counts for the task's process."""
    return k.groups.peek(t.tgid).limits[resource][0]


def change(group: ThreadGroup, resource: int, soft_limit: int, hard_limit: int) -> None:
    """Sets one limit; whether the caller may was asked before."""
    limits = list(group.limits)
    limits[resource] = (soft_limit, hard_limit)
    group.limits = tuple(limits)


def room_in_file(k: Kernel, t: Task, offset: int, size: int) -> int:
    """How many of `size` bytes may be written at `offset` of a regular file. SysError(EFBIG), and SIGXFSZ, for none."""
    limit = soft(k, t, FSIZE)
    if limit == INFINITY or offset + size <= limit:
        return size
    if offset >= limit:
        refuse_size(k, t)
    return limit - offset


def check_new_size(k: Kernel, t: Task, old: int, new: int) -> None:
    """A file shall have another size, which is too much only if it grows (Linux's inode_newsize_ok). As above."""
    if old < new and new > soft(k, t, FSIZE):
        refuse_size(k, t)


def refuse_size(k: Kernel, t: Task) -> None:
    """Raises SysError(EFBIG) after SIGXFSZ."""
    from kernel import siginfo, signals

    signals.send_to_task(k, t, siginfo.by_user(SIGXFSZ, t))
    raise SysError(EFBIG)
