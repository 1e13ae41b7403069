# 05_cow: copy on write, page by page.
#
# Run it:        forkyard run --stats programs/05_cow.s
# Watch it:      forkyard trace --only fault,process programs/05_cow.s
#
# fork doesn't copy memory. Parent and child share every page, and the kernel takes
# away the permission to write from both. The first write to a page traps; the
# kernel copies that one page (4096 bytes) and lets the write go on.
#
# What to look for
#   - Three pages of data, and the child writes to the middle one only. In the
#     trace there is one "cow-copy" for that page. (There are others for the stack
#     and whatever else is written; compare the addresses.)
#   - A second write to the same page costs nothing: it is the child's own now.
#   - When the child is gone, the parent is the only one left who uses the page.
#     Its write still traps, but there is nothing to copy: "cow-reuse".
#   - Reading never copies anything.

    .include "syscalls.inc"
    .equ    PAGE, 4096

    .bss
    .balign PAGE                    # each of the three has a page of its own
left:   .zero PAGE
middle: .zero PAGE
right:  .zero PAGE
status: .zero 8

    .text
    .globl  _start
_start:
    li      t0, 100                 # the first write to a page brings it into being: "demand"
    sd      t0, left, t1
    li      t0, 200
    sd      t0, middle, t1
    li      t0, 300
    sd      t0, right, t1
    la      a0, parent_name
    call    show

    call    fork
    beqz    a0, child
    bltz    a0, no_fork

    la      a0, status              # --- the parent: lets the child finish first
    call    wait
    la      a0, parent_name
    call    show                    # not one of the child's writes is seen here
    li      t0, 201                 # traps, and finds that nobody else has the page
    sd      t0, middle, t1
    la      a0, parent_name
    call    show
    li      a0, 0
    call    exit

child:                              # --- the child
    la      a0, child_name
    call    show                    # reads only: the pages stay shared
    ld      t0, middle
    addi    t0, t0, 1000
    sd      t0, middle, t1          # traps: the kernel copies this page
    ld      t0, middle
    addi    t0, t0, 1000
    sd      t0, middle, t1          # doesn't trap: the copy is ours
    la      a0, child_name
    call    show
    li      a0, 0
    call    exit

# show(name): prints the three variables.    in: a0
show:
    mv      a1, a0
    la      a0, line
    ld      a2, left
    ld      a3, middle
    ld      a4, right
    tail    printf

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
line:        .asciz "%s  left %d  middle %4d  right %d\n"
parent_name: .asciz "parent:"
child_name:  .asciz "child: "
fork_name:   .asciz "fork"
