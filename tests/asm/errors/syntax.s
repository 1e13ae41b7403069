# Text that is no statement.
    addi a0, (a1
    lw a0,, )
    .word 1 +
    .word 1 2
    = 5
    5 nop
    add a0, a1, $5
    .byte 09, 0x, 1.5
    .ascii hello
    .ascii "no end
    .string "a", 5
    .quad 1 / 0
    .quad (1 + 2
    j 1b
    j 2f
    "
