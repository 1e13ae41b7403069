# brk, sbrk: the heap, the memory between the end of .bss and the "program break".
    .include "syscalls.inc"
    .text

# brk(address): moves the break there if that is possible; the break as it now is.
# brk(0) only asks. (Failing changes nothing: the answer is then not the address.)
#   in: a0 = address    out: a0    changes: a7
    .globl brk
brk:
    li      a7, SYS_brk
    ecall
    ret

# sbrk(size): makes the heap larger; the address of the new, zeroed memory, or -ENOMEM.
#   in: a0 = size in bytes    out: a0    changes: a7, t0, t1
    .globl sbrk
sbrk:
    mv      t0, a0
    li      a0, 0
    li      a7, SYS_brk
    ecall
    mv      t1, a0                  # the old break: where the new memory begins
    add     t0, t0, t1
    mv      a0, t0
    li      a7, SYS_brk
    ecall
    bne     a0, t0, 1f
    mv      a0, t1
    ret
1:  li      a0, -ENOMEM
    ret
