# sieve: finds prime numbers as Eratosthenes did.
#
# Use:   sieve [LIMIT]                 primes below LIMIT; 100000 if there is none
# Run:   forkyard run --stats programs/sieve.s
#
# One byte for each number says whether it is crossed out. For each number that isn't,
# all its multiples are. What is never crossed out is prime.
#
# What to look for: memory comes from sbrk and is all zero. Its pages come into being at
# their first use: --stats counts a "demand" fault for each 4096 numbers.
#
#   s0 the bytes   s1 LIMIT   s2 how many primes   s3 the largest

    .include "syscalls.inc"
    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    li      s1, 100000
    ld      a0, 8(a1)               # argv[1]
    beqz    a0, 1f
    call    atoi
    mv      s1, a0
1:  mv      a0, s1
    call    sbrk
    bltz    a0, no_memory
    mv      s0, a0
    li      s2, 0
    li      s3, 0

    li      t0, 2                   # t0: the number in question
next:
    bge     t0, s1, done
    add     t1, s0, t0
    lbu     t2, 0(t1)
    bnez    t2, 3f                  # crossed out
    addi    s2, s2, 1
    mv      s3, t0
    mul     t1, t0, t0              # smaller multiples have a smaller factor: done already
    bge     t1, s1, 3f
    add     t1, s0, t1
    add     t3, s0, s1
    li      t4, 1
2:  sb      t4, 0(t1)               # the inner loop: three instructions
    add     t1, t1, t0
    bltu    t1, t3, 2b
3:  addi    t0, t0, 1
    j       next

done:
    la      a0, line
    mv      a1, s2
    mv      a2, s1
    mv      a3, s3
    call    printf
    li      a0, 0
    call    exit
no_memory:
    mv      a1, a0
    la      a0, name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
line:   .asciz "%d primes below %d, the largest is %d\n"
name:   .asciz "sieve"
