# 04_parents: every process has a parent, up to pid 1.
#
# Run it:        forkyard run programs/04_parents.s
# Watch it:      forkyard trace --only process programs/04_parents.s
#
# A process is always born of another one. Only the first, pid 1, was made by the
# kernel itself when the machine started: so everybody has a parent, and all of them
# together are a tree with pid 1 at its root. Here that is programs/init.s.
#
# getppid asks for one's parent. This program makes a chain: a child, its child, and
# so on. Each of them asks who its parent is, and compares with what that one said of
# itself before the fork: memory is copied, so the child knows what its parent knew.
#
# What to look for
#   - The parent of the main program is pid 1.
#   - In each generation getppid tells the truth, while the parent lives. (What
#     happens when it doesn't, shows 09_orphan.)
#   - `forkyard pstree programs/04_parents.s` draws the tree from outside.
#
#   s0 the generation   s1 what our parent said its pid is

    .include "syscalls.inc"
    .equ    GENERATIONS, 4

    .bss
    .balign 8
status: .zero 8

    .text
    .globl  _start
_start:
    call    getppid
    mv      a1, a0
    la      a0, main_line
    call    printf
    li      s0, 1
1:  call    getpid
    mv      s1, a0                  # the child will find this in its own s1
    call    fork
    bnez    a0, parent
    call    getppid                 # --- the child
    sub     a0, a0, s1
    seqz    a2, a0
    mv      a1, s0
    la      a0, child_line
    call    printf
    addi    s0, s0, 1
    li      t0, GENERATIONS
    bleu    s0, t0, 1b
    la      a0, last_line
    call    puts
    li      a0, 0
    call    exit

parent:                             # --- waits for its child, which waits for its own
    bltz    a0, no_fork
    la      a0, status
    call    wait
    la      a0, reaped_line
    addi    a1, s0, -1
    mv      a2, s0
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
main_line:   .asciz "generation 0: my parent is pid %d\n"
child_line:  .asciz "generation %d: my parent is who made me: %d\n"
last_line:   .asciz "              nobody comes after me\n"
reaped_line: .asciz "generation %d: has waited for generation %d\n"
fork_name:   .asciz "fork"
