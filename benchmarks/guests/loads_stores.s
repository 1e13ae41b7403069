# A loop with loads and stores through the MMU, eight instructions a round: what the python engine's speed is measured on.
    .globl _start
    .text
_start:
    la   s0, words
    la   s1, rounds
    ld   s1, 0(s1)
loop:
    ld   a1, 0(s0)
    addi a1, a1, 3
    sd   a1, 0(s0)
    lw   a2, 8(s0)
    xor  a2, a2, a1
    sw   a2, 12(s0)
    addi s1, s1, -1
    bnez s1, loop
    li   a0, 0
    li   a7, 93
    ecall
    .data
rounds:
    .dword 3000000
words:
    .zero 16
