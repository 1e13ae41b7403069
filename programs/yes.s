# yes: writes a line again and again, until somebody stops it.
#
# Use:   yes [WORD]                    "y" if there is no WORD
# Run:   forkyard run programs/sh.s -c 'yes | head -n 3'
#
# What to look for: it never calls exit in good order. When nobody reads the pipe any
# more, the kernel sends it SIGPIPE, and that ends it. See programs/head.s.
#
#   s0 the word   s1 its length with the newline   s2 the end of the full lines in the buffer

    .include "syscalls.inc"
    .equ    SIZE, 4096

    .bss
    .balign 8
buffer: .zero SIZE

    .text
    .globl  _start
_start:
    ld      s0, 16(sp)              # argv[1]
    bnez    s0, 1f
    la      s0, letter
1:  mv      a0, s0
    call    strlen
    addi    s1, a0, 1
    li      t0, SIZE
    bgtu    s1, t0, too_long

    la      s2, buffer              # as many lines as fit, to need few writes
    la      t3, buffer + SIZE
2:  add     t0, s2, s1
    bgtu    t0, t3, 4f
    mv      a0, s2
    mv      a1, s0
    mv      s2, t0
    call    strcpy
    li      t0, '\n'
    sb      t0, -1(s2)              # over the 0 at the end
    la      t3, buffer + SIZE
    j       2b

4:  li      a0, STDOUT
    la      a1, buffer
    sub     a2, s2, a1
    call    write_all
    bgez    a0, 4b
    mv      a1, a0                  # any other error than that of SIGPIPE
    la      a0, name
    call    perror
    li      a0, 1
    call    exit

too_long:
    li      a1, -ENAMETOOLONG
    la      a0, name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
letter: .asciz "y"
name:   .asciz "yes"
