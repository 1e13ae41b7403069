# hello: the smallest whole program.
#
# Run it:        forkyard run programs/hello.s
# Look inside:   forkyard trace programs/hello.s
#
# What to look for
#   - `_start` is where the processor begins. It is a place, not a function:
#     nobody called it, so there is nobody to return to.
#   - A program can compute, and nothing more. For everything else it asks the
#     kernel, with `ecall`: the number of the call in a7, its arguments in a0,
#     a1, a2. The answer comes back in a0.
#   - A program ends because it asks to. programs/10_no_exit.s shows what happens
#     to one that doesn't.

    .section .rodata                # constants: memory that can only be read
message:
    .ascii  "Hello from a process!\n"
    .equ    message_size, . - message

    .text                           # machine code: can be read and executed
    .globl  _start
_start:
    li      a0, 1                   # write(1, message, message_size)
    la      a1, message             #   1 is standard output
    li      a2, message_size
    li      a7, 64                  #   64 is the number of write
    ecall

    li      a0, 0                   # exit_group(0): 0 says that all went well
    li      a7, 94
    ecall
