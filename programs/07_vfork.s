# 07_vfork: fork without any copying, for a child that will call exec at once.
#
# Run it:        forkyard run programs/07_vfork.s
# Watch it:      forkyard trace --only process,fault programs/07_vfork.s
#                forkyard forklab programs/fatfork.s
#
# Most children call exec right after fork: all that fork had prepared for copy on write
# is thrown away unused. vfork prepares nothing. The child runs in its parent's own
# memory, on the parent's own stack, and the parent is suspended until the child has
# memory of its own (exec) or is gone (exit). Then it goes on as if nothing had been.
#
# So the child may do nearly nothing before exec: no return from this function, no
# write to a variable. (vfork_danger shows what happens otherwise.) System calls that
# change the process and not its memory are fine: here it lets its stdout be a pipe.
#
# What to look for
#   - The parent needs no wait to come second: vfork itself returns only when the
#     child has called exec.
#   - Between fork and exec nothing is copied and no page becomes read-only: compare
#     the faults in the trace with those of `pipeline`.
#   - An exec that fails leaves the child in its parent's memory: then it must end
#     with exit, and nothing else.

    .include "syscalls.inc"
    .equ    SIZE, 256

    .bss
    .balign 8
ends:   .zero 8                     # a pipe: ends[0] to read from, ends[1] to write to
status: .zero 8
text:   .zero SIZE

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments               # for `environ`, which execl hands on
    la      a0, ends
    call    pipe
    la      s0, program
    call    spawn                   # a program that is there
    la      s0, nothing
    call    spawn                   # and one that isn't

    lw      a0, ends + 4            # our own writing end, so that the read can end
    call    close
    lw      a0, ends
    la      a1, text
    li      a2, SIZE - 1
    call    read
    la      a0, said_line
    la      a1, text
    call    printf
    li      a0, 0
    call    exit

# spawn: runs the program whose path is s0 in a child, with its stdout into the pipe, and waits for it.
#   Not a function that could return in the child: the child has only this stack too, and
#   goes on no further than exec or exit.
spawn:
    mv      s1, ra                  # the stack is the child's as well: ra is kept in a register
    call    vfork
    bnez    a0, 1f
    lw      a0, ends + 4            # --- the child, in its parent's memory
    li      a1, STDOUT
    call    dup2
    mv      a0, s0
    la      a1, echo_name
    la      a2, word
    li      a3, 0
    call    execl
    li      a0, 127                 # what shells say of a program that isn't there
    call    exit
1:  bltz    a0, no_fork             # --- the parent, when the child has another program or is gone
    la      a0, status
    call    wait
    lw      a0, status
    call    exit_code
    mv      a2, a0
    mv      a1, s0
    la      a0, ended_line
    call    printf
    jr      s1

no_fork:
    mv      a1, a0
    la      a0, vfork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
program:    .asciz "/bin/echo"
nothing:    .asciz "/bin/nothing"
echo_name:  .asciz "echo"
word:       .asciz "hello from a program of my own"
ended_line: .asciz "%s: exit code %d\n"
said_line:  .asciz "the pipe says: %s"
vfork_name: .asciz "vfork"
