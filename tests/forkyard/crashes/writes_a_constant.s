    .section .rodata
greeting: .asciz "hello"
    .text
    .globl _start
_start:
    la   t0, greeting
    li   t1, 'H'
    sb   t1, 0(t0)
    li   a7, 93
    ecall
