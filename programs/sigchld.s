# sigchld: a handler that collects children, while the program does something else.
#
# Run it:        forkyard run programs/sigchld.s
# Watch it:      forkyard trace --only signal,process programs/sigchld.s
#
# When a child ends, its parent gets the signal SIGCHLD. By default nothing happens
# then. A program that has better things to do than to stand in wait installs a
# handler: a function that the kernel calls, between any two instructions.
#
# What to look for
#   - While SIGCHLD is blocked the handler doesn't run: the signal is pending.
#   - A pending signal is one bit, not a count. Three children may end, and the handler
#     is called once. So it must ask again and again until nobody is left.
#   - WNOHANG: a handler must not sleep.
#   - sigsuspend unblocks and sleeps in one step. With two steps the signal could come
#     in between, and the sleep would never end.
#   - Who ignores SIGCHLD gets no zombies at all, and wait finds nobody.
#
#   s0 counts children

    .include "syscalls.inc"
    .equ CHILDREN, 3
    .equ CHLD_BIT, 1 << (SIGCHLD - 1)

    .bss
    .balign 8
reaped: .zero 8                     # how many the handler has collected
sum:    .zero 8                     # of their exit codes

    .text
    .globl  _start
_start:
    li      a0, SIGCHLD
    la      a1, collect
    li      a2, SA_RESTART | SA_NOCLDSTOP
    call    sigaction
    li      a0, SIG_BLOCK
    li      a1, CHLD_BIT
    call    sigprocmask

    li      s0, 1
start:
    call    fork
    beqz    a0, child
    bltz    a0, no_fork
    addi    s0, s0, 1
    li      t0, CHILDREN
    ble     s0, t0, start

    ld      a1, reaped
    la      a0, blocked_line
    call    printf

pause:
    ld      t0, reaped
    li      t1, CHILDREN
    bge     t0, t1, all_reaped
    li      a0, 0                   # block nothing, and sleep
    call    sigsuspend
    j       pause

all_reaped:
    ld      a1, reaped
    ld      a2, sum
    la      a0, reaped_line
    call    printf
    la      a0, left_line
    call    try_wait

    li      a0, SIGCHLD             # and now nobody wants to know
    li      a1, SIG_IGN
    li      a2, 0
    call    sigaction
    call    fork
    beqz    a0, child
    bltz    a0, no_fork
    la      a0, ignored_line
    call    try_wait
    li      a0, 0
    call    exit

child:
    mv      a0, s0                  # 1, 2, 3
    call    exit

# collect(signal): the handler. It takes all that have ended.
collect:
    addi    sp, sp, -16
    sd      ra, 8(sp)
1:  li      a0, -1
    mv      a1, sp
    li      a2, WNOHANG
    call    waitpid
    blez    a0, 2f                  # 0: the others live; -ECHILD: there are no others
    lw      a0, 0(sp)
    call    exit_code
    la      t0, sum
    ld      t1, 0(t0)
    add     t1, t1, a0
    sd      t1, 0(t0)
    la      t0, reaped
    ld      t1, 0(t0)
    addi    t1, t1, 1
    sd      t1, 0(t0)
    j       1b
2:  ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# try_wait(format): waits for any child, and says what came of it.
try_wait:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a0, 0(sp)
    li      a0, 0
    call    wait
    call    error_text
    mv      a1, a0
    ld      a0, 0(sp)
    call    printf
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
blocked_line: .asciz "SIGCHLD is blocked: the handler has collected %d children.\n"
reaped_line:  .asciz "The handler has collected %d children. Their exit codes add up to %d.\n"
left_line:    .asciz "Is there anybody left to wait for? %s\n"
ignored_line: .asciz "And if SIGCHLD is ignored? %s\n"
fork_name:    .asciz "fork"
