"""prctl(2): what a process, or a thread, can say about itself. As of Linux 6.18, checked against it.

Options that ask for hardware or parts of Linux that aren't here are EINVAL, as they are on a kernel built without them:
PR_SET_UNALIGN and its kin, PR_SET_SECCOMP, PR_SET_THP_DISABLE, PR_MCE_KILL, PR_SET_VMA, PR_CAP_AMBIENT,
PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_MM…
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel.credentials import ALL
from kernel.errno import EINVAL, SysError
from kernel.signal_numbers import LAST_SIGNAL
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task, ThreadGroup

NAME_SIZE = 16  # with the NUL
_FOREVER = (1 << 63) - 1

Rest = tuple[int, int, int]
Option = Callable[["Kernel", "Task", int, Rest], int]


@syscall(167, "prctl", "option", "argument", "arg3", "arg4", "arg5")
def sys_prctl(k: Kernel, t: Task, option: int, argument: int, third: int, fourth: int, fifth: int) -> int:
    """prctl(2). SysError EINVAL for an option that isn't known, or an argument that it doesn't take; EFAULT."""
    known = _OPTIONS.get(signed32(option))
    if known is None:
        raise SysError(EINVAL)
    return known(k, t, argument, (third, fourth, fifth))


def _set_pdeathsig(k: Kernel, t: Task, signal: int, rest: Rest) -> int:
    """This thread's process gets the signal when the *thread* that is its parent ends. Not inherited; exec keeps it."""
    if signal > LAST_SIGNAL:
        raise SysError(EINVAL)
    t.pdeath_signal = signal
    return 0


def _get_pdeathsig(k: Kernel, t: Task, address: int, rest: Rest) -> int:
    return _store(k, t, address, t.pdeath_signal)


def _store(k: Kernel, t: Task, address: int, value: int) -> int:
    copy_out(k, t, address, value.to_bytes(4, "little"))
    return 0


def _get_dumpable(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    return int(k.mms.peek(t.mm).dumpable)


def _set_dumpable(k: Kernel, t: Task, value: int, rest: Rest) -> int:
    """Of the address space: may others of its user look into it (ptrace's rights: pidfd_getfd)?"""
    k.mms[t.mm].dumpable = _flag(value)
    return 0


def _flag(value: int) -> bool:
    if value > 1:
        raise SysError(EINVAL)
    return bool(value)


def _get_keepcaps(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    return int(t.keep_caps)


def _set_keepcaps(k: Kernel, t: Task, value: int, rest: Rest) -> int:
    t.keep_caps = _flag(value)
    return 0


def _get_timing(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    return 0  # PR_TIMING_STATISTICAL


def _set_timing(k: Kernel, t: Task, value: int, rest: Rest) -> int:
    if value:
        raise SysError(EINVAL)
    return 0


def _set_name(k: Kernel, t: Task, address: int, rest: Rest) -> int:
    """The thread's name: what is longer than 15 bytes is cut off."""
    t.comm = _name(k, t, address)
    if t.tid == t.tgid:
        k.groups[t.tgid].comm = t.comm
    return 0


def _name(k: Kernel, t: Task, address: int) -> bytes:
    """Up to 15 bytes. SysError(EFAULT); memory behind the 15th byte is not touched."""
    name = b""
    while len(name) < NAME_SIZE - 1:
        byte = copy_in(k, t, address + len(name), 1)
        if byte == b"\0":
            break
        name += byte
    return name


def _get_name(k: Kernel, t: Task, address: int, rest: Rest) -> int:
    copy_out(k, t, address, t.comm.ljust(NAME_SIZE, b"\0"))
    return 0


def _get_seccomp(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    return 0  # SECCOMP_MODE_DISABLED


def _read_bounding_set(k: Kernel, t: Task, capability: int, rest: Rest) -> int:
    """Nothing is ever taken out of the bounding set here."""
    if capability >= ALL.bit_length():
        raise SysError(EINVAL)
    return 1


def _get_securebits(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    return int(t.keep_caps) << 4  # SECBIT_KEEP_CAPS


def _set_timer_slack(k: Kernel, t: Task, ns: int, rest: Rest) -> int:
    """It is remembered, and is all the same: timers here are never late. 0 is what the thread was born with."""
    t.timer_slack = (ns or t.timer_slack[1], t.timer_slack[1])
    return 0


def _get_timer_slack(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    return min(t.timer_slack[0], _FOREVER)


def _set_subreaper(k: Kernel, t: Task, value: int, rest: Rest) -> int:
    """Orphans among the process's descendants, those of now too, become its children instead of init's."""
    group = k.groups[t.tgid]
    group.subreaper = bool(value)
    if value:
        _mark_descendants(k, group)
    return 0


def _mark_descendants(k: Kernel, group: ThreadGroup) -> None:
    """Who is marked already has marked descendants: so the whole tree is walked only once."""
    left = list(group.children)
    while left:
        child = k.groups.peek(left.pop())
        if not child.below_subreaper:
            k.groups[child.tgid].below_subreaper = True
            left += child.children


def _get_subreaper(k: Kernel, t: Task, address: int, rest: Rest) -> int:
    return _store(k, t, address, int(k.groups.peek(t.tgid).subreaper))


def _set_no_new_privs(k: Kernel, t: Task, value: int, rest: Rest) -> int:
    """exec gives the thread, and those it will make, no rights that it hasn't. It can't be taken back."""
    if value != 1 or any(rest):
        raise SysError(EINVAL)
    t.no_new_privs = True
    return 0


def _get_no_new_privs(k: Kernel, t: Task, argument: int, rest: Rest) -> int:
    if argument or any(rest):
        raise SysError(EINVAL)
    return int(t.no_new_privs)


def _get_tid_address(k: Kernel, t: Task, address: int, rest: Rest) -> int:
    copy_out(k, t, address, t.clear_child_tid.to_bytes(8, "little"))
    return 0


# By number: linux/prctl.h.
_OPTIONS: dict[int, Option] = {
    1: _set_pdeathsig,
    2: _get_pdeathsig,
    3: _get_dumpable,
    4: _set_dumpable,
    7: _get_keepcaps,
    8: _set_keepcaps,
    13: _get_timing,
    14: _set_timing,
    15: _set_name,
    16: _get_name,
    21: _get_seccomp,
    23: _read_bounding_set,
    27: _get_securebits,
    29: _set_timer_slack,
    30: _get_timer_slack,
    36: _set_subreaper,
    37: _get_subreaper,
    38: _set_no_new_privs,
    39: _get_no_new_privs,
    40: _get_tid_address,
}
