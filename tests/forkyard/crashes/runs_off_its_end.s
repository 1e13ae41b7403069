    .globl _start
_start:
    li   a0, 0
    li   a7, 172    # getpid
    ecall
