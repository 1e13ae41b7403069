# start_returns: a program that says `ret` in _start, as if somebody had called it.
#
# Run it:        forkyard run programs/start_returns.s; echo $?
#
# `ret` jumps to the address in ra, where `call` has left it. But nobody has called
# _start: the kernel has put the pc there, and all registers but sp were 0. So `ret`
# jumps to address 0, where there is no memory.
#
# What to look for
#   - SIGSEGV, status 139; the message says what was tried.
#   - In C, main does return: to a piece of code that the compiler adds, which calls
#     main and then exit. main is not the entry point. _start is, and it must not return.

    .section .rodata
message:
    .ascii  "I return now. But where to?\n"
    .equ    message_size, . - message

    .text
    .globl  _start
_start:
    li      a0, 1                   # write(1, message, message_size)
    la      a1, message
    li      a2, message_size
    li      a7, 64
    ecall
    ret                             # ra is 0
