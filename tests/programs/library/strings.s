# lib/string.s, lib/environ.s and lib/error.s, each function at its limits.
    .include "syscalls.inc"
    .text
    .globl _start
_start:
    mv      a0, sp
    call    arguments

    la      a0, abc
    call    strlen
    call    show
    la      a0, empty
    call    strlen
    call    show

    la      a0, abc                 # strcmp: equal, smaller, a prefix; bytes are unsigned
    la      a1, abc
    call    strcmp
    call    show_sign
    la      a0, abc
    la      a1, abd
    call    strcmp
    call    show_sign
    la      a0, abc
    la      a1, ab
    call    strcmp
    call    show_sign
    la      a0, high
    la      a1, abc
    call    strcmp
    call    show_sign

    la      a0, abc
    li      a1, 'b'
    call    strchr
    la      t0, abc
    sub     a0, a0, t0
    call    show
    la      a0, abc
    li      a1, 'x'
    call    strchr
    call    show
    la      a0, abc
    li      a1, 0
    call    strchr
    la      t0, abc
    sub     a0, a0, t0
    call    show

    la      a0, buffer
    li      a1, '.'
    li      a2, 8
    call    memset
    addi    a0, a0, 2
    la      a1, abc
    li      a2, 3
    call    memcpy
    li      a2, 0                   # nothing at all
    call    memcpy
    la      a0, buffer
    call    puts
    la      a0, newline
    call    puts
    la      a0, buffer
    la      a1, abd
    call    strcpy
    call    puts
    la      a0, newline
    call    puts

    la      s0, numbers             # atoi: the number, and how far it went
1:  ld      s1, 0(s0)
    beqz    s1, 2f
    mv      a0, s1
    call    atoi
    sub     a2, a1, s1
    mv      a1, a0
    la      a0, number_line
    call    printf
    addi    s0, s0, 8
    j       1b

2:  la      a0, path                # getenv: there, only a prefix of a name, not there
    call    getenv
    mv      a1, a0
    la      a0, value_line
    call    printf
    la      a0, pat
    call    getenv
    call    show
    la      a0, empty
    call    getenv
    call    show

    li      a0, -ENOENT
    call    error_text
    mv      a1, a0
    la      a0, value_line
    call    printf
    li      a0, -200
    call    error_text
    mv      a1, a0
    la      a0, value_line
    call    printf
    li      a0, SIGCHLD
    call    signal_name
    mv      a1, a0
    la      a0, value_line
    call    printf
    li      a0, 60
    call    signal_name
    mv      a1, a0
    la      a0, value_line
    call    printf
    li      a0, 0
    call    exit

show_sign:
    slti    t0, a0, 0
    sgtz    a0, a0
    sub     a0, a0, t0
show:
    mv      a1, a0
    la      a0, show_line
    tail    printf

    .bss
buffer: .zero 16

    .section .rodata
    .balign 8
numbers:     .dword n1, n2, n3, n4, n5, n6, 0
n1:          .asciz "0"
n2:          .asciz "-123abc"
n3:          .asciz "abc"
n4:          .asciz "-"
n5:          .asciz "9223372036854775807"
n6:          .asciz ""
abc:         .asciz "abc"
abd:         .asciz "abd"
ab:          .asciz "ab"
high:        .asciz "\377"
empty:       .asciz ""
newline:     .asciz "\n"
path:        .asciz "PATH"
pat:         .asciz "PAT"
show_line:   .asciz "%d\n"
number_line: .asciz "%d, %d bytes\n"
value_line:  .asciz "%s\n"
