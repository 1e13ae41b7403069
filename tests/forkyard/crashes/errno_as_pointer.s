    .globl _start
_start:
    li   a0, 99     # no such descriptor
    li   a7, 57     # close
    ecall
    ld   a1, 0(a0)
