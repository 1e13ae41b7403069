# next_process, read_process: what /proc says of the processes there are.
#
# /proc is no place on a disk: the kernel makes the text when somebody reads it, from
# its own tables. A process may end between two of our questions; then it is left out.
    .include "syscalls.inc"
    .include "frame.inc"
    .include "processes.inc"
    .equ    LINE, 512

    .text

# next_process(stream, process): reads the next process that opendir("/proc") has.
#   in:  a0 = the stream, a1 = PROCESS_SIZE bytes
#   out: a0 = 1, 0 if there are no more, or -errno    changes: a1-a7, t0-t6
    .globl next_process
next_process:
    enter   2
    mv      s0, a0
    mv      s1, a1
1:  mv      a0, s0
    call    readdir
    blez    a0, 2f
    lbu     t0, 0(a0)
    addi    t0, t0, -'0'
    li      t1, 10
    bgeu    t0, t1, 1b              # a name such as "uptime": not a process
    mv      a1, a0
    mv      a0, s1
    call    read_process
    bltz    a0, 1b                  # it has ended since
    li      a0, 1
2:  leave   2

# read_process(process, name): reads /proc/NAME/stat; 0, or -errno.
#   in: a0 = PROCESS_SIZE bytes, a1 = a string such as "12"    out: a0
#   changes: a1-a7, t0-t6
#
#   s0 the process   s1 the line   s2 its last ")"
    .globl read_process
read_process:
    enter   3
    addi    sp, sp, -LINE
    mv      s0, a0
    mv      s1, sp
    mv      a0, s1
    la      a2, stat_name
    call    read_proc
    bltz    a0, 9f
    mv      a0, s1
    call    atoi
    sd      a0, PROCESS_PID(s0)
    mv      a0, s1
    li      a1, '('
    call    strchr
    beqz    a0, 8f
    addi    a1, a0, 1
    mv      t0, a1                  # a name may have a ")" in it: the last one counts
    li      s2, 0
    li      t2, ')'
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    bne     t1, t2, 3f
    mv      s2, t0
3:  addi    t0, t0, 1
    j       1b
2:  beqz    s2, 8f
    sb      zero, 0(s2)
    addi    a0, s0, PROCESS_COMM
    call    strcpy
    lbu     t0, 2(s2)
    sd      t0, PROCESS_STATE(s0)
    addi    a0, s2, 4
    addi    a1, s0, PROCESS_PPID
    li      a2, PROCESS_NUMBERS
    call    read_numbers
    li      a0, 0
    j       9f
8:  li      a0, -EIO
9:  addi    sp, sp, LINE
    leave   3

# read_proc(buffer, name, file): reads /proc/NAME/FILE, up to LINE - 1 bytes, and puts a 0 behind them.
#   in: a0, a1, a2    out: a0 = the number of bytes, or -errno    changes: a1-a7, t0-t6
    .globl read_proc
read_proc:
    enter   4
    addi    sp, sp, -64
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    mv      a0, sp
    la      a1, proc_name
    call    strcpy
    addi    a0, sp, 6               # behind "/proc/"
    mv      a1, s1
    call    strcpy
    call    strlen
    add     t0, sp, a0
    li      t1, '/'
    sb      t1, 6(t0)
    addi    a0, t0, 7
    mv      a1, s2
    call    strcpy
    mv      a0, sp
    li      a1, O_RDONLY
    call    open
    bltz    a0, 1f
    mv      s3, a0
    mv      a1, s0
    li      a2, LINE - 1
    call    read
    mv      s2, a0
    mv      a0, s3
    call    close
    mv      a0, s2
    bltz    a0, 1f
    add     t0, s0, a0
    sb      zero, 0(t0)
1:  addi    sp, sp, 64
    leave   4

# read_numbers(text, words, count): decimal numbers with spaces between them, as words of 8 bytes.
#   in: a0, a1, a2    changes: a0-a2, t0-t5
    .globl read_numbers
read_numbers:
    enter   0
    mv      t4, a1
    mv      t5, a2
1:  blez    t5, 2f
    call    atoi                    # leaves t4 and t5 alone
    sd      a0, 0(t4)
    addi    t4, t4, 8
    addi    t5, t5, -1
    addi    a0, a1, 1
    lbu     t0, 0(a1)
    bnez    t0, 1b
2:  leave   0

    .section .rodata
proc_name: .asciz "/proc/"
stat_name: .asciz "stat"
