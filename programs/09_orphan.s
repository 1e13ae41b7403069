# 09_orphan: a child whose parent ends first.
#
# Run it:        forkyard run programs/09_orphan.s
# Watch it:      forkyard trace --only process programs/09_orphan.s
#
# Every process has a parent: it is the one who will collect the exit code. When a
# parent ends, its children are given to init, the process with pid 1. init waits
# for whatever comes (read programs/init.s), so that no orphan stays a zombie.
#
# What to look for
#   - getppid gives the orphan a new answer: 1. In the trace: "reparent".
#   - The grandparent doesn't inherit the orphan: it has no child left (ECHILD).
#
#     before:   init --- grandparent --- parent --- child
#     after:    init --- grandparent
#                 \----- child
#
# Who waits for whom, so that every line has its place:
#   the parent ends at once; the grandparent waits for it, then tells the child by a
#   pipe; when the child has ended, the grandparent sees the end of another pipe.
#
#   s0 the pid of the parent, before the child is made

    .include "syscalls.inc"

    .bss
    .balign 8
told:   .zero 8                     # a pipe: the grandparent writes, the child reads
life:   .zero 8                     # a pipe that ends when the child does
byte:   .zero 8

    .text
    .globl  _start
_start:
    la      a0, told
    call    pipe
    la      a0, life
    call    pipe
    call    fork
    beqz    a0, parent
    bltz    a0, no_fork

# --- the grandparent ----------------------------------------------------------
    lw      a0, life + 4
    call    close
    li      a0, 0
    call    wait                    # the parent has ended, and is wholly gone
    la      a0, grandparent_line
    call    printf
    lw      a0, told + 4
    la      a1, byte
    li      a2, 1
    call    write
    lw      a0, life
    la      a1, byte
    li      a2, 1
    call    read                    # until the child has ended

    li      a0, 0
    call    wait
    call    error_text
    mv      a1, a0
    la      a0, no_child_line
    call    printf
    li      a0, 0
    call    exit

# --- the parent: makes a child and ends ---------------------------------------
parent:
    call    getpid
    mv      s0, a0
    call    fork
    beqz    a0, child
    li      a0, 0
    call    exit

# --- the child ----------------------------------------------------------------
child:
    lw      a0, told
    la      a1, byte
    li      a2, 1
    call    read                    # sleeps until the grandparent says that the parent is gone
    call    getppid
    li      t0, 1
    la      a1, yes
    beq     a0, t0, 1f
    la      a1, no
1:  la      a2, no
    bne     a0, s0, 2f
    la      a2, yes
2:  la      a0, child_line
    call    printf
    li      a0, 0
    call    exit

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
grandparent_line: .asciz "grandparent: the parent has ended, and I have collected it\n"
child_line:       .asciz "child:       is my parent now pid 1, init? %s  is it the old one? %s\n"
no_child_line:    .asciz "grandparent: the child has ended, but it isn't mine to wait for: %s\n"
yes:              .asciz "yes"
no:               .asciz "no"
fork_name:        .asciz "fork"
