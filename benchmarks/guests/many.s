# Many processes, and the cheapest things that they do. argv[1] says what, argv[2] how many.
#
#   alive   so many children live at once: each sleeps in a read until the parent closes the pipe
#   row     one child after the other: fork, exit, wait
#   getpid  the cheapest system call
#   switch  a byte goes to a child and comes back, through two pipes: two context switches
#
# Ends with 1 if anything fails.
    .include "syscalls.inc"
    .globl  _start
    .text
_start:
    ld      t0, 16(sp)              # argv[1]
    lbu     s1, 0(t0)
    ld      a0, 24(sp)              # argv[2]
    call    number
    mv      s2, a0                  # how many
    mv      s3, a0                  # how many are left
    la      a0, there
    call    pipe
    la      a0, back
    call    pipe
    li      t0, 'a'
    beq     s1, t0, alive
    li      t0, 'g'
    beq     s1, t0, getpids
    li      t0, 's'
    beq     s1, t0, switches
row:
    call    fork
    beqz    a0, leave
    bltz    a0, fail
    call    wait
    bltz    a0, fail
    addi    s3, s3, -1
    bnez    s3, row
    j       leave
alive:
    call    fork
    beqz    a0, sleeper
    bltz    a0, fail
    addi    s3, s3, -1
    bnez    s3, alive
    lw      a0, there + 4           # nobody else holds the writing end open when this is closed
    call    close
reap:
    call    wait
    bltz    a0, fail
    addi    s2, s2, -1
    bnez    s2, reap
    j       leave
sleeper:
    lw      a0, there + 4
    call    close
    lw      a0, there
    call    read
    bnez    a0, fail
    j       leave
getpids:
    li      a7, SYS_getpid
    ecall
    addi    s3, s3, -1
    bnez    s3, getpids
    j       leave
switches:
    call    fork
    bltz    a0, fail
    beqz    a0, echo
to_and_fro:
    lw      a0, there + 4
    call    write
    lw      a0, back
    call    read
    addi    s3, s3, -1
    bnez    s3, to_and_fro
    lw      a0, there + 4
    call    close
    call    wait
    j       leave
echo:
    lw      a0, there + 4
    call    close
again:
    lw      a0, there
    call    read
    blez    a0, leave
    lw      a0, back + 4
    call    write
    j       again
leave:
    li      a0, 0
    li      a7, SYS_exit_group
    ecall
fail:
    li      a0, 1
    li      a7, SYS_exit_group
    ecall

# What the string at a0 says, in decimal.
number:
    mv      t0, a0
    li      a0, 0
    li      t2, 10
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    mul     a0, a0, t2
    addi    t1, t1, -'0'
    add     a0, a0, t1
    addi    t0, t0, 1
    j       1b
2:  ret

fork:
    li      a0, SIGCHLD
    li      a1, 0
    li      a7, SYS_clone
    ecall
    ret
wait:
    li      a0, -1
    li      a1, 0
    li      a2, 0
    li      a3, 0
    li      a7, SYS_wait4
    ecall
    ret
pipe:
    li      a1, 0
    li      a7, SYS_pipe2
    ecall
    ret
close:
    li      a7, SYS_close
    ecall
    ret
read:
    la      a1, byte
    li      a2, 1
    li      a7, SYS_read
    ecall
    ret
write:
    la      a1, byte
    li      a2, 1
    li      a7, SYS_write
    ecall
    ret

    .bss
    .align  3
there:
    .space  8
back:
    .space  8
byte:
    .space  8
