.globl g, w
.weak w
.data
 .byte 'a','\n','\t','\0','\\','"'
 .ascii "\b\f\n\r\t\1\12\1234\x1\x12\x123\xfff\\\"\a\v\e\0|\8\9|\x|\X41|"
 .byte 1>=1==1, 1<=0, 3-1-1, 1||0&&0, 5%3, -5%3, 5/-2, 0x80>>1, -2==-2, -1<0, 1==1==1, -(1==1), !5,!!5, - -5, ~-1, -~1
 .quad -1>1, 0xffffffffffffffff>1, -1<0xffffffffffffffff, 0xffffffffffffffff==-1, 1<<63,  0x7fffffffffffffff+1, 0xffffffffffffffff/2, 0x8000000000000000/2,0xffffffffffffffff>>1, -1%0xffffffffffffffff
 .octa 0x123456789abcdef0123456789abcdef0, -1, 5
 .float 1.5, -2.25, 1e10, 0.1
 .double 3.14159, 1e-300
 .fill 3, 2, 0x1234
 .fill 2, 8, 0x123456789
 .fill 2
 .fill 2, 10, -1
 .skip 3, 0xaa
 .space 2
 .zero 3
 .uleb128 300
 .uleb128 -1
 .uleb128 127
 .sleb128 -12345678
 .sleb128 64
.sleb128 -64
 .align 3, 0x55
 .balign 16
 .byte 1
 .p2align 4,,3
 .p2align 2,,3
 .balignw 8,0x1234
 .byte 1
 .org 0x400, 0x77
 .org .+4
 . = . + 4
x1: .word 1
x2: .half x2-x1
 .byte x2-x1
 .quad x3-x1, x3, x3+8, x3-4, .-x1, x3-.
x3:
 .set foo, 5
 .byte foo
 .set foo, 6
 .byte foo
 foo = 7
 .byte foo
 bar == 8
 .equiv baz, 9
 .byte bar, baz
 .string "abc", "def" "ghi"
 .asciz "x"
 .string16 "ab"
 .string32 "ab"
 .string64 "ab"
 .hword 5
 .int 7
 .long -1
 .short 0x8000
 .dword 1<<40
 .2byte 1
 .4byte 2
 .8byte 3
 .quad (x3-x1)*2, (x3-x1)/4+1, x3-x1==0, x3>x1
 .comm c1, 10
 .lcomm l1, 10
 .lcomm l2, 8
 .local c3
 .comm c3, 24, 8
 .section .rodata
 .ascii "rodata"
 .section .rodata.str1.8,"aMS",@progbits,1
 .string "hello"
 .section .tdata,"awT",@progbits
t1: .word 1
 .section .tbss,"awT",@nobits
t2: .zero 8
 .pushsection .data
 .byte 0xdd
 .popsection
 .text
 .previous
 .text
.globl _start
_start:
g: nop
 .type g, @function
 .size g, .-g
 .hidden h
h: ret
w: ret
 .insn r 0x33, 0, 0, a0, a1, a2
 .insn r OP, 7, 1, a0, a1, a2
 .insn r4 MADD, 1, 2, a0, a1, a2, a3
 .insn r MADD, 1, 2, a0, a1, a2, a3
 .insn i 0x13, 0, a0, a1, -5
 .insn i OP_IMM, 0, a0, a1, 5
 .insn i LOAD, 2, a0, 8(sp)
 .insn s STORE, 3, a0, 16(sp)
 .insn sb BRANCH, 0, a0, a1, g
 .insn b BRANCH, 1, a0, a1, g
 .insn u LUI, a0, 0x12345
 .insn uj JAL, ra, g
 .insn j JAL, ra, g
 .insn 0x13
 .insn 4, 0x00000013
 .insn i 0x13, 0, a0, a1, %lo(x1)
 .insn u LUI, a0, %hi(x1)
 .insn s STORE, 3, a0, %lo(x1)(a1)
1: beq a0, a1, 1b
 beq a0, a1, 1f
 j 2f
1: nop
2: j 1b
 bgt a0,a1,far
 blt a0,a1,far
 beqz a0, far2
 .skip 4080
far2: .skip 20
far: nop
 bne a0,a1,g
 la a0, x1+4
 lla a0, g
 lw a0, x1
 lbu a1, x1+3
 sd a0, x1, t0
 lui a0, %tprel_hi(t1)
 add a0, a0, tp, %tprel_add(t1)
 addi a0, a0, %tprel_lo(t1)
 sw a0, %tprel_lo(t1)(a0)
 .option push
 .option norelax
 la a0, x1
 .option pic
 la a0, x1
 .option pop
 la a0, x1
 call g
 call g@plt
 tail g
 jump g, t1
 call t0, g
 .word g-.
 .word 1b-2b
 .align 5
 .align 4, 0x13
 .option norvc
 .attribute stack_align, 16
