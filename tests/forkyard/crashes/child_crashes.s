# The child dies of a fault; the parent goes on and ends well.
    .globl _start
_start:
    li   a0, 17
    li   a1, 0
    li   a7, 220    # fork
    ecall
    beqz a0, child
    li   a1, 0
    li   a2, 0
    li   a3, 0
    li   a7, 260    # wait4
    ecall
    li   a0, 0
    li   a7, 93
    ecall
child:
    li   t0, 0x12345000
    sd   zero, 0(t0)
