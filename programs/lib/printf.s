# printf, dprintf: text with values in it, to standard output or any descriptor.
#
#     %s  a string                %d  a signed number       %x  hexadecimal
#     %c  one byte                %u  an unsigned number    %p  hexadecimal after 0x
#     %%  a percent sign
#
# Numbers are whole 64-bit registers. Between "%" and the letter may stand a width
# (%5d), after a "0" to fill with zeros (%016x) or a "-" to fill on the right (%-8s).
#
# The text is put together in a buffer and leaves in one write: lines of several
# processes never mix (only a text of more than BUFFER bytes takes several writes).
    .include "syscalls.inc"
    .equ BUFFER, 1024

    .text

# printf(format, ...): to standard output; 0, or -errno.
#   in:  a0 = format, a1 to a7 and then the stack = the values
#   out: a0    changes: a1-a7, t0-t6
    .globl printf
printf:
    addi    sp, sp, -80
    sd      ra, 0(sp)
    sd      a1, 24(sp)              # a1 to a7 just below the values on the caller's stack:
    sd      a2, 32(sp)              # all values in one row
    sd      a3, 40(sp)
    sd      a4, 48(sp)
    sd      a5, 56(sp)
    sd      a6, 64(sp)
    sd      a7, 72(sp)
    mv      a1, a0
    li      a0, STDOUT
    addi    a2, sp, 24
    call    vdprintf
    ld      ra, 0(sp)
    addi    sp, sp, 80
    ret

# dprintf(fd, format, ...): the same to the descriptor fd.
#   in:  a0 = fd, a1 = format, a2 to a7 and then the stack = the values
#   out: a0    changes: a1-a7, t0-t6
    .globl dprintf
dprintf:
    addi    sp, sp, -64
    sd      ra, 0(sp)
    sd      a2, 16(sp)
    sd      a3, 24(sp)
    sd      a4, 32(sp)
    sd      a5, 40(sp)
    sd      a6, 48(sp)
    sd      a7, 56(sp)
    addi    a2, sp, 16
    call    vdprintf
    ld      ra, 0(sp)
    addi    sp, sp, 64
    ret

# vdprintf(fd, format, values): the work itself; values is an array of 8-byte words.
#   in: a0, a1, a2    out: a0 = 0, or -errno    changes: a1-a7, t0-t6
#
#   s0 the format   s1 the next value   s2 where the next byte goes   s3 the buffer's end
#   s4 the width    s5 what fills: ' ', '0', or '-' for spaces on the right
#   s6 fd           s7 0, or the first error of write
#   On the stack from sp: 32 bytes to make numbers in, then the buffer.
    .equ SCRATCH, 32
    .globl vdprintf
vdprintf:
    addi    sp, sp, -80
    sd      ra, 72(sp)
    sd      s0, 64(sp)
    sd      s1, 56(sp)
    sd      s2, 48(sp)
    sd      s3, 40(sp)
    sd      s4, 32(sp)
    sd      s5, 24(sp)
    sd      s6, 16(sp)
    sd      s7, 8(sp)
    addi    sp, sp, -(SCRATCH + BUFFER)
    mv      s6, a0
    mv      s0, a1
    mv      s1, a2
    addi    s2, sp, SCRATCH
    addi    s3, s2, BUFFER
    li      s7, 0

.Lnext:
    lbu     a0, 0(s0)
    beqz    a0, .Lend
    addi    s0, s0, 1
    li      t0, '%'
    beq     a0, t0, .Lconversion
    call    put_byte
    j       .Lnext

.Lconversion:                       # what stands between "%" and its letter
    li      s4, 0
    li      s5, ' '
    lbu     a0, 0(s0)
    li      t0, '-'
    beq     a0, t0, 1f
    li      t0, '0'
    bne     a0, t0, 2f
1:  mv      s5, a0
    addi    s0, s0, 1
2:  lbu     a0, 0(s0)
    beqz    a0, .Lend               # the format ends in the middle of a conversion
    addi    s0, s0, 1
    li      t0, 10
    addi    t1, a0, -'0'
    bgeu    t1, t0, 3f
    mul     s4, s4, t0
    add     s4, s4, t1
    j       2b

3:  li      t0, '%'                 # the letter
    beq     a0, t0, .Lpercent
    mv      t1, a0
    ld      a0, 0(s1)               # each but %% takes one value
    addi    s1, s1, 8
    addi    a1, sp, SCRATCH         # numbers grow downwards from here
    li      a2, 10
    li      t0, 's'
    beq     t1, t0, .Lstring
    li      t0, 'c'
    beq     t1, t0, .Lbyte
    li      t0, 'd'
    beq     t1, t0, .Lsigned
    li      t0, 'u'
    beq     t1, t0, .Lunsigned
    li      a2, 16
    li      t0, 'x'
    beq     t1, t0, .Lunsigned
    li      t0, 'p'
    beq     t1, t0, .Lpointer
    mv      a0, t1                  # no such conversion: show its letter
.Lpercent:
    call    put_byte
    j       .Lnext

.Lstring:
    bnez    a0, 1f
    la      a0, null_text
1:  mv      a1, a0
    call    strlen
    mv      a2, a1
    mv      a1, a0
    mv      a0, a2
    j       .Lfield
.Lbyte:
    sb      a0, 0(sp)
    mv      a0, sp
    li      a1, 1
    j       .Lfield
.Lsigned:
    bgez    a0, .Lunsigned
    neg     a0, a0                  # the most negative number stays itself, and reads right unsigned
    call    digits
    li      t0, '-'
    addi    a0, a0, -1
    sb      t0, 0(a0)
    j       .Lnumber
.Lpointer:
    call    digits
    li      t0, 'x'
    sb      t0, -1(a0)
    li      t0, '0'
    sb      t0, -2(a0)
    addi    a0, a0, -2
    j       .Lnumber
.Lunsigned:
    call    digits
.Lnumber:
    addi    a1, sp, SCRATCH
    sub     a1, a1, a0
.Lfield:
    call    put_field
    j       .Lnext

.Lend:
    call    flush
    mv      a0, s7
    addi    sp, sp, SCRATCH + BUFFER
    ld      ra, 72(sp)
    ld      s0, 64(sp)
    ld      s1, 56(sp)
    ld      s2, 48(sp)
    ld      s3, 40(sp)
    ld      s4, 32(sp)
    ld      s5, 24(sp)
    ld      s6, 16(sp)
    ld      s7, 8(sp)
    addi    sp, sp, 80
    ret

# digits(number, end, base): writes the unsigned number so that its last digit stands before end.
#   in: a0, a1, a2    out: a0 = its first digit    changes: a1, t0, t1
digits:
    li      t1, 10
1:  remu    t0, a0, a2
    divu    a0, a0, a2
    addi    a1, a1, -1
    blt     t0, t1, 2f
    addi    t0, t0, 'a' - 10 - '0'
2:  addi    t0, t0, '0'
    sb      t0, 0(a1)
    bnez    a0, 1b
    mv      a0, a1
    ret

# put_field(text, size): the text, filled up to the width s4 as s5 says.
#   in: a0, a1    changes: a0-a7, t0
put_field:
    addi    sp, sp, -32
    sd      ra, 24(sp)
    mv      a3, a0                  # put_byte leaves a3 to a6 alone
    mv      a4, a1
    sub     a5, s4, a1              # a5: how many bytes fill
    li      t0, '-'
    beq     s5, t0, 3f
    li      t0, '0'
    bne     s5, t0, 2f
    lbu     a0, 0(a3)               # zeros go between the sign and the digits
    li      t0, '-'
    bne     a0, t0, 2f
    call    put_byte
    addi    a3, a3, 1
    addi    a4, a4, -1
2:  blez    a5, 3f
    mv      a0, s5
    call    put_byte
    addi    a5, a5, -1
    j       2b
3:  blez    a4, 4f
    lbu     a0, 0(a3)
    call    put_byte
    addi    a3, a3, 1
    addi    a4, a4, -1
    j       3b
4:  blez    a5, 5f                  # only "-" has something left to fill
    li      a0, ' '
    call    put_byte
    addi    a5, a5, -1
    j       4b
5:  ld      ra, 24(sp)
    addi    sp, sp, 32
    ret

# put_byte(byte): adds it to the buffer, which is written out first if it is full.
#   in: a0    changes: a0-a2, a7, t0
put_byte:
    bltu    s2, s3, 1f
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a0, 0(sp)
    call    flush
    ld      ra, 8(sp)
    ld      a0, 0(sp)
    addi    sp, sp, 16
1:  sb      a0, 0(s2)
    addi    s2, s2, 1
    ret

# flush(): writes the buffer to s6 and empties it; an error goes to s7.
#   changes: a0-a2, a7, t0
flush:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    addi    a1, s3, -BUFFER
    sub     a2, s2, a1
    mv      s2, a1
    mv      a0, s6
    call    write_all
    bnez    s7, 1f
    mv      s7, a0
1:  ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

    .section .rodata
null_text: .asciz "(null)"
