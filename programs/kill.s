# kill: sends a signal to processes.
#
# Use:   kill [-SIGNAL | -s SIGNAL] [--] PID...     SIGNAL: a number or a name; TERM if there is none
#        kill -l [NUMBER]       all names, or that of a number (of $? in a shell too: 137 is KILL)
#        A PID of -N is the whole process group N; -1 is everybody whom one may kill but init.
# Run:   forkyard run programs/sh.s -c 'sleep 100 & kill $!; wait $!; echo $?'
#
# What to look for: kill doesn't end anybody. It asks the kernel to deliver a signal;
# ending the process is what most signals do if the process has said nothing else.
#
#   s0 the next argument   s1 the signal   s2 our exit code

    .include "syscalls.inc"
    .text
    .globl  _start
_start:
    addi    s0, sp, 16              # argv[1]
    li      s1, SIGTERM
    li      s2, 0
    ld      t0, 0(s0)
    beqz    t0, bad_usage
    lbu     t1, 0(t0)
    li      t2, '-'
    bne     t1, t2, 2f
    lbu     t1, 1(t0)
    li      t2, 'l'
    bne     t1, t2, 1f
    lbu     t1, 2(t0)
    beqz    t1, list
1:  mv      a0, t0
    la      a1, no_more_options
    call    strcmp
    beqz    a0, 3f
    ld      a0, 0(s0)
    la      a1, signal_option
    call    strcmp
    ld      t0, 0(s0)
    addi    t0, t0, 1
    bnez    a0, 1f
    addi    s0, s0, 8
    ld      t0, 0(s0)
    beqz    t0, bad_usage
1:  mv      a0, t0
    call    signal_number
    bltz    a0, bad_usage
    mv      s1, a0
    addi    s0, s0, 8
    ld      a0, 0(s0)
    beqz    a0, bad_usage
    la      a1, no_more_options
    call    strcmp
    bnez    a0, 2f
3:  addi    s0, s0, 8
2:  ld      t0, 0(s0)
    beqz    t0, bad_usage

each:
    ld      a0, 0(s0)
    beqz    a0, done
    call    atoi
    ld      t0, 0(s0)
    beq     a1, t0, bad_usage       # not a number
    lbu     t0, 0(a1)
    bnez    t0, bad_usage
    mv      a1, s1
    call    kill
    beqz    a0, 3f
    li      s2, 1
    call    error_text
    mv      a3, a0
    ld      a2, 0(s0)
    la      a1, error_line
    li      a0, STDERR
    call    dprintf
3:  addi    s0, s0, 8
    j       each
done:
    mv      a0, s2
    call    exit

# kill -l: every name, or the one of a number. What a shell says of somebody whom signal N
# ended, 128 + N, means the same.
list:
    ld      a0, 8(s0)
    bnez    a0, 3f
    la      s4, signal_table
1:  lbu     a1, 0(s4)
    beqz    a1, done
    la      a0, list_line
    addi    a2, s4, 4
    call    printf
    addi    a0, s4, 1
    call    strlen
    add     s4, s4, a0
    addi    s4, s4, 2
    j       1b
3:  mv      s3, a0
    call    atoi
    beq     a1, s3, bad_usage
    lbu     t0, 0(a1)
    bnez    t0, bad_usage
    andi    a0, a0, 127
    beqz    a0, bad_usage
    call    signal_name
    lbu     t0, 0(a0)
    li      t1, 'S'
    bne     t0, t1, bad_usage
    addi    a1, a0, 3
    la      a0, name_line
    call    printf
    j       done

# signal_number(text): digits, or a name with or without its SIG.
#   in: a0    out: a0 = the number, or -1    changes: a1, s3, s4, t0-t3
signal_number:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    mv      s3, a0
    call    atoi
    lbu     t0, 0(a1)
    bnez    t0, 4f
    bne     a1, s3, 7f              # digits, and nothing else
4:  la      s4, signal_table        # bytes and strings, see lib/signal.s
5:  li      a0, -1
    lbu     t0, 0(s4)
    beqz    t0, 7f
    mv      a0, s3
    addi    a1, s4, 1
    call    strcmp
    beqz    a0, 6f
    mv      a0, s3
    addi    a1, s4, 4               # past "SIG"
    call    strcmp
    beqz    a0, 6f
    addi    a0, s4, 1
    call    strlen
    add     s4, s4, a0
    addi    s4, s4, 2
    j       5b
6:  lbu     a0, 0(s4)
7:  ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

bad_usage:
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit

    .section .rodata
error_line: .asciz "kill: %s: %s\n"
list_line:  .asciz "%2d %s\n"
name_line:  .asciz "%s\n"
no_more_options: .asciz "--"
signal_option:   .asciz "-s"
usage:      .asciz "usage: kill [-SIGNAL | -s SIGNAL] [--] PID... | kill -l [NUMBER]\n"
