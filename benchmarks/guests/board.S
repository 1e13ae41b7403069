# A kernel on qemu's bare `virt` board: from M-mode into U-mode behind Sv39 (one gigapage at 0x80000000), with two
# system calls, write to the serial port and exit, and a timer interrupt every 10 ms as an operating system has one.
    .section .text.init, "ax"
    .globl _board
_board:
    csrr t0, mhartid
    bnez t0, .
    la   t0, trap
    csrw mtvec, t0
    li   t0, -1
    csrw pmpaddr0, t0
    li   t0, 0x1f
    csrw pmpcfg0, t0
    la   t1, root
    li   t0, (0x80000000 >> 12 << 10) | 0xdf      # V R W X U A D
    sd   t0, 16(t1)
    srli t1, t1, 12
    li   t0, 8 << 60
    or   t0, t0, t1
    csrw satp, t0
    sfence.vma
    li   t0, 128
    csrw mie, t0
    li   t0, 0x2004000
    sd   zero, 0(t0)
    li   t0, 3 << 11
    csrc mstatus, t0
    la   t0, _start
    csrw mepc, t0
    la   sp, stack_end
    mret

    .balign 4
trap:
    csrw mscratch, sp
    la   sp, save
    sd   t0, 0(sp)
    sd   t1, 8(sp)
    csrr t0, mcause
    bltz t0, timer
    li   t1, 8
    bne  t0, t1, stop
    li   t1, 93
    beq  a7, t1, stop
    li   t0, 0x10000000
1:  lbu  t1, 0(a1)
    sb   t1, 0(t0)
    addi a1, a1, 1
    addi a2, a2, -1
    bnez a2, 1b
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
back:
    ld   t0, 0(sp)
    ld   t1, 8(sp)
    csrr sp, mscratch
    mret
timer:
    li   t0, 0x200bff8
    ld   t1, 0(t0)
    li   t0, 100000
    add  t1, t1, t0
    li   t0, 0x2004000
    sd   t1, 0(t0)
    j    back
stop:
    li   t0, 0x100000
    li   t1, 0x5555
    sw   t1, 0(t0)
    j    .

    .bss
    .balign 4096
root:
    .space 4096
save:
    .space 64
    .space 65536
stack_end:
    .space 64
