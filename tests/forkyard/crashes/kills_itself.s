    .globl _start
_start:
    li   a7, 172    # getpid
    ecall
    li   a1, 15     # SIGTERM
    li   a7, 129    # kill
    ecall
