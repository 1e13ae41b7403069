# vfork_danger: a child that borrows its parent's memory.
#
# Run it:        forkyard run programs/vfork_danger.s
# Watch it:      forkyard trace --only process,fault programs/vfork_danger.s
#
# After fork most children call exec at once, and all that fork has prepared for them
# is thrown away. vfork prepares nothing: parent and child have one address space, and
# the parent stands still until the child has its own (exec) or needs none (exit).
#
# What to look for
#   - A variable that the child of fork changes is its own. What the child of vfork
#     changes, its parent has.
#   - The child of vfork runs first, however often it steps back (sched_yield): its
#     parent can't run. There is no race, and no need for wait to know who was first.
#   - The stack is shared too. A child that returned from the function that called
#     vfork would destroy the frame that its parent still needs. It may only exec or
#     exit (and exit must be the system call: exit(3) would run its parent's clean-up).
#   - Under qemu-riscv64 both halves say the same: it makes a fork of every vfork.

    .include "syscalls.inc"

    .data
    .balign 8
number: .dword 1

    .text
    .globl  _start
_start:
    call    fork                    # first the harmless one
    beqz    a0, child
    bltz    a0, failed
    li      a0, 0
    call    wait
    ld      a1, number
    la      a0, fork_line
    call    printf

    call    vfork
    beqz    a0, vfork_child
    bltz    a0, failed
    ld      a1, number              # no wait yet: the child has ended, or we wouldn't be here
    la      a0, vfork_line
    call    printf
    li      a0, 0
    call    wait

    call    vfork                   # what it is good for
    beqz    a0, exec_child
    bltz    a0, failed
    la      a0, exec_line
    call    printf
    li      a0, 0
    call    wait
    li      a0, 0
    call    exit

vfork_child:
    call    sched_yield             # "after you": but the parent stands still
    call    sched_yield
child:
    la      t0, number
    li      t1, 42
    sd      t1, 0(t0)
    li      a0, 0
    call    exit

exec_child:                         # touches nothing of its parent's but these registers
    la      a0, true_path
    la      a1, true_argv
    li      a2, 0
    call    execve
    li      a0, 127
    call    exit

failed:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .data
    .balign 8
true_argv: .dword true_path, 0

    .section .rodata
true_path:  .asciz "/bin/true"
fork_line:  .asciz "The child of fork has set its number to 42. Ours is %d.\n"
vfork_line: .asciz "The child of vfork has set its number to 42. Ours is %d.\n"
exec_line:  .asciz "The child of vfork has a program, and memory, of its own: we go on.\n"
fork_name:  .asciz "fork"
