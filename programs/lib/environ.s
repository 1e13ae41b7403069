# What the kernel leaves on the stack for a new program, and the environment.
#
#     sp ->  argc
#            argv[0] ... argv[argc-1]  0      pointers to strings
#            envp[0] ...               0      pointers to "NAME=value" strings
#            the auxiliary vector             pairs (type, value), see programs/args.s
    .include "syscalls.inc"

    .bss
    .balign 8
    .globl environ
environ: .zero 8                    # envp, for execv, execl, execvp and getenv

    .text

# arguments(sp): finds argc, argv and envp, and remembers envp in `environ`.
#   Call it at the top of _start with sp as it was at the first instruction.
#   in:  a0 = sp
#   out: a0 = argc, a1 = argv, a2 = envp    changes: t0
    .globl arguments
arguments:
    addi    a1, a0, 8
    ld      a0, 0(a0)
    slli    t0, a0, 3
    add     a2, a1, t0
    addi    a2, a2, 8               # past argv's closing 0
    la      t0, environ
    sd      a2, 0(t0)
    ret

# getenv(name): a pointer to the value of NAME in `environ`, or 0.
#   in:  a0 = name, a string without "="
#   out: a0    changes: t0-t4
    .globl getenv
getenv:
    ld      t0, environ
    beqz    t0, 4f
1:  ld      t1, 0(t0)               # t1: one "NAME=value"
    beqz    t1, 4f
    addi    t0, t0, 8
    mv      t2, a0
2:  lbu     t3, 0(t1)
    lbu     t4, 0(t2)
    addi    t1, t1, 1
    addi    t2, t2, 1
    beqz    t4, 3f                  # the name is used up: does "=" follow?
    beq     t3, t4, 2b
    j       1b
3:  li      t4, '='
    bne     t3, t4, 1b
    mv      a0, t1
    ret
4:  li      a0, 0
    ret
