# exit_codes: what a process leaves behind, and how its parent reads it.
#
# Run it:        forkyard run programs/exit_codes.s; echo $?
#
# What to look for
#   - An exit code is one byte. exit(256) is exit(0), and exit(-1) is exit(255).
#   - A process can also be ended by a signal. The status word that wait hands over
#     keeps the two apart: see the picture in programs/lib/wait.s.
#   - A shell has only one number for both: 128 + N stands for signal N. That is
#     what $? shows, and what forkyard itself ends with.
#   - wait collects each child exactly once. When none is left, it says ECHILD.
#
#   s0 the next case   s1 the end of the cases

    .include "syscalls.inc"
    .text
    .globl  _start
_start:
    la      s0, exit_values
    la      s1, exit_values_end
each_value:
    call    fork
    beqz    a0, exit_child
    bltz    a0, no_fork
    call    collect
    la      a0, exit_line
    lw      a1, 0(s0)
    call    printf
    addi    s0, s0, 4
    bltu    s0, s1, each_value

    la      s0, signals
    la      s1, signals_end
each_signal:
    call    fork
    beqz    a0, signal_child
    bltz    a0, no_fork
    call    collect
    lbu     a0, 0(s0)
    call    signal_name
    mv      a1, a0
    la      a0, signal_line
    call    printf
    addi    s0, s0, 1
    bltu    s0, s1, each_signal

    li      a0, 0                   # nobody left to wait for
    call    wait
    call    error_text
    mv      a1, a0
    la      a0, none_left
    call    printf
    li      a0, 7                   # our own, for the shell that started us
    call    exit

exit_child:
    lw      a0, 0(s0)
    call    exit

signal_child:
    call    getpid
    lbu     a1, 0(s0)
    call    kill                    # a signal to itself: none of these is survived
    li      a0, 0
    call    exit

# collect(): waits for a child; what printf needs for the lines below.
#   out: a2 = exit code, a3 = signal that ended it or 0, a4 = what a shell says
collect:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    mv      a0, sp
    call    wait
    lw      a0, 0(sp)
    call    exit_code
    mv      a2, a0
    lw      a0, 0(sp)
    call    end_signal
    mv      a3, a0
    lw      a0, 0(sp)
    call    shell_status
    mv      a4, a0
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
    .balign 4
exit_values: .word 0, 1, 42, 255, 256, 1000, -1
exit_values_end:
signals:     .byte SIGTERM, SIGKILL, SIGSEGV, SIGPIPE
signals_end:
exit_line:   .asciz "exit(%d): code %d, signal %d, for a shell %d\n"
signal_line: .asciz "%s: code %d, signal %d, for a shell %d\n"
none_left:   .asciz "wait: %s\n"
fork_name:   .asciz "fork"
