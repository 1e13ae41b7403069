# false: does nothing, without success: its exit code is 1.
#
# Run:   forkyard run programs/false.s; echo $?

    .text
    .globl  _start
_start:
    li      a0, 1                   # exit_group(1)
    li      a7, 94
    ecall
