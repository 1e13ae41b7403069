# ps: the processes there are.
#
# Use:   ps [-e] [-f]          -f: parents, groups, sessions and arguments too; -e: all, which it is anyway
# Run:   forkyard run programs/sh.s -c 'sleep 1 & sleep 0 & sleep 0.1; ps -f'
#
# What to look for: ps knows nothing that you couldn't find out with cat. The kernel shows
# its table of processes as files: /proc/1/stat has one line about process 1. A process
# whose parent hasn't waited for it has state Z and is <defunct>: it has ended, and all
# that is left of it is this line.
#
#   s0 the next argument   s1 1 with -f   s2 the stream   s3 the process

    .include "syscalls.inc"
    .include "processes.inc"
    .equ    SIZE, 512

    .bss
    .balign 8
stream:  .zero DIR_SIZE
process: .zero PROCESS_SIZE
line:    .zero SIZE
number:  .zero 24

    .text
    .globl  _start
_start:
    addi    s0, sp, 16              # argv[1]
    li      s1, 0
1:  ld      a0, 0(s0)
    beqz    a0, list
    lbu     t0, 0(a0)
    li      t1, '-'
    bne     t0, t1, bad_usage
    addi    s0, s0, 8
2:  addi    a0, a0, 1
    lbu     t0, 0(a0)
    beqz    t0, 1b
    li      t1, 'e'
    beq     t0, t1, 2b
    li      t1, 'f'
    bne     t0, t1, bad_usage
    li      s1, 1
    j       2b

list:
    la      a0, head
    beqz    s1, 1f
    la      a0, full_head
1:  call    printf
    la      s2, stream
    la      s3, process
    mv      a0, s2
    la      a1, proc_path
    call    opendir
    bltz    a0, failed
next:
    mv      a0, s2
    mv      a1, s3
    call    next_process
    bltz    a0, failed
    beqz    a0, done
    la      a0, short_line
    ld      a1, PROCESS_PID(s3)
    beqz    s1, 1f
    la      a0, full_line
    ld      a2, PROCESS_PPID(s3)
    ld      a3, PROCESS_PGID(s3)
    ld      a4, PROCESS_SID(s3)
1:  call    printf
    call    print_time
    call    print_name
    j       next
done:
    li      a0, 0
    call    exit

# print_time(): the state, and the time on the processor as hours, minutes and seconds.
#   in: s3    changes: a0-a7, t0-t6
print_time:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    ld      t0, PROCESS_UTIME(s3)
    ld      t1, PROCESS_STIME(s3)
    add     t0, t0, t1
    li      t1, 100
    divu    t0, t0, t1              # hundredths of a second
    li      t1, 60
    remu    a4, t0, t1
    divu    t0, t0, t1
    remu    a3, t0, t1
    divu    a2, t0, t1
    ld      a1, PROCESS_STATE(s3)
    la      a0, time_format
    call    printf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# print_name(): what it is called; with -f its arguments, if it still has any.
#   in: s1, s3    changes: a0-a7, t0-t6
print_name:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    addi    a1, s3, PROCESS_COMM
    ld      t0, PROCESS_STATE(s3)
    li      t1, 'Z'
    la      a0, zombie_format
    beq     t0, t1, 1f
    la      a0, name_format
    beqz    s1, 1f
    call    read_arguments
    la      a0, name_format
    la      a1, line
    bnez    a2, 1f
    la      a0, bracket_format
    addi    a1, s3, PROCESS_COMM
1:  call    printf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# read_arguments(): /proc/PID/cmdline into `line`, with spaces instead of the 0s between.
#   in: s3    out: a2 = how many bytes (0: none, or it has ended)    changes: a0-a7, t0-t6
read_arguments:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    ld      t0, PROCESS_PID(s3)     # the number as text, made from its end
    la      t1, number + 23
    li      t2, 10
1:  remu    t3, t0, t2
    divu    t0, t0, t2
    addi    t3, t3, '0'
    addi    t1, t1, -1
    sb      t3, 0(t1)
    bnez    t0, 1b
    la      a0, line
    mv      a1, t1
    la      a2, cmdline_name
    call    read_proc
    mv      a2, a0
    bgtz    a0, 2f
    li      a2, 0
    j       4f
2:  la      t0, line
    add     t1, t0, a2
    addi    t1, t1, -1              # the last 0 stays
    li      t2, ' '
3:  bgeu    t0, t1, 4f
    lbu     t3, 0(t0)
    addi    t0, t0, 1
    bnez    t3, 3b
    sb      t2, -1(t0)
    j       3b
4:  ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

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
cmdline_name:   .asciz "cmdline"
head:           .asciz "  PID S     TIME CMD\n"
full_head:      .asciz "  PID  PPID  PGID   SID S     TIME CMD\n"
short_line:     .asciz "%5d "
full_line:      .asciz "%5d %5d %5d %5d "
time_format:    .asciz "%c %02d:%02d:%02d "
name_format:    .asciz "%s\n"
bracket_format: .asciz "[%s]\n"
zombie_format:  .asciz "[%s] <defunct>\n"
error_line:     .asciz "ps: /proc: %s\n"
usage:          .asciz "usage: ps [-e] [-f]\n"
