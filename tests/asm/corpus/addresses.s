a: beq a0,a1,8
 beq a0,a1,ext
 beq a0,a1,a
 j a
 j ext
 call ext
 tail ext
 call t1, ext
 la a0, d
 lla a0, d
 lw a0, d
 sw a0, d, t0
 lui a0, %hi(d)
 addi a0, a0, %lo(d)
1: auipc a0, %pcrel_hi(d)
 addi a0,a0,%pcrel_lo(1b)
 jump ext, t0
 .word a-.
 .word d
 .align 4
b: nop
 .data
 .byte 1
 .align 3
 .word b-a
 .word e-d
d: .quad ext
e: .half b-a
 .byte b-a
 .quad d-.
 .quad a
