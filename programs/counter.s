# counter: counts, and asks the kernel for nothing until it is done.
#
# Run it:        forkyard run --stats programs/counter.s
# Longer:        forkyard run programs/counter.s 50000000
# Two at once:   forkyard trace --only sched programs/sh.s -c 'counter & counter & wait'
#
# What to look for
#   - This program never gives the processor away, and yet others run beside it: after
#     a time slice the kernel takes it away (it is preemptive).
#   - The loop has two instructions, so --stats counts a little over twice the number.
#
#   s0 the count   s1 where it ends

    .include "syscalls.inc"
    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    li      s1, 1000000
    ld      a0, 8(a1)               # argv[1], or 0
    beqz    a0, 1f
    call    atoi
    mv      s1, a0

1:  li      s0, 0
2:  addi    s0, s0, 1
    blt     s0, s1, 2b

    la      a0, line
    mv      a1, s0
    call    printf
    li      a0, 0
    call    exit

    .section .rodata
line:   .asciz "counted to %d\n"
