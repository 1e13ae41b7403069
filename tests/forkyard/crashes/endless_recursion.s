    .globl _start
_start:
    call deeper
deeper:
    addi sp, sp, -64
    sd   ra, 0(sp)
    call deeper
