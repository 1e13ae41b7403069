# wait, waitpid, and what their status word says.
#
# A process that has ended stays in the process table, as a zombie, until its
# parent has asked how it ended. wait is that question: it hands over the status
# and frees the pid.
#
# The status word (32 bits):
#      15       8 7   6        0
#     +----------+---+----------+
#     | exit code| C |  signal  |     signal 0: it called exit(exit code)
#     +----------+---+----------+     otherwise: that signal ended it; C: a core was dumped
#
# With WUNTRACED and WCONTINUED it can also be about a child that lives: stopped (the low
# byte is 0x7f, the signal is where the exit code was), or gone on (0xffff).
    .include "syscalls.inc"
    .text

# wait(&status): waits for any child; its pid, or -errno (-ECHILD: there is none).
#   in:  a0 = where to put the status word (4 bytes), or 0
#   out: a0    changes: a1-a3, a7
    .globl wait
wait:
    mv      a1, a0
    li      a0, -1
    li      a2, 0
    # falls through into waitpid

# waitpid(pid, &status, options): the pid of the child that ended, or -errno.
#   in:  a0 = the child's pid, or -1 for any child
#        a1 = where to put the status word (4 bytes), or 0
#        a2 = 0 to wait, WNOHANG to get 0 at once if no such child has ended yet
#   out: a0    changes: a3, a7
    .globl waitpid
waitpid:
    li      a3, 0                   # no struct rusage
    li      a7, SYS_wait4
    ecall
    ret

# exit_code(status): what the child gave to exit, 0 to 255; only if end_signal is 0.
#   in: a0 = the status word    out: a0
    .globl exit_code
exit_code:
    srli    a0, a0, 8
    andi    a0, a0, 0xff
    ret

# end_signal(status): the signal that ended the child, or 0 if it called exit (0x7f: it has not ended).
#   in: a0 = the status word    out: a0
    .globl end_signal
end_signal:
    andi    a0, a0, 0x7f
    ret

# stop_signal(status): the signal that stopped the child, or 0 if it isn't stopped.
#   in: a0 = the status word    out: a0    changes: t0
    .globl stop_signal
stop_signal:
    andi    t0, a0, 0xff
    addi    t0, t0, -0x7f
    bnez    t0, 1f
    srli    a0, a0, 8
    andi    a0, a0, 0xff
    ret
1:  li      a0, 0
    ret

# shell_status(status): one number for both, as shells make $?: the exit code, or
# 128 + the signal.
#   in: a0 = the status word    out: a0    changes: t0
    .globl shell_status
shell_status:
    andi    t0, a0, 0x7f
    bnez    t0, 1f
    srli    a0, a0, 8
    andi    a0, a0, 0xff
    ret
1:  addi    a0, t0, 128
    ret
