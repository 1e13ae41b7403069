# Touches a page in every argv[2] KiB of argv[1] KiB of memory, then does what each byte of its input says: fork, let the
# child do that, wait for it.
#
#   e   the child exits at once          x   the child execs /bin/true
#   r   the child reads every page       w   the child writes every page
#   p   the child exits, and then the parent writes every page
#   b   the child sleeps, the parent writes every page, and then kills it
    .globl  _start
    .text
_start:
    ld      a0, 16(sp)              # argv[1]
    call    number
    mv      s1, a0                  # bytes
    ld      a0, 24(sp)              # argv[2]
    call    number
    mv      s3, a0                  # from one page to the next
    li      a0, 0
    mv      a1, s1
    li      a2, 3
    li      a3, 0x22
    li      a4, -1
    li      a5, 0
    li      a7, 222                 # mmap
    ecall
    mv      s0, a0
    add     s1, s0, s1
    call    write_all
next:
    li      a0, 0
    la      a1, command
    li      a2, 1
    li      a7, 63                  # read
    ecall
    blez    a0, done
    lbu     s2, command
    li      a0, 17
    li      a1, 0
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a7, 220                 # clone
    ecall
    beqz    a0, child
    li      t0, 'b'
    bne     s2, t0, 1f
    mv      s4, a0
    li      a7, 124                 # sched_yield: the child goes to sleep
    ecall
    call    write_all
    mv      a0, s4
    li      a1, 9
    li      a7, 129                 # kill
    ecall
    mv      a0, s4
1:  li      a1, 0
    li      a2, 0
    li      a3, 0
    li      a7, 260                 # wait4
    ecall
    li      t0, 'p'
    bne     s2, t0, next
    call    write_all
    j       next
child:
    li      t0, 'w'
    bne     s2, t0, 1f
    call    write_all
1:  li      t0, 'r'
    bne     s2, t0, 1f
    call    read_all
1:  li      t0, 'b'
    bne     s2, t0, 1f
    li      a0, 0
    li      a1, 0
    li      a2, 0
    li      a3, 0
    li      a7, 73                  # ppoll of nothing: sleep until killed
    ecall
1:  li      t0, 'x'
    bne     s2, t0, done
    la      a0, program
    li      a1, 0
    li      a2, 0
    li      a7, 221                 # execve
    ecall
done:
    li      a0, 0
    li      a7, 94
    ecall

number:                             # the decimal number at a0, in KiB, as bytes
    mv      t0, a0
    li      a0, 0
    li      t2, 10
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    addi    t1, t1, -48
    mul     a0, a0, t2
    add     a0, a0, t1
    addi    t0, t0, 1
    j       1b
2:  slli    a0, a0, 10
    ret

write_all:
    mv      t0, s0
1:  sd      t0, 0(t0)
    add     t0, t0, s3
    bltu    t0, s1, 1b
    ret
read_all:
    mv      t0, s0
1:  ld      t2, 0(t0)
    add     t0, t0, s3
    bltu    t0, s1, 1b
    ret

    .data
command: .byte 0
program: .asciz "/bin/true"
