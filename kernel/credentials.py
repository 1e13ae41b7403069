"""Who a task is: user and group ids and capabilities, and how they may change. See credentials(7), capabilities(7).

    uid, gid          real: who started it. kill(2) compares these, a child's SIGCHLD shows them
    euid, egid        effective: who it acts as
    suid, sgid        saved: who it may become again
    fsuid, fsgid      what file permissions are checked against; they follow the effective ones
    groups            supplementary groups

A Cred is a value: every change makes a new one, and `commit` gives it to a task. Each thread has its own, as on Linux.
By default the whole machine is one unprivileged user; with Config.root it is uid 0, which has every capability.
Neither capabilities of files nor ambient ones nor securebits are there. The rules are those of Linux's kernel/sys.c
and security/commoncap.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

ROOT, USER = 0, 1000
NOBODY = 0xFFFFFFFF  # (uid_t) -1: no id, "leave it as it is"

# linux/capability.h: the ones that this kernel asks for.
CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL = 0, 1, 2, 3, 4, 5
CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_LINUX_IMMUTABLE, CAP_SYS_CHROOT = 6, 7, 8, 9, 18
CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_MKNOD, CAP_MAC_OVERRIDE = 19, 21, 24, 27, 32
CAP_CHECKPOINT_RESTORE = 40
ALL = (1 << 41) - 1  # up to CAP_CHECKPOINT_RESTORE
# What setfsuid(2) takes and gives back: CAP_FS_SET.
_OF_FILES = sum(
    1 << capability
    for capability in (
        *(CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID),
        *(CAP_LINUX_IMMUTABLE, CAP_MKNOD, CAP_MAC_OVERRIDE),
    )
)


class Cred(NamedTuple):
    """The identity of a task. Capabilities are bit masks: bit CAP_x is set."""

    uid: int
    euid: int
    suid: int
    fsuid: int
    gid: int
    egid: int
    sgid: int
    fsgid: int
    groups: tuple[int, ...] = ()  # ascending
    permitted: int = 0
    effective: int = 0
    inheritable: int = 0

    def can(self, capability: int) -> bool:
        """Does it have the capability now?"""
        return bool(self.effective >> capability & 1)

    def in_group(self, gid: int) -> bool:
        """Do a file's group permissions count for it?"""
        return gid == self.fsgid or gid in self.groups


def of_machine(root: bool) -> Cred:
    """Who the first process is."""
    number = ROOT if root else USER
    powers = ALL if root else 0
    ids = (number,) * 4
    return Cred(*ids, *ids, (), powers, powers)


def owner(k: Kernel) -> int:
    """The uid and gid whose machine this is: the first process's."""
    return ROOT if k.config.root else USER


def commit(k: Kernel, t: Task, cred: Cred) -> None:
    """The task is this one from now on. A process is shown, and sent signals, as its leader.

    Who acts as somebody else now, or may do more, isn't looked into, and no parent's death concerns it (prctl(2)).
    """
    k.users.add(cred.uid)
    k.users.remove(t.cred.uid)
    old, t.cred = t.cred, cred
    acting = (old.euid, old.egid, old.fsuid, old.fsgid)
    if acting != (cred.euid, cred.egid, cred.fsuid, cred.fsgid) or cred.permitted & ~old.permitted:
        k.mms[t.mm].dumpable = False
        t.pdeath_signal = 0
    if t.tid == t.tgid:
        k.groups[t.tgid].cred = cred


def with_uids(old: Cred, uid: int, euid: int, suid: int, keep: bool = False) -> Cred:
    """New user ids; the fsuid follows. Who stops being root altogether, or effectively, loses root's powers.

    `keep`: PR_SET_KEEPCAPS leaves it the permitted ones.
    """
    permitted, effective = old.permitted, old.effective
    if ROOT in (old.uid, old.euid, old.suid) and ROOT not in (uid, euid, suid):
        permitted, effective = permitted if keep else 0, effective if keep else 0
    if old.euid == ROOT != euid:
        effective = 0
    if old.euid != ROOT == euid:
        effective = permitted
    return old._replace(uid=uid, euid=euid, suid=suid, fsuid=euid, permitted=permitted, effective=effective)


def with_gids(old: Cred, gid: int, egid: int, sgid: int) -> Cred:
    """New group ids; the fsgid follows."""
    return old._replace(gid=gid, egid=egid, sgid=sgid, fsgid=egid)


def with_fsuid(old: Cred, fsuid: int) -> Cred:
    """setfsuid(2): away from 0 the capabilities over files go, and come back with it."""
    effective = old.effective
    if old.fsuid == ROOT != fsuid:
        effective &= ~_OF_FILES
    if old.fsuid != ROOT == fsuid:
        effective |= old.permitted & _OF_FILES
    return old._replace(fsuid=fsuid, effective=effective)


def after_exec(
    old: Cred, owner: tuple[int | None, int | None], shared: bool, no_new_privs: bool = False
) -> tuple[Cred, bool]:
    """Who a task is with a new program, and whether the program must not trust its environment (AT_SECURE).

    `owner`: the user and the group that the file's set-user-ID and set-group-ID bits name, None without the bit.
    `shared`: others share something with the task by which they could lead the program astray, so it gains nothing.
    """
    if no_new_privs:
        owner = (None, None)
    euid = old.euid if owner[0] is None else owner[0]
    egid = old.egid if owner[1] is None else owner[1]
    permitted = ALL | old.inheritable if ROOT in (euid, old.uid) else 0
    becomes_root = euid == ROOT
    set_id = euid != old.uid or egid != old.gid
    if (shared or no_new_privs) and (set_id or permitted & ~old.permitted):
        if no_new_privs or not old.can(CAP_SETUID):
            euid, egid = old.uid, old.gid
        permitted &= old.permitted
    effective = permitted if becomes_root else 0
    secure = set_id or (old.uid != ROOT and bool(permitted))
    new = old._replace(euid=euid, suid=euid, fsuid=euid, egid=egid, sgid=egid, fsgid=egid)
    return new._replace(permitted=permitted, effective=effective), secure


def may_signal(sender: Cred, target: Cred) -> bool:
    """Is the sender one of those that kill(2) allows?"""
    same = {sender.uid, sender.euid} & {target.uid, target.suid}
    return bool(same) or sender.can(CAP_KILL)


def may_trace(caller: Cred, target: Cred, dumpable: bool) -> bool:
    """Might the caller attach to the target with ptrace(2), and so do with it as it likes?"""
    users, groups = {target.uid, target.euid, target.suid}, {target.gid, target.egid, target.sgid}
    same = users == {caller.uid} and groups == {caller.gid} and dumpable
    return (same and not target.permitted & ~caller.permitted) or caller.can(CAP_SYS_PTRACE)
