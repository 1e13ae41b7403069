# Operands that are missing, too many, of the wrong kind or out of range.
    add a0, a1
    add a0, a1, a2, a3
    addi a0, a1, 5000
    addi a0, a1, -2049
    add a0 a1 a2
    lw a0, a1(4)
    lw a0, 5000(sp)
    sw a0, 4
    slli a0, a0, 64
    slliw a0, a0, 32
    lui a0, -1
    lui a0, 0x100000
    csrrwi a0, cycle, 32
    csrw 4096, a0
    fence wr, rw
    amoadd.w a0, a1, 4(a2)
    beq a0, 5, somewhere
    jal 5(a0)
    ret a0
    lui a0, %lo(value)
    addi a0, a0, %hi(value)
    la a0
    li a0, 0x1ffffffffffffffff
    mv a0, 5
    .insn r 0x33, 8, 0, a0, a1, a2
    .insn i 0x13, 0, a0
    .insn 4, 0x1
