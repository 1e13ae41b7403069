# zombie_factory: children that end, and a parent that doesn't ask how.
#
# Run it:        forkyard run --max-procs 50 programs/zombie_factory.s
#
# A process that has ended needs no memory and no processor, but its pid and its exit
# code are kept until the parent has waited for it: it is a zombie. Who makes children
# and never waits fills the process table with them, and then nobody gets a new
# process any more. That is a bug that real programs have had.
#
# What to look for
#   - 48 zombies and the two processes that live are the 50 that --max-procs allows.
#   - kill doesn't help: they are dead already. It succeeds, and nothing happens.
#   - wait is what helps. So does saying "I don't want to know": with SIGCHLD ignored
#     the kernel collects the children itself, and there is no end of them.
#
#   s0 how many children   s2 the last one's pid

    .include "syscalls.inc"
    .equ    MOST, 30000             # enough for any limit that one would set
    .equ    MANY, 500
    .equ    WEXITED, 4
    .equ    WNOWAIT, 0x1000000
    .equ    P_PID, 1

    .text
    .globl  _start
_start:
    li      s0, 0
1:  call    fork
    beqz    a0, child
    bltz    a0, full
    mv      s2, a0
    mv      a1, a0                  # until it has ended; it stays a zombie
    li      a0, P_PID
    li      a2, 0
    li      a3, WEXITED
    li      t0, WNOWAIT
    or      a3, a3, t0
    li      a4, 0
    li      a7, SYS_waitid
    ecall
    addi    s0, s0, 1
    li      t0, MOST
    bltu    s0, t0, 1b
full:
    call    error_text
    mv      a2, a0
    mv      a1, s0
    la      a0, full_line
    call    printf

    mv      a0, s2
    li      a1, SIGKILL
    call    kill
    bnez    a0, 2f
    la      a0, kill_line
    call    puts
    call    fork
    beqz    a0, child
    call    error_text
    mv      a1, a0
    la      a0, still_line
    call    printf

2:  li      s0, 0
3:  li      a0, 0
    call    wait
    bltz    a0, 4f
    addi    s0, s0, 1
    j       3b
4:  la      a0, waited_line
    mv      a1, s0
    call    printf

    li      a0, SIGCHLD
    li      a1, SIG_IGN
    li      a2, 0
    call    sigaction
    li      s0, 0
5:  call    fork
    beqz    a0, child
    bltz    a0, 6f
    addi    s0, s0, 1
    li      t0, MANY
    bltu    s0, t0, 7f
    j       8f
7:  li      a0, 0                   # until it is gone: there will be no child left (ECHILD)
    call    wait
    j       5b
6:  call    error_text
    mv      a1, a0
    la      a0, still_line
    call    printf
8:  la      a0, ignored_line
    mv      a1, s0
    call    printf
    li      a0, 0
    call    exit

child:
    li      a0, 0
    call    exit

    .section .rodata
full_line:    .asciz "after %d children that ended, fork says: %s\n"
kill_line:    .asciz "kill says that it has worked\n"
still_line:   .asciz "fork says: %s\n"
waited_line:  .asciz "%d were waited for, and there is room again\n"
ignored_line: .asciz "with SIGCHLD ignored: %d children, and not one zombie\n"
