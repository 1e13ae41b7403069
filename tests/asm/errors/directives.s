# Directives with operands that they don't take.
    .align 3, 4, 5, 6
    .align 40
    .balign 12
    .org 4
    nop
    nop
    .org 4
    .skip -1
    .skip 1 << 50
    .fill 3, -2
    .section
    .section .mine, "aq"
    .section .mine, "a", @strange
    .popsection
    .previous 1
    .option pop
    .option rvc
    .attribute unknown, 1
    .attribute arch, 5
    .error "this is what the author says"
    .error
    .err
    .globl
    .include "missing.inc"
    .include missing
    .incbin "/dev/null"
    .bss
    .word 1
    nop
    .data
    .uleb128 outside
    .float one
