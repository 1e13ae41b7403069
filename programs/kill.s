# kill: sends a signal to processes.
#
# Use:   kill [-SIGNAL] PID...         SIGNAL: a number or a name such as KILL; TERM if there is none
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
    addi    a0, t0, 1
    call    signal_number
    bltz    a0, bad_usage
    mv      s1, a0
    addi    s0, s0, 8
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
usage:      .asciz "usage: kill [-SIGNAL] PID...\n"
