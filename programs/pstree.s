# pstree: the processes as the tree that they are.
#
# Use:   pstree [PID]          the tree below PID; below process 1 without it
# Run:   forkyard run programs/sh.s -c 'sleep 1 & sleep 1 & pstree'
#
# What to look for: everybody is somebody's child. The kernel made process 1 by hand, and
# every other one was born of the process above it. What a parent has left behind when it
# ended hangs below process 1 now.
#
# All processes are read into a table first, which /proc gives in the order of their
# pids. Then each is linked to its parent: its first child, and the next one of the same parent.
#
#   s0 the table   s1 its end   s2 the root's pid

    .include "syscalls.inc"
    .include "frame.inc"
    .include "processes.inc"
    .equ    CHILD,   PROCESS_SIZE           # its first child, 0: none
    .equ    SIBLING, PROCESS_SIZE + 8       # the next child of its parent, 0: none
    .equ    SIZE,    PROCESS_SIZE + 16
    .equ    DEPTH,   256                    # bytes that the lines left of a name may have

    .bss
    .balign 8
stream: .zero DIR_SIZE
lines:  .zero DEPTH + 8

    .text
    .globl  _start
_start:
    ld      a0, 16(sp)              # argv[1]
    li      s2, 1
    beqz    a0, 1f
    mv      s3, a0
    call    atoi
    mv      s2, a0
    beq     a1, s3, bad_usage       # not a number
    lbu     t0, 0(a1)
    bnez    t0, bad_usage
1:  call    read_all
    call    link_all
    mv      a0, s2
    call    find
    beqz    a0, nobody
    la      a1, lines
    call    draw
    li      a0, 0
    call    exit

# read_all(): every process into the table, which is the heap.
#   out: s0 = the table, s1 = its end    changes: a0-a7, t0-t6
read_all:
    enter   0
    la      a0, stream
    la      a1, proc_path
    call    opendir
    bltz    a0, failed
    li      a0, 0
    call    sbrk
    mv      s0, a0
    mv      s1, a0
1:  li      a0, SIZE
    call    sbrk
    bltz    a0, failed
    la      a0, stream
    mv      a1, s1
    call    next_process
    bltz    a0, failed
    beqz    a0, 2f
    sd      zero, CHILD(s1)
    sd      zero, SIBLING(s1)
    addi    s1, s1, SIZE
    j       1b
2:  leave   0

# link_all(): hangs each process below its parent. Going from the last one to the first,
# and putting each before its siblings, leaves the children in the order of their pids.
#   in: s0, s1    changes: a0, a1, t0-t3, s3
link_all:
    enter   0
    mv      s3, s1
1:  addi    s3, s3, -SIZE
    bltu    s3, s0, 2f
    ld      a0, PROCESS_PPID(s3)
    call    find
    beqz    a0, 1b
    ld      t0, CHILD(a0)
    sd      t0, SIBLING(s3)
    sd      s3, CHILD(a0)
    j       1b
2:  leave   0

# find(pid): the process in the table, or 0. The table is sorted: each look halves it.
#   in: a0, s0, s1    out: a0    changes: t0-t4
find:
    li      t4, SIZE
    li      t0, 0                   # t0: the first that may be it   t1: behind the last
    sub     t1, s1, s0
    divu    t1, t1, t4
1:  bgeu    t0, t1, 3f
    add     t2, t0, t1
    srli    t2, t2, 1
    mul     t3, t2, t4
    add     t3, s0, t3
    ld      t4, PROCESS_PID(t3)
    beq     t4, a0, 4f
    bltu    t4, a0, 2f
    mv      t1, t2
    li      t4, SIZE
    j       1b
2:  addi    t0, t2, 1
    li      t4, SIZE
    j       1b
3:  li      t3, 0
4:  mv      a0, t3
    ret

# draw(process, end): a process and all below it. `lines` has what stands before it; `end`
# is where that ends, and where its children's lines go on.
#   in: a0, a1    changes: a0-a7, t0-t6
draw:
    enter   3
    mv      s0, a0
    mv      s1, a1
    sb      zero, 0(s1)
    la      a1, lines
    ld      a2, PROCESS_PID(s0)
    addi    a3, s0, PROCESS_COMM
    ld      t0, PROCESS_STATE(s0)
    li      t1, 'Z'
    la      a4, defunct
    beq     t0, t1, 1f
    la      a4, nothing
1:  la      a0, name_format
    call    printf
    ld      t0, PROCESS_THREADS(s0)
    li      t1, 1
    beq     t0, t1, 2f
    la      a0, threads_format
    mv      a1, t0
    call    printf
2:  la      a0, newline
    call    printf
    ld      s0, CHILD(s0)
    la      t0, lines + DEPTH - 8
    bgtu    s1, t0, 5f              # too deep to be drawn
3:  beqz    s0, 5f
    addi    t0, s1, -3              # what we hang on is a line that goes on, or its end
    la      t1, lines
    bltu    t0, t1, 4f
    call    straighten
4:  ld      t0, SIBLING(s0)
    la      a1, branch
    bnez    t0, 6f
    la      a1, last_branch
6:  mv      a0, s1
    call    strcpy
    mv      a0, s0
    addi    a1, s1, 3
    call    draw
    ld      s0, SIBLING(s0)
    j       3b
5:  leave   3

# straighten(): the branch that led to us becomes, below us, a line that goes on or nothing.
#   in: t0 = the branch of 3 bytes    changes: t1, t2
straighten:
    lbu     t1, 0(t0)
    li      t2, '|'
    beq     t1, t2, 1f
    li      t1, ' '
    sb      t1, 0(t0)
1:  li      t1, ' '
    sb      t1, 1(t0)
    ret

nobody:
    la      a1, nobody_line
    mv      a2, s2
    li      a0, STDERR
    call    dprintf
    li      a0, 1
    call    exit
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
branch:         .asciz "|- "
last_branch:    .asciz "`- "
name_format:    .asciz "%s%d %s%s"
threads_format: .asciz " (%d threads)"
newline:        .asciz "\n"
defunct:        .asciz " <defunct>"
nothing:        .asciz ""
nobody_line:    .asciz "pstree: there is no process %d\n"
error_line:     .asciz "pstree: %s\n"
usage:          .asciz "usage: pstree [PID]\n"
