# pwd: prints the current directory.
#
# Run:   forkyard run programs/sh.s -c 'cd /tmp; pwd; (cd /bin; pwd); pwd'
#
# What to look for: the current directory belongs to the process. fork copies it, exec
# leaves it alone; what a child does with its own is not seen by its parent.

    .include "syscalls.inc"
    .equ    SIZE, 4096

    .bss
    .balign 8
buffer: .zero SIZE

    .text
    .globl  _start
_start:
    la      a0, buffer
    li      a1, SIZE
    li      a7, SYS_getcwd
    ecall
    bltz    a0, failed
    la      a0, line
    la      a1, buffer
    call    printf
    li      a0, 0
    call    exit
failed:
    mv      a1, a0
    la      a0, name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
line:   .asciz "%s\n"
name:   .asciz "pwd"
