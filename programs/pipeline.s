# pipeline: three processes connected by two pipes, as a shell does it.
#
# Run it:        forkyard run programs/pipeline.s
# Watch it:      forkyard trace --only process,sched programs/pipeline.s
#
#     numbers ---pipe a---> squares ---pipe b---> sum
#
# What to look for
#   - A pipe is made before the fork: the child gets copies of both descriptors.
#     That is how two processes come to hold the two ends of one pipe.
#   - dup2 puts an end of the pipe where standard input or output was. The stages
#     themselves only know descriptors 0 and 1.
#   - Everybody closes the ends it doesn't use. A reader finds the end of the file
#     only when *no* process has the writing end open any more: one forgotten copy,
#     and it waits for ever. (Remove a call of close_pipes and see: forkyard tells
#     you who waits for whom.)
#   - The processes run at the same time. A full pipe makes its writer sleep, an
#     empty one its reader: in the trace, "block" and "wake".
#
#   In each stage: s0 what it works on

    .include "syscalls.inc"
    .equ    COUNT, 100

    .bss
    .balign 8
pipe_a: .zero 8                     # two descriptors of 4 bytes: the reading end, the writing end
pipe_b: .zero 8
number: .zero 8
status: .zero 8

    .text
    .globl  _start
_start:
    la      a0, pipe_a
    call    pipe
    la      a0, pipe_b
    call    pipe

    call    fork
    beqz    a0, numbers
    bltz    a0, no_fork
    call    fork
    beqz    a0, squares
    bltz    a0, no_fork
    call    fork
    beqz    a0, sum
    bltz    a0, no_fork

    call    close_pipes             # the parent is no stage: it only waits
    li      s0, 0
1:  la      a0, status
    call    wait
    bltz    a0, 2f
    addi    s0, s0, 1
    j       1b
2:  la      a0, done_line
    mv      a1, s0
    call    printf
    li      a0, 0
    call    exit

# --- the first stage: writes 1, 2, ... COUNT, as 8 bytes each ---------------------
numbers:
    lw      a0, pipe_a + 4
    li      a1, STDOUT
    call    dup2
    call    close_pipes
    li      s0, 1
1:  mv      a0, s0
    call    put_number
    addi    s0, s0, 1
    li      t0, COUNT
    ble     s0, t0, 1b
    li      a0, 0
    call    exit

# --- the second stage: reads numbers, writes their squares ------------------------
squares:
    lw      a0, pipe_a
    li      a1, STDIN
    call    dup2
    lw      a0, pipe_b + 4
    li      a1, STDOUT
    call    dup2
    call    close_pipes
1:  call    get_number
    beqz    a1, 2f
    mul     a0, a0, a0
    call    put_number
    j       1b
2:  li      a0, 0
    call    exit

# --- the third stage: reads numbers, prints how many and their sum ----------------
sum:
    lw      a0, pipe_b
    li      a1, STDIN
    call    dup2
    call    close_pipes
    li      s0, 0
    li      s1, 0
1:  call    get_number
    beqz    a1, 2f
    add     s0, s0, a0
    addi    s1, s1, 1
    j       1b
2:  la      a0, sum_line
    mv      a1, s1
    mv      a2, s0
    call    printf
    li      a0, 0
    call    exit

# close_pipes(): closes all four ends; copies made by dup2 stay.
close_pipes:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    lw      a0, pipe_a
    call    close
    lw      a0, pipe_a + 4
    call    close
    lw      a0, pipe_b
    call    close
    lw      a0, pipe_b + 4
    call    close
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# put_number(n): 8 bytes to standard output. A pipe takes so few bytes whole or not at all.
put_number:
    sd      a0, number, t0
    li      a0, STDOUT
    la      a1, number
    li      a2, 8
    tail    write

# get_number(): a0 = 8 bytes from standard input, a1 = 1; a1 = 0 at the end of the file.
get_number:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    li      a0, STDIN
    la      a1, number
    li      a2, 8
    call    read
    addi    a1, a0, -8              # whole numbers go in, so whole numbers come out
    seqz    a1, a1
    ld      a0, number
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
sum_line:  .asciz "sum:    I have read %d numbers, their sum is %d\n"
done_line: .asciz "parent: %d processes have ended\n"
fork_name: .asciz "fork"
