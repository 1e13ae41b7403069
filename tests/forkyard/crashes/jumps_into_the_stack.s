    .globl _start
_start:
    addi sp, sp, -16
    mv   ra, sp
    ret
