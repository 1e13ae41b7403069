# clone with a function, dup2, wait and sbrk of the library.
    .include "syscalls.inc"
    .text
    .globl _start
_start:
    mv      a0, sp
    call    arguments

    la      a0, on_own_stack        # clone: as fork, but on another stack, in a function
    la      a1, stack_end
    li      a2, SIGCHLD
    li      a3, 21
    call    clone
    la      a1, status
    li      a2, 0
    call    waitpid
    lw      a0, status
    call    exit_code
    call    show

    li      a0, STDOUT              # dup2 onto itself: open or not
    li      a1, STDOUT
    call    dup2
    call    show
    li      a0, 77
    li      a1, 77
    call    dup2
    call    show
    li      a0, STDOUT              # and onto another: written through the copy
    li      a1, 9
    call    dup2
    la      a1, line
    li      a2, 5
    call    dprintf
    la      a0, fds                 # a pipe's end onto itself, which lseek can't move in
    call    pipe
    lw      a0, fds
    mv      a1, a0
    call    dup2
    lw      t0, fds
    sub     a0, a0, t0
    call    show

    li      a0, 10000               # sbrk: two pieces, one behind the other, all zero
    call    sbrk
    mv      s0, a0
    li      a0, 10
    call    sbrk
    sub     a0, a0, s0
    call    show
    li      t0, 9992
    add     t0, t0, s0
    ld      a0, 0(t0)
    call    show
    li      a0, 0x7000000000000000  # more than there is
    call    sbrk
    call    show

    la      a0, nowhere             # execvp: not in PATH; not a program; not a name
    la      a1, argv
    call    execvp
    call    show
    la      a0, directory
    la      a1, argv
    call    execvp
    call    show
    la      a0, empty
    la      a1, argv
    call    execvp
    call    show
    la      a0, echo                # execl with more arguments than registers
    la      a1, echo
    la      a2, word
    la      a3, word
    la      a4, word
    la      a5, word
    la      a6, word
    la      a7, word
    addi    sp, sp, -16
    la      t0, last
    sd      t0, 0(sp)
    sd      zero, 8(sp)
    call    execl
    li      a0, 1
    call    exit

on_own_stack:                       # its argument doubled is its exit code
    slli    a0, a0, 1
    ret

show:
    mv      a2, a0
    la      a1, line
    li      a0, STDOUT
    tail    dprintf

    .bss
    .balign 16
status: .zero 8
fds:    .zero 8
stack:  .zero 4096
stack_end:

    .section .rodata
    .balign 8
argv:      .dword nowhere, 0
line:      .asciz "%d\n"
nowhere:   .asciz "no-such-program"
directory: .asciz "/tmp"
empty:     .asciz ""
echo:      .asciz "/bin/echo"
word:      .asciz "word"
last:      .asciz "the last"
