# Makes the system calls that it reads from its standard input, and writes what each returned to its output.
#
# The input begins with what shall be in memory (16384 bytes). Then come records, one for each call: the number, then for each of six arguments a kind and a value.
#   kind 0: the value itself    1: an address, `memory` + value    2: what call number `value` of this list returned
# The output is 8 bytes for each call. The calls are made by a child, so that a signal can end it without ending the
# report: the parent's exit status is the child's, or 128 and the signal's number.
        .equ    RECORD, 8 * 13
        .text
        .globl  _start
_start:
        la      s0, memory
        la      s1, memory + 16384
1:      li      a0, 0
        mv      a1, s0
        sub     a2, s1, s0
        li      a7, 63                  # read
        ecall
        add     s0, s0, a0
        bne     s0, s1, 1b

        la      s0, script              # all the rest of the input
        li      s1, 0
1:      li      a0, 0
        add     a1, s0, s1
        li      a2, 65536
        li      a7, 63                  # read
        ecall
        add     s1, s1, a0
        bgtz    a0, 1b
        add     s1, s1, s0              # s1: the script's end

        li      a0, 17                  # SIGCHLD: a plain fork
        li      a1, 0
        li      a7, 220                 # clone
        ecall
        bnez    a0, parent

        la      s2, results
        li      s3, 0                   # s3: offset of the next result
next:   beq     s0, s1, done
        li      s4, 0                   # s4: which argument
        addi    s5, s0, 8
argument:
        ld      t0, 0(s5)
        ld      t1, 8(s5)
        beqz    t0, 3f
        li      t2, 1
        bne     t0, t2, 2f
        la      t2, memory
        add     t1, t1, t2
        j       3f
2:      slli    t1, t1, 3
        add     t1, t1, s2
        ld      t1, 0(t1)
3:      la      t2, arguments
        slli    t3, s4, 3
        add     t2, t2, t3
        sd      t1, 0(t2)
        addi    s5, s5, 16
        addi    s4, s4, 1
        li      t0, 6
        bne     s4, t0, argument

        la      t2, arguments
        ld      a0, 0(t2)
        ld      a1, 8(t2)
        ld      a2, 16(t2)
        ld      a3, 24(t2)
        ld      a4, 32(t2)
        ld      a5, 40(t2)
        ld      a7, 0(s0)
        ecall
        add     t0, s2, s3
        sd      a0, 0(t0)
        li      a0, 2                   # the report goes to standard error: scripts play with their output
        mv      a1, t0
        li      a2, 8
        li      a7, 64                  # write
        ecall
        addi    s3, s3, 8
        addi    s0, s0, RECORD
        j       next
done:   li      a0, 2                   # and what the calls left in memory
        la      a1, memory
        li      a2, 16384
        li      a7, 64
        ecall
        li      a0, 0
        li      a7, 94                  # exit_group
        ecall

parent: li      a0, -1
        la      a1, arguments
        li      a2, 0
        li      a3, 0
        li      a7, 260                 # wait4
        ecall
        la      t0, arguments
        lw      a0, 0(t0)
        andi    t1, a0, 0x7f
        srli    a0, a0, 8
        beqz    t1, 1f
        addi    a0, t1, 128
1:      li      a7, 94
        ecall

        .bss
results:
        .zero   8 * 1024
arguments:
        .zero   48
script: .zero   1 << 18
        .balign 4096
memory: .zero   16384                   # and nothing behind it
