# Near misses, and names that are like nothing.
    addd a0, a1, a2
    subb a0, a1, a2
loop: lww a0, 4(sp)
    frobnicate
    .globbl _start
    .frobnicate 1
    addi a0, aa1, 5
    add a0, a1, x32
    .equ length, 5
    li a0, legnth
    .equ length, 5
    csrr a0, cycel
    .option rleax
    .type f, @functoin
