# fatfork: a process with 64 MiB of memory forks, and its child touches one page.
#
# Run it:        forkyard run --stats programs/fatfork.s
# Watch it:      forkyard trace --only process programs/fatfork.s
#
# If fork copied memory, this program would need 128 MiB and a long time. It copies
# nothing: parent and child share all 16384 pages of the heap, and the child's one
# write copies one of them.
#
# What to look for
#   - --stats: about 16400 "demand" faults (the heap's pages come into being when
#     they are first written), but only a handful of "COW copy".
#   - Frames in use at most: a little over 16384, not twice that.
#   - It runs within --memory 80M.
#
#   s0 the heap   s1 its end   s2 the distance of two pages

    .include "syscalls.inc"
    .equ    SIZE, 64 * 1024 * 1024

    .bss
    .balign 8
status: .zero 8

    .text
    .globl  _start
_start:
    li      a0, SIZE
    call    sbrk                    # promises memory: there are no pages yet
    bltz    a0, no_memory
    mv      s0, a0
    li      t0, SIZE
    add     s1, s0, t0
    li      s2, 4096

    mv      t0, s0
1:  sd      t0, 0(t0)               # each write makes a page: a "demand" fault
    add     t0, t0, s2
    bltu    t0, s1, 1b

    call    fork
    beqz    a0, child
    bltz    a0, no_fork

    la      a0, status
    call    wait
    lw      a0, status
    call    exit_code
    mv      a1, a0
    la      a0, child_line
    call    printf
    call    unchanged               # reads all of it: 64 MiB as they were before the fork
    mv      a1, a0
    la      a0, parent_line
    call    printf
    li      a0, 0
    call    exit

child:
    sd      zero, 0(s0)             # one write, one page copied
    call    unchanged
    mv      a1, a0
    la      a0, count_line
    call    printf
    li      a0, 1
    call    exit

# unchanged(): how many of the pages still hold what the loop above wrote.    out: a0
unchanged:
    li      a0, 0
    mv      t0, s0
1:  ld      t1, 0(t0)
    bne     t1, t0, 2f
    addi    a0, a0, 1
2:  add     t0, t0, s2
    bltu    t0, s1, 1b
    ret

no_memory:
    mv      a1, a0
    la      a0, sbrk_name
    call    perror
    li      a0, 1
    call    exit
no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
count_line:   .asciz "child:  %d pages as they were, and one I have written to\n"
child_line:  .asciz "parent: the child wrote to %d page\n"
parent_line: .asciz "parent: %d pages as they were\n"
sbrk_name:   .asciz "sbrk"
fork_name:   .asciz "fork"
