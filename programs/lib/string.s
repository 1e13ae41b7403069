# Strings (bytes that end in a 0) and blocks of memory.
# The names and the rules are those of C. All are leaf functions: no stack.
    .text

# strlen(string): the number of bytes before the 0.    in: a0    out: a0    changes: t0, t1
    .globl strlen
strlen:
    mv      t0, a0
1:  lbu     t1, 0(t0)
    addi    t0, t0, 1
    bnez    t1, 1b
    sub     a0, t0, a0
    addi    a0, a0, -1
    ret

# strcmp(a, b): 0 if they are equal, less than 0 if a comes first, more if b does.
#   in: a0, a1    out: a0    changes: a1, t0, t1
    .globl strcmp
strcmp:
1:  lbu     t0, 0(a0)
    lbu     t1, 0(a1)
    addi    a0, a0, 1
    addi    a1, a1, 1
    bne     t0, t1, 2f
    bnez    t0, 1b
2:  sub     a0, t0, t1
    ret

# strcpy(to, from): copies, the 0 too. There must be room.
#   in: a0 = to, a1 = from    out: a0 = to    changes: a1, t0, t1
    .globl strcpy
strcpy:
    mv      t0, a0
1:  lbu     t1, 0(a1)
    sb      t1, 0(t0)
    addi    a1, a1, 1
    addi    t0, t0, 1
    bnez    t1, 1b
    ret

# strchr(string, byte): a pointer to the first such byte in it, or 0. Byte 0 finds the end.
#   in: a0, a1    out: a0    changes: t0
    .globl strchr
strchr:
1:  lbu     t0, 0(a0)
    beq     t0, a1, 2f
    addi    a0, a0, 1
    bnez    t0, 1b
    li      a0, 0
2:  ret

# memcpy(to, from, size): the two must not overlap.
#   in: a0, a1, a2    out: a0 = to    changes: a1, a2, t0, t1
    .globl memcpy
memcpy:
    mv      t0, a0
    add     a2, a1, a2              # a2: the end of `from`
1:  bgeu    a1, a2, 2f
    lbu     t1, 0(a1)
    sb      t1, 0(t0)
    addi    a1, a1, 1
    addi    t0, t0, 1
    j       1b
2:  ret

# memset(to, byte, size): fills.
#   in: a0, a1, a2    out: a0 = to    changes: a2, t0
    .globl memset
memset:
    mv      t0, a0
    add     a2, a0, a2
1:  bgeu    t0, a2, 2f
    sb      a1, 0(t0)
    addi    t0, t0, 1
    j       1b
2:  ret

# atoi(string): the decimal number it begins with ("-12abc" is -12, "abc" is 0).
#   in: a0    out: a0 = the number, a1 = where it ended (a digit-free string: its start)
#   changes: t0-t3
    .globl atoi
atoi:
    mv      a1, a0
    li      a0, 0
    li      t0, '-'
    lbu     t1, 0(a1)
    sub     t2, t1, t0              # t2: 0 if negative
    bnez    t2, 1f
    addi    a1, a1, 1
1:  li      t3, 10
    lbu     t1, 0(a1)
    addi    t1, t1, -'0'
    bgeu    t1, t3, 2f              # unsigned: bytes below '0' are out of range too
    mul     a0, a0, t3
    add     a0, a0, t1
    addi    a1, a1, 1
    j       1b
2:  bnez    t2, 3f
    neg     a0, a0
3:  ret
