# A part of an address with a number added: objects show the number in the field.
 .text
 lui a0,%hi(x+0x1804)
 lw a0,%lo(x+4)(a0)
 sw a0,%lo(x+4)(a0)
 sd a0,%lo(x-4)(a0)
 addi a0,a0,%lo(x+0x1804)
 lui a0,%hi(y+0x1804)
 lw a0,%lo(y+4)(a0)
 sw a0,%lo(y+4)(a0)
 addi a0,a0,%lo(y+0x1804)
 lui a0,%hi(y)
 lw a0,%lo(y)(a0)
1: auipc a0,%pcrel_hi(x+0x1804)
 lw a0,%pcrel_lo(1b)(a0)
 lw a0,%pcrel_lo(1b+4)(a0)
 lui a0,%tprel_hi(t+0x1804)
 lw a0,%tprel_lo(t+4)(a0)
 sw a0,%tprel_lo(t+4)(a0)
1: auipc a0,%got_pcrel_hi(x)
 lui a0,%hi(k)
 lw a0,%lo(k)(a0)
 sw a0,%lo(k)(a0)
 addi a0,a0,%lo(k)
 .data
 .equ k,0x12345
 .text
 lw a0,%lo(w+4)(a0)
 sw a0,%lo(w-4)(a0)
 lui a0,%hi(0x12345678+v)
 .insn i 0x13, 0, a0, a1, %lo(x+4)
 .insn u LUI, a0, %hi(x+0x1804)
 .insn s STORE, 3, a0, %lo(x+5)(a1)
 .data
 .skip 8
y: .word 1
 .weak w
w: .word 1
 .globl v
v: .word 1
 lui a0,%tprel_hi(t+0x2000)
 lui a0,%tprel_hi(t+0x123456)
 lui a0,%tprel_hi(t+0x123956)
 lui a0,%tprel_hi(t-4)
 lui a0,%tls_ie_pcrel_hi(t+0x123956)
 auipc a0,%tls_ie_pcrel_hi(t+0x123956)
 auipc a0,%pcrel_hi(t+0x123956)
 auipc a0,%got_pcrel_hi(t+0x123956)
