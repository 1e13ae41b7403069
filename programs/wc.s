# wc: counts lines, words and bytes.
#
# Use:   wc [-l] [-w] [-c] [FILE...]   without options all three; without a FILE standard input
# Run:   echo one two | forkyard run programs/wc.s
#
# What to look for: the whole state of the counting is four registers. A word begins
# where a byte that isn't blank follows one that is.
#
#   s0 the next argument   s1 fd   s2 lines   s3 words   s4 bytes
#   s5 1 inside a word     s6 what to print: 1 lines, 2 words, 4 bytes   s7 our exit code

    .include "syscalls.inc"
    .equ    SIZE, 4096

    .bss
    .balign 8
buffer: .zero SIZE

    .text
    .globl  _start
_start:
    addi    s0, sp, 16              # argv[1]
    li      s6, 0
    li      s7, 0
options:
    ld      t0, 0(s0)
    beqz    t0, files
    lbu     t1, 0(t0)
    li      t2, '-'
    bne     t1, t2, files
    lbu     t1, 1(t0)
    beqz    t1, files               # "-" alone is standard input
    addi    s0, s0, 8
1:  addi    t0, t0, 1
    lbu     t1, 0(t0)
    beqz    t1, options
    li      t3, 1
    li      t2, 'l'
    beq     t1, t2, 2f
    li      t3, 2
    li      t2, 'w'
    beq     t1, t2, 2f
    li      t3, 4
    li      t2, 'c'
    bne     t1, t2, bad_usage
2:  or      s6, s6, t3
    j       1b

files:
    bnez    s6, 3f
    li      s6, 7
3:  ld      t0, 0(s0)
    bnez    t0, next_file
    li      s1, STDIN               # no files
    call    count
    la      a2, nothing
    call    show
    j       done

next_file:
    ld      a0, 0(s0)
    beqz    a0, done
    li      s1, STDIN
    la      a1, dash
    call    strcmp
    beqz    a0, 4f
    ld      a0, 0(s0)
    li      a1, O_RDONLY
    call    open
    mv      s1, a0
    bltz    a0, 5f
4:  call    count
    bltz    a0, 5f
    ld      a2, 0(s0)
    call    show
    j       6f
5:  call    complain
6:  blez    s1, 7f                  # standard input stays open
    mv      a0, s1
    call    close
7:  addi    s0, s0, 8
    j       next_file
done:
    mv      a0, s7
    call    exit

# count(): counts what s1 gives into s2, s3, s4.    out: a0 = 0, or -errno
count:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    li      s2, 0
    li      s3, 0
    li      s4, 0
    li      s5, 0
read_more:
    mv      a0, s1
    la      a1, buffer
    li      a2, SIZE
    call    read
    blez    a0, counted
    add     s4, s4, a0
    la      t0, buffer
    add     t1, t0, a0
8:  lbu     t2, 0(t0)
    addi    t0, t0, 1
    li      t3, '\n'
    bne     t2, t3, 9f
    addi    s2, s2, 1
9:  li      t3, ' '
    beq     t2, t3, 10f
    addi    t3, t2, -'\t'           # \t \n \v \f \r are 9 to 13
    li      t4, 5
    bltu    t3, t4, 10f
    bnez    s5, 11f
    li      s5, 1
    addi    s3, s3, 1
    j       11f
10: li      s5, 0
11: bltu    t0, t1, 8b
    j       read_more
counted:
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# show(name): one line, written at once: the numbers asked for, then the name.    in: a2
show:
    addi    sp, sp, -48
    sd      ra, 40(sp)
    mv      t0, sp                  # the values for the format, from sp upwards
    la      a1, format              # it begins with a " %d" for each of three numbers
    andi    t1, s6, 1
    mv      t2, s2
    call    take_or_skip
    andi    t1, s6, 2
    mv      t2, s3
    call    take_or_skip
    andi    t1, s6, 4
    mv      t2, s4
    call    take_or_skip
    addi    a1, a1, 1               # no space before the first
    la      t1, nothing             # and one before the name, if there is a name
    lbu     t2, 0(a2)
    beqz    t2, 12f
    la      t1, space
12: sd      t1, 0(t0)
    sd      a2, 8(t0)
    mv      a2, sp
    li      a0, STDOUT
    call    vdprintf
    ld      ra, 40(sp)
    addi    sp, sp, 48
    ret
take_or_skip:                       # t1: is the number t2 wanted?
    beqz    t1, 13f
    sd      t2, 0(t0)
    addi    t0, t0, 8
    ret
13: addi    a1, a1, 3               # one " %d" less
    ret

complain:                           # in: a0 = -errno
    addi    sp, sp, -16
    sd      ra, 8(sp)
    li      s7, 1
    call    error_text
    mv      a3, a0
    ld      a2, 0(s0)
    la      a1, error_line
    li      a0, STDERR
    call    dprintf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

bad_usage:
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit

    .section .rodata
nothing:       .asciz ""
space:         .asciz " "
dash:          .asciz "-"
format:        .asciz " %d %d %d%s%s\n"
error_line:    .asciz "wc: %s: %s\n"
usage:         .asciz "usage: wc [-l] [-w] [-c] [FILE...]\n"
