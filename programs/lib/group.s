# setpgid, getpgid, setsid, getsid: processes in groups, and groups in sessions.
#
# A process group is what a signal can be sent to as a whole: kill(-group, signal). A
# shell makes one for each pipeline. A session is what shares a terminal: a shell and
# its groups. A child begins in its parent's group and session; a group and a session
# have the pid of the process that they began with.
    .include "syscalls.inc"
    .text

# setpgid(pid, group): moves a process into a group; 0, or -errno.
#   in:  a0 = the caller or a child of its that hasn't called exec; 0: the caller
#        a1 = a group of the same session; 0, or the pid itself: its own group, a new one
#   out: a0    changes: a7
    .globl setpgid
setpgid:
    li      a7, SYS_setpgid
    ecall
    ret

# getpgid(pid): the group that a process is in, or -errno.
#   in: a0 = pid, 0: the caller    out: a0    changes: a7
    .globl getpgid
getpgid:
    li      a7, SYS_getpgid
    ecall
    ret

# setsid(): a new session, and a group in it, with the caller alone; its number, or
# -EPERM if the caller's pid is the number of a group already. No terminal comes along.
#   out: a0    changes: a7
    .globl setsid
setsid:
    li      a7, SYS_setsid
    ecall
    ret

# getsid(pid): the session that a process is in, or -errno.
#   in: a0 = pid, 0: the caller    out: a0    changes: a7
    .globl getsid
getsid:
    li      a7, SYS_getsid
    ecall
    ret
