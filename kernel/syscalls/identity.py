"""System calls about who a task is: user and group ids, supplementary groups, capabilities. See credentials(7).

Ids are unsigned 32-bit numbers; -1 means "leave it" where two or three are set at once, and is no id elsewhere.
"""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import credentials
from kernel.credentials import ALL, CAP_SETGID, CAP_SETPCAP, CAP_SETUID, NOBODY
from kernel.errno import EINVAL, EPERM, ESRCH, SysError
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel
    from kernel.task import Task

NGROUPS_MAX = 65536
VERSIONS = {0x19980330: 1, 0x20071026: 2, 0x20080522: 2}  # capget(2): version → number of 32-bit words of a set
VERSION = 0x20080522


@syscall(174, "getuid")
def sys_getuid(k: Kernel, t: Task) -> int:
    """getuid(2)"""
    return t.cred.uid


@syscall(175, "geteuid")
def sys_geteuid(k: Kernel, t: Task) -> int:
    """geteuid(2)"""
    return t.cred.euid


@syscall(176, "getgid")
def sys_getgid(k: Kernel, t: Task) -> int:
    """getgid(2)"""
    return t.cred.gid


@syscall(177, "getegid")
def sys_getegid(k: Kernel, t: Task) -> int:
    """getegid(2)"""
    return t.cred.egid


@syscall(148, "getresuid", "ruid*", "euid*", "suid*")
def sys_getresuid(k: Kernel, t: Task, ruid: int, euid: int, suid: int) -> int:
    """getresuid(2). Raises EFAULT."""
    return _store(k, t, (ruid, euid, suid), (t.cred.uid, t.cred.euid, t.cred.suid))


@syscall(150, "getresgid", "rgid*", "egid*", "sgid*")
def sys_getresgid(k: Kernel, t: Task, rgid: int, egid: int, sgid: int) -> int:
    """getresgid(2). Raises EFAULT."""
    return _store(k, t, (rgid, egid, sgid), (t.cred.gid, t.cred.egid, t.cred.sgid))


def _store(k: Kernel, t: Task, addresses: tuple[int, ...], ids: tuple[int, ...]) -> int:
    for address, number in zip(addresses, ids, strict=True):
        copy_out(k, t, address, number.to_bytes(4, "little"))
    return 0


@syscall(146, "setuid", "uid")
def sys_setuid(k: Kernel, t: Task, uid: int) -> int:
    """setuid(2): all three ids with CAP_SETUID, else the effective one alone. Raises EINVAL, EPERM."""
    uid, old = _id(uid), t.cred
    if old.can(CAP_SETUID):
        new = credentials.with_uids(old, uid, uid, uid, t.keep_caps)
    elif uid in (old.uid, old.suid):
        new = credentials.with_uids(old, old.uid, uid, old.suid)
    else:
        raise SysError(EPERM)
    return _become(k, t, new)


@syscall(144, "setgid", "gid")
def sys_setgid(k: Kernel, t: Task, gid: int) -> int:
    """setgid(2). Raises EINVAL, EPERM."""
    gid, old = _id(gid), t.cred
    if old.can(CAP_SETGID):
        new = credentials.with_gids(old, gid, gid, gid)
    elif gid in (old.gid, old.sgid):
        new = credentials.with_gids(old, old.gid, gid, old.sgid)
    else:
        raise SysError(EPERM)
    return _become(k, t, new)


@syscall(145, "setreuid", "ruid", "euid")
def sys_setreuid(k: Kernel, t: Task, ruid: int, euid: int) -> int:
    """setreuid(2): the saved id follows the effective one if the real one is set, or another one. Raises EPERM."""
    old = t.cred
    ids = _real_and_effective((old.uid, old.euid, old.suid), ruid, euid, old.can(CAP_SETUID))
    return _become(k, t, credentials.with_uids(old, *ids, t.keep_caps))


@syscall(143, "setregid", "rgid", "egid")
def sys_setregid(k: Kernel, t: Task, rgid: int, egid: int) -> int:
    """setregid(2): as setreuid. Raises EPERM."""
    old = t.cred
    ids = _real_and_effective((old.gid, old.egid, old.sgid), rgid, egid, old.can(CAP_SETGID))
    return _become(k, t, credentials.with_gids(old, *ids))


def _real_and_effective(old: tuple[int, int, int], real: int, effective: int, power: bool) -> tuple[int, int, int]:
    real, effective = real & NOBODY, effective & NOBODY
    if not power and (real not in (NOBODY, *old[:2]) or effective not in (NOBODY, *old)):
        raise SysError(EPERM)
    new = old[1] if effective == NOBODY else effective
    moves = real != NOBODY or effective not in (NOBODY, old[0])
    return old[0] if real == NOBODY else real, new, new if moves else old[2]


@syscall(147, "setresuid", "ruid", "euid", "suid")
def sys_setresuid(k: Kernel, t: Task, ruid: int, euid: int, suid: int) -> int:
    """setresuid(2). Raises EPERM."""
    old = t.cred
    ids = _three((old.uid, old.euid, old.suid), (ruid, euid, suid), old.can(CAP_SETUID))
    return _become(k, t, credentials.with_uids(old, *ids, t.keep_caps))


@syscall(149, "setresgid", "rgid", "egid", "sgid")
def sys_setresgid(k: Kernel, t: Task, rgid: int, egid: int, sgid: int) -> int:
    """setresgid(2). Raises EPERM."""
    old = t.cred
    ids = _three((old.gid, old.egid, old.sgid), (rgid, egid, sgid), old.can(CAP_SETGID))
    return _become(k, t, credentials.with_gids(old, *ids))


def _three(old: tuple[int, int, int], new: tuple[int, int, int], power: bool) -> tuple[int, int, int]:
    wanted = [number & NOBODY for number in new]
    if not power and any(number not in (NOBODY, *old) for number in wanted):
        raise SysError(EPERM)
    real, effective, saved = (was if number == NOBODY else number for was, number in zip(old, wanted, strict=True))
    return real, effective, saved


@syscall(151, "setfsuid", "uid")
def sys_setfsuid(k: Kernel, t: Task, uid: int) -> int:
    """setfsuid(2): always returns the one before; whether it has changed only the next call tells."""
    uid, old = uid & NOBODY, t.cred
    if uid != NOBODY and (old.can(CAP_SETUID) or uid in (old.uid, old.euid, old.suid, old.fsuid)):
        _become(k, t, credentials.with_fsuid(old, uid))
    return old.fsuid


@syscall(152, "setfsgid", "gid")
def sys_setfsgid(k: Kernel, t: Task, gid: int) -> int:
    """setfsgid(2): as setfsuid."""
    gid, old = gid & NOBODY, t.cred
    if gid != NOBODY and (old.can(CAP_SETGID) or gid in (old.gid, old.egid, old.sgid, old.fsgid)):
        _become(k, t, old._replace(fsgid=gid))
    return old.fsgid


@syscall(158, "getgroups", "size", "list*")
def sys_getgroups(k: Kernel, t: Task, size: int, address: int) -> int:
    """getgroups(2): how many there are, ascending; size 0 only asks. Raises EINVAL, EFAULT."""
    groups, room = t.cred.groups, signed32(size)
    if room < 0 or (room and len(groups) > room):
        raise SysError(EINVAL)
    if room:
        copy_out(k, t, address, pack(f"<{len(groups)}I", *groups))
    return len(groups)


@syscall(159, "setgroups", "size", "list*")
def sys_setgroups(k: Kernel, t: Task, size: int, address: int) -> int:
    """setgroups(2). Raises EPERM without CAP_SETGID, EINVAL, EFAULT."""
    size &= 0xFFFFFFFF
    if not t.cred.can(CAP_SETGID):
        raise SysError(EPERM)
    if size > NGROUPS_MAX:
        raise SysError(EINVAL)
    groups = unpack(f"<{size}I", copy_in(k, t, address, 4 * size))
    if NOBODY in groups:
        raise SysError(EINVAL)
    return _become(k, t, t.cred._replace(groups=tuple(sorted(groups))))


@syscall(90, "capget", "header*", "data*")
def sys_capget(k: Kernel, t: Task, header: int, data: int) -> int:
    """capget(2): of any process. Raises EFAULT, EINVAL, ESRCH; a wrong version is answered with the right one."""
    words = _words(k, t, header)
    if not words or not data:
        if words or not data:
            return 0
        raise SysError(EINVAL)
    pid = signed32(int.from_bytes(copy_in(k, t, header + 4, 4), "little"))
    if pid < 0:
        raise SysError(EINVAL)
    cred = _cred_of(k, t, pid)
    sets = cred.effective, cred.permitted, cred.inheritable
    values = [number >> 32 * word & 0xFFFFFFFF for word in range(words) for number in sets]
    copy_out(k, t, data, pack(f"<{3 * words}I", *values))
    return 0


@syscall(91, "capset", "header*", "data*")
def sys_capset(k: Kernel, t: Task, header: int, data: int) -> int:
    """capset(2): of the calling thread alone; nothing can be gained. Raises EFAULT, EINVAL, EPERM."""
    words = _words(k, t, header)
    if not words:
        raise SysError(EINVAL)
    pid = signed32(int.from_bytes(copy_in(k, t, header + 4, 4), "little"))
    if pid not in (0, t.tid):
        raise SysError(EPERM)
    values = unpack(f"<{3 * words}I", copy_in(k, t, data, 12 * words))
    effective, permitted, inheritable = (
        sum(value << 32 * word for word, value in enumerate(values[kind::3])) & ALL for kind in range(3)
    )
    old = t.cred
    if not old.can(CAP_SETPCAP) and inheritable & ~(old.inheritable | old.permitted):
        raise SysError(EPERM)
    if permitted & ~old.permitted or effective & ~permitted:
        raise SysError(EPERM)
    return _become(k, t, old._replace(effective=effective, permitted=permitted, inheritable=inheritable))


def _words(k: Kernel, t: Task, header: int) -> int:
    """How many words the header's version has; 0 for an unknown one, which is replaced by ours."""
    words = VERSIONS.get(int.from_bytes(copy_in(k, t, header, 4), "little"), 0)
    if not words:
        copy_out(k, t, header, VERSION.to_bytes(4, "little"))
    return words


def _cred_of(k: Kernel, t: Task, pid: int) -> Cred:
    if pid in k.tasks:
        return k.tasks.peek(pid).cred
    if pid and pid not in k.groups:
        raise SysError(ESRCH)
    return k.groups.peek(pid).cred if pid else t.cred


def _id(number: int) -> int:
    if number & NOBODY == NOBODY:
        raise SysError(EINVAL)
    return number & NOBODY


def _become(k: Kernel, t: Task, cred: Cred) -> int:
    credentials.commit(k, t, cred)
    return 0
