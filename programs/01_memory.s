# 01_memory: a process is a running program, and its memory is a map of parts.
#
# Run it:        forkyard run programs/01_memory.s 2>/dev/null
# Watch it:      forkyard trace --only fault,signal programs/01_memory.s
#
# The file on the disk is a program; a process is that program as it runs. For it to
# run, exec has laid out its parts in memory, each with its own permissions:
#
#     .text     machine code, which the processor executes    read, execute
#     .rodata   constants                                     read
#     .data     globals with a first value                    read, write
#     .bss      globals that begin as 0                       read, write
#     stack     where functions keep what they need           read, write
#     all else  nothing is there                              -
#
# This program tries it out: for each part a child reads a word there, a second one
# writes it, a third one jumps to it. What the map forbids, the hardware traps, and the
# kernel ends the child with SIGSEGV. The parent only looks at how each child has ended.
#
# What to look for
#   - No part can be both written and executed, and the zero page can't be touched
#     at all: that is why a null pointer is noticed.
#   - Without `2>/dev/null` forkyard explains each death: where it was, and why.
#   - `forkyard disasm` shows the same parts, as the file has them.
#
#   s0 the part   s1 what is tried   s2 the answers, one bit each

    .include "syscalls.inc"
    .include "frame.inc"

    .section .rodata
    .balign 8
constant:                           # `ret`, in case that somebody jumps here
    .dword  0x00008067
    .data
    .balign 8
global:
    .dword  0x00008067
    .bss
    .balign 8
zeros:  .zero 8
status: .zero 8

    .text
    .globl  _start
_start:
    la      a0, headline
    call    puts
    addi    sp, sp, -16
    li      t0, 0x00008067          # the stack's word, too
    sd      t0, 0(sp)
    la      s0, parts
    sd      sp, stack_part + 8, t0
1:  ld      t0, 0(s0)
    beqz    t0, 2f
    call    try_part
    addi    s0, s0, 16
    j       1b
2:  li      a0, 0
    call    exit

# try_part: one line for the part at s0.
try_part:
    enter   0
    li      s1, 0
    li      s2, 0
1:  call    try
    sll     a0, a0, s1
    or      s2, s2, a0
    addi    s1, s1, 1
    li      t0, 3
    bltu    s1, t0, 1b
    la      a0, line
    ld      a1, 0(s0)
    andi    a2, s2, 1
    srli    a3, s2, 1
    andi    a3, a3, 1
    srli    a4, s2, 2
    call    answers
    call    printf
    leave   0

# answers: 0 and 1 in a2, a3, a4 become "no" and "yes".
answers:
    la      t0, words
    slli    a2, a2, 3
    add     a2, t0, a2
    slli    a3, a3, 3
    add     a3, t0, a3
    slli    a4, a4, 3
    add     a4, t0, a4
    ret

# try: a child does what s1 says to the part at s0.    out: a0 = 1 if it lived
try:
    enter   0
    call    fork
    beqz    a0, child
    la      a0, status
    call    wait
    lw      a0, status
    seqz    a0, a0
    leave   0

child:
    ld      t1, 8(s0)
    li      t0, 1
    beq     s1, t0, 1f
    bgtu    s1, t0, 2f
    ld      t0, 0(t1)               # read a word
    j       3f
1:  ld      t0, constant            # write one
    sd      t0, 0(t1)
    j       3f
2:  jalr    t1                      # jump to it
3:  li      a0, 0
    call    exit

returns:                            # what is tried in .text: code that comes back
    ret
    .word   0

    .data
    .balign 8
parts:  .dword text_name, returns
        .dword rodata_name, constant
        .dword data_name, global
        .dword bss_name, zeros
stack_part:
        .dword stack_name, 0        # filled in: nobody knows beforehand where the stack is
        .dword zero_name, 0
        .dword 0

    .section .rodata
headline:    .asciz "part      read  write  execute\n"
line:        .asciz "%-8s  %-4s  %-5s  %s\n"
text_name:   .asciz ".text"
rodata_name: .asciz ".rodata"
data_name:   .asciz ".data"
bss_name:    .asciz ".bss"
stack_name:  .asciz "stack"
zero_name:   .asciz "page 0"
    .balign 8
words:       .ascii "no\0\0\0\0\0\0yes\0"
