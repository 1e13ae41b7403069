# What lib/printf.s makes of each conversion, width and limit.
    .include "syscalls.inc"
    .text
    .globl _start
_start:
    la      a0, all                 # more values than registers: the rest is on the stack
    la      a1, text
    li      a2, -5
    li      a3, -5
    li      a4, 255
    li      a5, 0xdeadbeef
    li      a6, 'c'
    li      a7, 42
    addi    sp, sp, -16
    li      t0, 43
    sd      t0, 0(sp)
    li      t0, 44
    sd      t0, 8(sp)
    call    printf
    addi    sp, sp, 16

    la      a0, widths
    li      a1, -5
    li      a2, 7
    la      a3, text
    la      a4, text
    li      a5, -7
    li      a6, 0xabc
    call    printf

    la      a0, extremes
    li      a1, 0x8000000000000000
    li      a2, 0x7fffffffffffffff
    li      a3, -1
    li      a4, -1
    li      a5, 0
    li      a6, 0
    call    printf

    la      a0, unusual             # a null string, an unknown letter, a % at the very end
    li      a1, 0
    li      a2, 0
    call    printf

    la      a0, text_line           # more than the buffer holds
    la      a1, long
    call    printf
    mv      a1, a0
    la      a0, answer
    call    printf

    li      a0, 99                  # a descriptor that isn't open
    la      a1, text
    call    dprintf
    mv      a1, a0
    la      a0, answer
    call    printf
    li      a0, 0
    call    exit

    .section .rodata
text:      .asciz "text"
all:       .asciz "%s %d %u %x %p %c %d %d %d%%\n"
widths:    .asciz "[%05d] [%3d] [%-10s] [%10s] [%-5d] [%016x]\n"
extremes:  .asciz "%d %d %u %x %p %d\n"
unusual:   .asciz "%s %q\n%"
text_line: .asciz "%s\n"
answer:    .asciz "the answer is %d\n"
long:      .fill 3000, 1, 'x'
           .byte 0
