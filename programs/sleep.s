# sleep: does nothing for some seconds.
#
# Use:   sleep SECONDS                 with a fraction if you like: 0.5
# Run:   forkyard run programs/sleep.s 1
#
# What to look for: a process that sleeps costs nothing; others run meanwhile. When all
# of them sleep, forkyard doesn't wait: time inside the machine jumps to the next alarm.

    .include "syscalls.inc"

    .bss
    .balign 8
time:   .zero 16                    # seconds, nanoseconds

    .text
    .globl  _start
_start:
    ld      s0, 16(sp)              # argv[1]
    beqz    s0, bad_usage
    lbu     t0, 0(s0)
    li      t1, '-'
    beq     t0, t1, bad_usage
    mv      a0, s0
    call    atoi
    sd      a0, time, t0
    lbu     t0, 0(a1)
    beqz    t0, 3f
    li      t1, '.'
    bne     t0, t1, bad_usage
    li      t2, 100000000           # what the next digit is worth, in nanoseconds
    li      t3, 10
    li      a0, 0
1:  addi    a1, a1, 1
    lbu     t0, 0(a1)
    beqz    t0, 2f
    addi    t0, t0, -'0'
    bgeu    t0, t3, bad_usage
    mul     t0, t0, t2
    add     a0, a0, t0
    divu    t2, t2, t3
    j       1b
2:  sd      a0, time + 8, t0
3:  beq     a1, s0, bad_usage       # no digit at all
    la      a0, time
    call    nanosleep
    bltz    a0, failed
    li      a0, 0
    call    exit

failed:
    mv      a1, a0
    la      a0, name
    call    perror
    li      a0, 1
    call    exit
bad_usage:
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit

    .section .rodata
name:   .asciz "sleep"
usage:  .asciz "usage: sleep SECONDS\n"
