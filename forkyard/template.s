# NAME.s: a first program. Run it with:   forkyard run NAME.s
#
# It forks: from one process there are two, which both go on from the same place.
# Each system call is asked for in the same way: its number in a7, its arguments in a0, a1, a2 …,
# then `ecall`. The answer comes back in a0; -1 to -4095 is an error.

    .equ SYS_exit,   93         # exit(status)
    .equ SYS_write,  64         # write(fd, address, length); fd 1 is standard output
    .equ SYS_clone, 220         # clone(flags, stack, …); this way of calling it is fork()
    .equ SYS_wait4, 260         # wait4(pid, address of the status, options, 0)
    .equ SIGCHLD,    17         # the signal that the parent gets when the child ends

    .section .rodata            # constants: may be read, never written
from_parent:
    .ascii "parent: my child has ended\n"
    .equ from_parent_length, . - from_parent
from_child:
    .ascii "child:  I am a copy of my parent\n"
    .equ from_child_length, . - from_child

    .text                       # the machine code
    .globl _start
_start:                         # execution begins here: a label, no function, so there is nobody to return to
    li   a0, SIGCHLD            # fork()
    li   a1, 0                  # the child goes on with its own copy of this stack
    li   a2, 0
    li   a3, 0
    li   a4, 0
    li   a7, SYS_clone
    ecall
    beqz a0, child              # a0 is 0 in the child; in the parent it is the child's pid

    mv   a1, zero               # wait4(child, NULL, 0, NULL): wait until the child has ended
    li   a2, 0
    li   a3, 0
    li   a7, SYS_wait4
    ecall
    li   a0, 1
    la   a1, from_parent
    li   a2, from_parent_length
    li   a7, SYS_write
    ecall
    li   a0, 0                  # a program must always end with exit: try what happens without it
    li   a7, SYS_exit
    ecall

child:
    li   a0, 1
    la   a1, from_child
    li   a2, from_child_length
    li   a7, SYS_write
    ecall
    li   a0, 7                  # the child's exit status, which wait4 would hand to the parent
    li   a7, SYS_exit
    ecall
