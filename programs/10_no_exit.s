# 10_no_exit: a program that forgets to end.
#
# Run it:        forkyard run programs/10_no_exit.s; echo $?
#
# It prints a line, and then there is no instruction any more. The processor doesn't
# know that: it has no notion of "the end of the program". It takes the next bytes in
# memory, whatever they are, and tries to execute them.
#
# What to look for
#   - The kernel ends the process with a signal, because those bytes are no valid
#     instruction or no memory at all: SIGILL (status 132) or SIGSEGV (139).
#   - The message names the place: just behind the last line below.
#   - The cure: programs/hello.s ends with exit.

    .section .rodata
message:
    .ascii  "I run off my end now.\n"
    .equ    message_size, . - message

    .text
    .globl  _start
_start:
    li      a0, 1                   # write(1, message, message_size)
    la      a1, message
    li      a2, message_size
    li      a7, 64
    ecall
                                    # and no exit
