# matmul: multiplies two matrices of 64 x 64 numbers.
#
# Run:   forkyard run --stats programs/matmul.s
#
# c[i][j] is the sum over k of a[i][k] * b[k][j]. The numbers are 8 bytes each, and one
# row lies behind the other: a[i][k] is at a + 8 * (64 * i + k). Along a row of a the
# next number is 8 bytes on; down a column of b it is a whole row on: 512 bytes.
#
# What to look for: the inner loop has seven instructions and runs 64 * 64 * 64 times.
# With a[i][k] = i + k and b[k][j] = 2k - j the result is easy to check by other means.
#
#   s0 i   s1 j   s2 where c[i][j] is   s3 the sum of all of c   s4 that of its diagonal

    .include "syscalls.inc"
    .equ    N, 64
    .equ    ROW, 8 * N

    .bss
    .balign 8
a:      .zero ROW * N
b:      .zero ROW * N
c:      .zero ROW * N

    .text
    .globl  _start
_start:
    la      t0, a                   # a[i][j] = i + j, b[i][j] = 2i - j
    la      t1, b
    li      t4, N
    li      s0, 0
fill_row:
    li      s1, 0
1:  add     t2, s0, s1
    sd      t2, 0(t0)
    slli    t2, s0, 1
    sub     t2, t2, s1
    sd      t2, 0(t1)
    addi    t0, t0, 8
    addi    t1, t1, 8
    addi    s1, s1, 1
    blt     s1, t4, 1b
    addi    s0, s0, 1
    blt     s0, t4, fill_row

    la      s2, c
    li      s3, 0
    li      s4, 0
    li      s0, 0
each_row:
    li      s1, 0
each_column:
    la      t0, a                   # t0: along row i of a
    li      t2, ROW
    mul     t2, t2, s0
    add     t0, t0, t2
    addi    t3, t0, ROW             # t3: the end of that row
    la      t1, b                   # t1: down column j of b
    slli    t2, s1, 3
    add     t1, t1, t2
    li      t2, 0                   # t2: the sum
2:  ld      t5, 0(t0)
    ld      t6, 0(t1)
    mul     t5, t5, t6
    add     t2, t2, t5
    addi    t0, t0, 8
    addi    t1, t1, ROW
    bltu    t0, t3, 2b

    sd      t2, 0(s2)
    addi    s2, s2, 8
    add     s3, s3, t2
    bne     s0, s1, 3f
    add     s4, s4, t2
3:  addi    s1, s1, 1
    li      t4, N
    blt     s1, t4, each_column
    addi    s0, s0, 1
    blt     s0, t4, each_row

    la      a0, line
    ld      a1, c + 8 * (N * 10 + 20)
    mv      a2, s4
    mv      a3, s3
    call    printf
    li      a0, 0
    call    exit

    .section .rodata
line:   .asciz "c[10][20] is %d, the diagonal's sum is %d, the sum of all is %d\n"
