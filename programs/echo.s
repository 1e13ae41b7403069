# echo: prints its arguments, a space between them and a newline at the end.
#
# Use:   echo [-n] [TEXT...]           -n: no newline
# Run:   forkyard run programs/echo.s one "two three"
#
# What to look for: the arguments lie on the stack when the program starts: their
# number (argc) at sp, then a pointer to each (argv), then a 0. All is put together
# in one place and written at once, so that the line can't mix with those of others.
#
#   s0 the next argument   s1 where the next byte goes   s2 1 if a newline is wanted
#   s3 where the text begins, below the stack of the program

    .include "syscalls.inc"
    .text
    .globl  _start
_start:
    addi    s0, sp, 16              # argv[1]
    li      s2, 1
    ld      a0, 0(s0)
    beqz    a0, 1f
    la      a1, option
    call    strcmp
    bnez    a0, 1f
    li      s2, 0
    addi    s0, s0, 8

1:  li      s1, 1                   # how much room? one byte for the newline,
    mv      s4, s0
2:  ld      a0, 0(s4)
    beqz    a0, 3f
    call    strlen
    add     s1, s1, a0
    addi    s1, s1, 1               # and for each argument its length and a space
    addi    s4, s4, 8
    j       2b
3:  mv      a0, s1
    call    sbrk
    bltz    a0, failed
    mv      s3, a0
    mv      s1, a0

each:
    ld      a1, 0(s0)
    beqz    a1, finish
    addi    s0, s0, 8
4:  lbu     t0, 0(a1)
    beqz    t0, 5f
    sb      t0, 0(s1)
    addi    a1, a1, 1
    addi    s1, s1, 1
    j       4b
5:  ld      t0, 0(s0)
    beqz    t0, finish              # no space after the last
    li      t0, ' '
    sb      t0, 0(s1)
    addi    s1, s1, 1
    j       each

finish:
    beqz    s2, 6f
    li      t0, '\n'
    sb      t0, 0(s1)
    addi    s1, s1, 1
6:  li      a0, STDOUT
    mv      a1, s3
    sub     a2, s1, s3
    call    write_all
    bltz    a0, failed
    li      a0, 0
    call    exit

failed:
    mv      a1, a0
    la      a0, name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
option: .asciz "-n"
name:   .asciz "echo"
