# nanosleep, sleep, clock_gettime, sched_yield: time, and giving it away.
    .include "syscalls.inc"
    .text

# nanosleep(&time): sleeps; 0, or -errno.
#   in: a0 = a struct timespec: 8 bytes of seconds, 8 bytes of nanoseconds
#   out: a0    changes: a1, a7
    .globl nanosleep
nanosleep:
    li      a1, 0                   # a signal that interrupts us: don't say how much was left
    li      a7, SYS_nanosleep
    ecall
    ret

# sleep_ns(nanoseconds): sleeps; 0, or -errno.
#   in: a0    out: a0    changes: a1, a7, t0, t1
    .globl sleep_ns
sleep_ns:
    li      t0, 1000000000
    addi    sp, sp, -16
    divu    t1, a0, t0
    sd      t1, 0(sp)
    remu    t1, a0, t0
    sd      t1, 8(sp)
    mv      a0, sp
    li      a1, 0
    li      a7, SYS_nanosleep
    ecall
    addi    sp, sp, 16
    ret

# sched_yield(): lets the others run first.    out: a0 = 0    changes: a7
    .globl sched_yield
sched_yield:
    li      a7, SYS_sched_yield
    ecall
    ret

# clock_ns(): nanoseconds since some moment in the past, never going backwards.
#   out: a0    changes: a1, a7, t0
    .globl clock_ns
clock_ns:
    addi    sp, sp, -16
    li      a0, CLOCK_MONOTONIC
    mv      a1, sp
    li      a7, SYS_clock_gettime
    ecall
    ld      a0, 0(sp)
    li      t0, 1000000000
    mul     a0, a0, t0
    ld      t0, 8(sp)
    add     a0, a0, t0
    addi    sp, sp, 16
    ret
