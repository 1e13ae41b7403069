# args: what a program finds on its stack when it starts.
#
# Run:   forkyard run programs/args.s one "two three" ''
#
# exec puts it there: the strings themselves at the top of the stack, and below
# them three lists, the last of which nobody sees in C. sp points to the first word:
#
#     sp ->  argc                          how many arguments
#            argv[0], argv[1], ... 0       pointers to them
#            envp[0], envp[1], ... 0       pointers to "NAME=value"
#            type, value, type, value, ... 0, 0      the auxiliary vector
#
# What to look for
#   - argv[0] is only by custom the program's name: whoever calls exec chooses it.
#   - The auxiliary vector is how the kernel tells a program about the machine and
#     about the program itself: the size of a page, where execution begins.
#
#   s0 walks upwards over the lists   s1 counts   s2 argc

    .include "syscalls.inc"
    .equ    AT_NULL,   0            # linux/include/uapi/linux/auxvec.h
    .equ    AT_PAGESZ, 6
    .equ    AT_ENTRY,  9

    .text
    .globl  _start
_start:
    mv      s0, sp
    andi    s3, sp, 15              # the ABI promises: sp is a multiple of 16
    la      a0, alignment_line
    mv      a1, s3
    call    printf

    ld      s2, 0(s0)
    addi    s0, s0, 8               # past argc
    la      a0, argc_line
    mv      a1, s2
    call    printf
    li      s1, 0
each_argument:
    ld      a2, 0(s0)
    addi    s0, s0, 8
    beqz    a2, arguments_end
    la      a0, argv_line
    mv      a1, s1
    call    printf
    addi    s1, s1, 1
    j       each_argument
arguments_end:
    la      a0, count_line          # argc could be left out: argv ends in a 0
    mv      a1, s1
    call    printf

    li      s1, 0
each_variable:
    ld      a2, 0(s0)
    addi    s0, s0, 8
    beqz    a2, each_pair
    la      a0, envp_line
    mv      a1, s1
    call    printf
    addi    s1, s1, 1
    j       each_variable

each_pair:
    ld      t0, 0(s0)               # type
    ld      a1, 8(s0)               # value
    addi    s0, s0, 16
    beqz    t0, done                # AT_NULL
    li      t1, AT_PAGESZ
    la      a0, page_line
    beq     t0, t1, show
    li      t1, AT_ENTRY
    beq     t0, t1, entry
    j       each_pair               # the others: see getauxval(3)
entry:
    la      a0, entry_line
    la      t0, _start
    sub     a1, a1, t0
show:
    call    printf
    j       each_pair

done:
    li      a0, 0
    call    exit

    .section .rodata
alignment_line: .asciz "sp modulo 16 is %d\n"
argc_line:      .asciz "argc is %d\n"
argv_line:      .asciz "argv[%d] is \"%s\"\n"
count_line:     .asciz "argv[%d] is 0: the end\n"
envp_line:      .asciz "envp[%d] is \"%s\"\n"
page_line:      .asciz "AT_PAGESZ: a page has %d bytes\n"
entry_line:     .asciz "AT_ENTRY: execution begins %d bytes from _start\n"
