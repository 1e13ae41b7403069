# top: who uses the processor, looked at a few times.
#
# Use:   top [-n COUNT] [-d SECONDS]       3 times, 1 second apart, if nothing is said
# Run:   forkyard run programs/sh.s -c 'yes >/dev/null & yes >/dev/null & top -n 2 -d 0.01; kill -9 -1'
#
# What to look for: /proc/PID/schedstat says how many nanoseconds a process has had the
# processor (here an instruction is one). top asks twice; the difference is what the process
# has used in between. Who sleeps uses nothing. Two that never sleep get half of it each:
# that is the scheduler's doing.
#
#   s0 samples still to take   s1 nanoseconds between them   s2 the table of the last one
#   s3 its end   s4 the new table   s5 its end   s6 when the last one was taken   s7 how long ago
#
# There is room for two tables; they change places after each sample.

    .include "syscalls.inc"
    .include "frame.inc"
    .include "processes.inc"
    .equ    RUN,   PROCESS_SIZE             # nanoseconds on the processor so far
    .equ    DELTA, PROCESS_SIZE + 8         # and since the last sample; -1: it has been printed
    .equ    SIZE,  PROCESS_SIZE + 16
    .equ    MOST,  500                      # processes that are looked at
    .equ    ROWS,  10                       # processes that are shown

    .bss
    .balign 8
stream:  .zero DIR_SIZE
line:    .zero 512
number:  .zero 24
tables:  .zero 2 * MOST * SIZE

    .text
    .globl  _start
_start:
    addi    s8, sp, 16              # argv[1]
    li      s0, 3
    li      s1, 1000000000
1:  ld      a0, 0(s8)
    beqz    a0, 4f
    lbu     t0, 0(a0)
    li      t1, '-'
    bne     t0, t1, bad_usage
    lbu     s9, 1(a0)
    ld      s10, 8(s8)
    beqz    s10, bad_usage
    addi    s8, s8, 16
    mv      a0, s10
    call    atoi
    beq     a1, s10, bad_usage
    bltz    a0, bad_usage
    lbu     t0, 0(a1)
    li      t1, 'n'
    bne     s9, t1, 2f
    bnez    t0, bad_usage
    beqz    a0, bad_usage
    mv      s0, a0
    j       1b
2:  li      t1, 'd'
    bne     s9, t1, bad_usage
    li      t2, 1000000000
    mul     s1, a0, t2
    beqz    t0, 1b
    li      t1, '.'
    bne     t0, t1, bad_usage
    li      t4, 10
3:  addi    a1, a1, 1               # a digit behind the point is worth a tenth of the one before
    lbu     t0, 0(a1)
    beqz    t0, 1b
    addi    t0, t0, -'0'
    bgeu    t0, t4, bad_usage
    divu    t2, t2, t4
    mul     t0, t0, t2
    add     s1, s1, t0
    j       3b
4:  la      s2, tables
    mv      s3, s2                  # before the first sample there was nobody
    la      s4, tables + MOST * SIZE
    li      s6, 0

sample:
    call    take
    call    clock_ns
    sub     s7, a0, s6
    mv      s6, a0
    call    show
    addi    s0, s0, -1
    beqz    s0, done
    mv      t0, s2                  # the new table is the last one now
    mv      s2, s4
    mv      s3, s5
    mv      s4, t0
    mv      a0, s1
    call    sleep_ns
    j       sample
done:
    li      a0, 0
    call    exit

# take(): reads all processes into the new table, with what each has used since the last sample.
#   in: s2-s4    out: s5    changes: a0-a7, t0-t6
take:
    enter   0
    la      a0, stream
    la      a1, proc_path
    call    opendir
    bltz    a0, failed
    mv      s5, s4
1:  li      t0, MOST * SIZE
    add     t0, t0, s4
    bgeu    s5, t0, 3f              # the table is full
    la      a0, stream
    mv      a1, s5
    call    next_process
    bltz    a0, failed
    beqz    a0, 3f
    ld      a0, PROCESS_PID(s5)
    call    run_time
    bltz    a0, 1b                  # it has ended since
    sd      a0, RUN(s5)
    sd      a0, DELTA(s5)
    ld      a1, PROCESS_PID(s5)
2:  bgeu    s2, s3, 4f              # both tables go by pid: go on where the search before this one ended
    ld      t0, PROCESS_PID(s2)
    bgtu    t0, a1, 4f
    addi    s2, s2, SIZE
    bltu    t0, a1, 2b
    ld      t0, RUN - SIZE(s2)
    sub     a0, a0, t0
    sd      a0, DELTA(s5)
4:  addi    s5, s5, SIZE
    j       1b
3:  la      a0, stream
    call    closedir
    la      s2, tables              # back to the beginning of the last table: the one that isn't the new one
    bne     s4, s2, 5f
    la      s2, tables + MOST * SIZE
5:  leave   0

# run_time(pid): nanoseconds on the processor, or -errno.    in: a0    out: a0    changes: a0-a7, t0-t6
run_time:
    enter   0
    la      t1, number + 23         # the number as text, made from its end
    li      t2, 10
1:  remu    t3, a0, t2
    divu    a0, a0, t2
    addi    t3, t3, '0'
    addi    t1, t1, -1
    sb      t3, 0(t1)
    bnez    a0, 1b
    la      a0, line
    mv      a1, t1
    la      a2, schedstat_name
    call    read_proc
    bltz    a0, 2f
    la      a0, line
    call    atoi
2:  leave   0

# show(): the head, and those who used most, in order.
#   in: s4, s5, s6, s7    changes: a0-a7, t0-t6
show:
    enter   2
    li      t0, 1000000
    divu    a1, s6, t0
    li      t0, 1000
    remu    a2, a1, t0
    divu    a1, a1, t0
    sub     a3, s5, s4
    li      t0, SIZE
    divu    a3, a3, t0
    la      a0, head
    call    printf
    li      s0, ROWS
1:  beqz    s0, 4f
    addi    s0, s0, -1
    li      s1, 0                   # whoever has used most of those not shown yet
    li      t1, -1
    mv      t0, s4
2:  bgeu    t0, s5, 3f
    ld      t2, DELTA(t0)
    ble     t2, t1, 5f
    mv      t1, t2
    mv      s1, t0
5:  addi    t0, t0, SIZE
    j       2b
3:  beqz    s1, 4f                  # all are shown
    ld      a1, PROCESS_PID(s1)
    ld      a2, PROCESS_STATE(s1)
    li      t0, 1000                # tenths of a percent
    mul     a4, t1, t0
    divu    a4, a4, s7
    li      t0, 10
    divu    a3, a4, t0
    remu    a4, a4, t0
    ld      a5, RUN(s1)
    li      t0, 1000
    divu    a5, a5, t0
    addi    a6, s1, PROCESS_COMM
    li      t0, -1
    sd      t0, DELTA(s1)
    la      a0, row
    call    printf
    j       1b
4:  leave   2

failed:
    call    error_text
    mv      a2, a0
    la      a1, error_line
    li      a0, STDERR
    call    dprintf
    li      a0, 1
    call    exit
bad_usage:
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit

    .section .rodata
proc_path:      .asciz "/proc"
schedstat_name: .asciz "schedstat"
head:           .asciz "top: %d.%03d s since boot, %d processes\n  PID S  %%CPU  MICROSECONDS CMD\n"
row:            .asciz "%5d %c %3d.%d %13d %s\n"
error_line:     .asciz "top: %s\n"
usage:          .asciz "usage: top [-n COUNT] [-d SECONDS]\n"
