# 03_life: the life of a process, from fork to wait.
#
# Run it:        forkyard run programs/03_life.s
# Watch it:      forkyard trace --only process programs/03_life.s
#
#     fork     a child is made: a copy of its parent, but for the answer of fork
#     exec     it starts another program (if it wants to: many never do)
#     exit     it ends, and leaves an exit code
#     wait     its parent asks for that code, and then nothing of the child is left
#
# The child here runs this very program again, with an argument, so that everything can
# be seen in one file. `family` is the same with more children and more to see.
#
# What to look for
#   - fork returns twice. In the parent it says who the child is, in the child 0.
#   - exec doesn't return when it works: the line behind it is never printed.
#   - It is still the same process: exec changes the program, not the pid.
#   - The exit code is one byte: 300 arrives as 44.
#
#   s0 the child's pid   s1 what wait has answered

    .include "syscalls.inc"
    .equ    CODE, 300

    .bss
    .balign 8
status: .zero 8

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments               # a0 = argc, a1 = argv
    li      t0, 1
    bgtu    a0, t0, other_program

    call    fork
    beqz    a0, child
    bltz    a0, no_fork
    mv      s0, a0                  # --- the parent: fork has told it who the child is

    la      a0, status
    call    wait                    # sleeps until the child has ended
    sub     s1, a0, s0
    seqz    a1, s1
    la      a0, waited_line
    call    printf
    lw      a0, status
    call    exit_code
    mv      a2, a0
    li      a1, CODE
    la      a0, code_line
    call    printf
    la      a0, status
    call    wait                    # once more: there is nobody left to wait for
    call    error_text
    mv      a1, a0
    la      a0, nobody_line
    call    printf
    li      a0, 0
    call    exit

child:                              # --- the child: the same program, at the same place
    la      a0, child_line
    call    puts
    la      a0, self                # execl("/bin/03_life", "03_life", "again", 0)
    la      a1, name
    la      a2, again
    li      a3, 0
    call    execl
    mv      a1, a0                  # only reached if exec has failed
    la      a0, self
    call    perror
    li      a0, 1
    call    exit

other_program:                      # --- after exec: new memory, a new beginning
    la      a0, program_line
    ld      a1, 8(a1)
    call    printf
    li      a0, CODE
    call    exit

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
child_line:   .asciz "child:   fork has answered 0, so I am the child. Now exec.\n"
program_line: .asciz "program: I begin at _start, and my argument is \"%s\". Now exit.\n"
waited_line:  .asciz "parent:  wait has found the child that fork told me of: %d\n"
code_line:    .asciz "parent:  it has called exit(%d); of that, one byte arrives: %d\n"
nobody_line:  .asciz "parent:  wait again: %s\n"
self:         .asciz "/bin/03_life"
name:         .asciz "03_life"
again:        .asciz "again"
fork_name:    .asciz "fork"
