    .data
    .balign 8
counter: .dword 0
    .text
    .globl _start
_start:
    la   t0, counter
    addi t0, t0, 2
    li   t1, 1
    amoadd.d zero, t1, (t0)
