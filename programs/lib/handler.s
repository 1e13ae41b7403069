# sigaction, sigprocmask, sigsuspend: what a process does about signals, and when.
#
# A set of signals is a 64-bit number: bit N-1 stands for signal N.
    .include "syscalls.inc"
    .text

# sigaction(signal, handler, flags): from now on `handler` is called when the signal comes; 0, or -errno.
#   in:  a0 = the signal, a1 = a function's address, SIG_DFL or SIG_IGN, a2 = SA_ flags
#   out: a0    changes: a1-a3, a7
#   The handler gets the signal in a0. It may change any register: the kernel has put
#   all of them on the stack, and takes them back from there when the handler returns.
    .globl sigaction
sigaction:
    addi    sp, sp, -32
    sd      a1, 0(sp)               # struct sigaction: handler, flags, and what else
    sd      a2, 8(sp)               # to block while it runs: nothing
    sd      zero, 16(sp)
    sd      zero, 24(sp)
    mv      a1, sp
    li      a2, 0                   # what was before isn't asked for
    li      a3, 8                   # bytes of a set of signals
    li      a7, SYS_rt_sigaction
    ecall
    addi    sp, sp, 32
    ret

# sigprocmask(how, set): changes which signals are blocked, that is, have to wait; 0, or -errno.
#   in: a0 = SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK, a1 = the set    out: a0    changes: a1-a3, a7
    .globl sigprocmask
sigprocmask:
    addi    sp, sp, -16
    sd      a1, 0(sp)
    mv      a1, sp
    li      a2, 0
    li      a3, 8
    li      a7, SYS_rt_sigprocmask
    ecall
    addi    sp, sp, 16
    ret

# sigsuspend(set): sleeps until a handler has run; meanwhile `set` is what is blocked. Always -EINTR.
#   in: a0 = the set    out: a0    changes: a1, a7
    .globl sigsuspend
sigsuspend:
    addi    sp, sp, -16
    sd      a0, 0(sp)
    mv      a0, sp
    li      a1, 8
    li      a7, SYS_rt_sigsuspend
    ecall
    addi    sp, sp, 16
    ret
