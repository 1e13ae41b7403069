# env: shows the environment, or runs a program with a changed one.
#
# Use:   env [NAME=VALUE...] [COMMAND [ARGUMENT...]]
# Run:   forkyard run --env COLOUR=green programs/env.s
#
# What to look for: the environment is nothing but an array of strings that a program
# finds on its stack, and hands to exec for the next one. No variable lives anywhere
# else, and no process can change that of another.
#
#   s0 the next argument   s1 our copy of the environment   s2 its end

    .include "syscalls.inc"
    .equ    MOST, 255

    .bss
    .balign 8
copy:   .zero 8 * (MOST + 1)

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    addi    s0, a1, 8
    la      s1, copy
    mv      s2, s1
    la      t1, copy + 8 * MOST
1:  ld      t0, 0(a2)
    beqz    t0, 2f
    bgeu    s2, t1, too_many
    sd      t0, 0(s2)
    addi    a2, a2, 8
    addi    s2, s2, 8
    j       1b
2:  sd      s1, environ, t0         # for execvp: it looks for PATH in the new environment

next_argument:
    ld      a0, 0(s0)
    beqz    a0, show
    li      a1, '='
    call    strchr
    beqz    a0, run
    ld      t0, 0(s0)               # NAME=VALUE: a0 points to its "="
    sub     t1, a0, t0              # t1: the length of NAME
    addi    s0, s0, 8
    mv      t2, s1
3:  ld      t3, 0(t2)               # t2: where it goes: over the one with the same name...
    beqz    t3, 5f
    li      t4, 0
4:  add     t5, t3, t4
    lbu     t5, 0(t5)
    add     t6, t0, t4
    lbu     t6, 0(t6)
    bne     t5, t6, 6f
    addi    t4, t4, 1
    ble     t4, t1, 4b              # the "=" belongs to the comparison
    sd      t0, 0(t2)
    j       next_argument
6:  addi    t2, t2, 8
    j       3b
5:  la      t3, copy + 8 * MOST     # ...or to the end
    bgeu    t2, t3, too_many
    sd      t0, 0(t2)
    sd      zero, 8(t2)
    j       next_argument

run:
    ld      a0, 0(s0)
    mv      a1, s0
    call    execvp
    mv      s3, a0                  # only a failed exec gets here
    mv      a1, a0
    ld      a0, 0(s0)
    call    perror
    li      a0, 127
    li      t0, -ENOENT
    beq     s3, t0, 7f
    li      a0, 126
7:  call    exit

show:
    ld      a1, 0(s1)
    beqz    a1, 8f
    la      a0, line
    call    printf
    addi    s1, s1, 8
    j       show
8:  li      a0, 0
    call    exit

too_many:
    li      a1, -E2BIG
    la      a0, name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
line:   .asciz "%s\n"
name:   .asciz "env"
