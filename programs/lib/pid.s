# getpid, getppid, gettid, kill: processes by number.
    .include "syscalls.inc"
    .text

# getpid(): this process's number.    out: a0    changes: a7
    .globl getpid
getpid:
    li      a7, SYS_getpid
    ecall
    ret

# getppid(): the parent's number. It can change: when the parent ends, init adopts us.
#   out: a0    changes: a7
    .globl getppid
getppid:
    li      a7, SYS_getppid
    ecall
    ret

# gettid(): this thread's number; in a process with one thread the same as getpid().
#   out: a0    changes: a7
    .globl gettid
gettid:
    li      a7, SYS_gettid
    ecall
    ret

# kill(pid, signal): sends a signal; 0, or -errno. Signal 0 sends nothing and only
# asks whether the pid is in use (-ESRCH: it isn't).
#   in: a0 = pid, a1 = signal    out: a0    changes: a7
    .globl kill
kill:
    li      a7, SYS_kill
    ecall
    ret
