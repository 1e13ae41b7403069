    .globl _start
_start:
    j    data
    nop
data:
    .word 0
    .word 0x00000013
