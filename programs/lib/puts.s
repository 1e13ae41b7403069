# puts: a string as it is, for programs that need no printf.
    .include "syscalls.inc"
    .text

# puts(string): writes it to standard output, adding nothing; 0, or -errno.
#   in: a0    out: a0    changes: a1, a2, a7, t0, t1
    .globl puts
puts:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    mv      a1, a0
    call    strlen
    mv      a2, a0
    li      a0, STDOUT
    call    write_all
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret
