# head: the first lines of its input.
#
# Use:   head [-n COUNT] [FILE]        10 lines if there is no COUNT
# Run:   forkyard run programs/sh.s -c 'yes | head -n 3; echo $?'
#
# What to look for: in that pipeline nobody tells `yes` to stop. head ends, and with it
# the last reader of the pipe is gone; the next write of `yes` gets SIGPIPE.
#
#   s0 the next argument   s1 fd   s2 lines still to come   s3 the file's name

    .include "syscalls.inc"
    .equ    SIZE, 4096

    .bss
    .balign 8
buffer: .zero SIZE

    .text
    .globl  _start
_start:
    addi    s0, sp, 16              # argv[1]
    li      s2, 10
    li      s1, STDIN
    la      s3, input_name
    ld      a0, 0(s0)
    beqz    a0, more
    la      a1, option
    call    strcmp
    bnez    a0, 1f
    ld      a0, 8(s0)
    beqz    a0, bad_usage
    mv      s4, a0
    call    atoi
    lbu     t0, 0(a1)
    bnez    t0, bad_usage           # not a number
    beq     a1, s4, bad_usage
    bltz    a0, bad_usage
    mv      s2, a0
    addi    s0, s0, 16
1:  ld      a0, 0(s0)
    beqz    a0, more
    mv      s3, a0
    li      a1, O_RDONLY
    call    open
    bltz    a0, failed
    mv      s1, a0

more:
    beqz    s2, done
    mv      a0, s1
    la      a1, buffer
    li      a2, SIZE
    call    read
    bltz    a0, failed
    beqz    a0, done
    la      a1, buffer
    mv      t0, a1
    add     t1, a1, a0
    li      t3, '\n'
2:  lbu     t2, 0(t0)               # up to the last line wanted, or to the end of the block
    addi    t0, t0, 1
    bne     t2, t3, 3f
    addi    s2, s2, -1
    beqz    s2, 4f
3:  bltu    t0, t1, 2b
4:  sub     a2, t0, a1
    li      a0, STDOUT
    call    write_all
    bgez    a0, more
    la      s3, output_name
    j       failed

done:
    li      a0, 0
    call    exit

failed:
    call    error_text
    mv      a3, a0
    mv      a2, s3
    la      a1, error_line
    li      a0, STDERR
    call    dprintf
    li      a0, 1
    call    exit
bad_usage:
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit

    .section .rodata
option:      .asciz "-n"
input_name:  .asciz "standard input"
output_name: .asciz "standard output"
error_line:  .asciz "head: %s: %s\n"
usage:       .asciz "usage: head [-n COUNT] [FILE]\n"
