# New code without end. argv[1] says what, argv[2] how often, argv[3] how many rounds a loop makes.
#
#   code      map a page, write a loop there, run it, unmap the page
#   programs  write an executable file that was never there before, fork, execute it, wait; remove the file 3000 later
#
# argv[4] pieces of code take turns. Ten times on its way it writes a dot. Ends with 1 if anything fails.
    .include "syscalls.inc"
    .equ    SYS_unlinkat, 35
    .equ    KEPT, 3000
    .text
# The code that is copied: a0 rounds; a1 is not 0 then.
loop:
    lui     t1, 0
    xor     t0, t0, t1
    addi    a0, a0, -1
    bnez    a0, loop
    li      a1, 1
    ret
loop_end:

    .data
dot:    .ascii  "."
path:   .ascii  "/tmp/....."
path_end:
    .byte   0
    .balign 8
status: .word   0
    .balign 8
# An executable of one page: its ELF header, its program header, its code.
image:
    .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    .half   2, 243                  # ET_EXEC, RISC-V
    .word   1
    .dword  0x10000 + image_start - image
    .dword  64, 0
    .word   0
    .half   64, 56, 1, 64, 0, 0
    .word   1, 5                    # PT_LOAD, to be read and executed
    .dword  0, 0x10000, 0x10000, image_end - image, image_end - image, 4096
image_rounds:
    .word   0
image_start:
    auipc   t0, 0
    lw      a0, -4(t0)
image_loop:
    lui     t1, 0
    xor     t2, t2, t1
    addi    a0, a0, -1
    bnez    a0, image_loop
    li      a7, SYS_exit_group
    ecall
image_end:

    .text
    .globl  _start
_start:
    ld      t0, 16(sp)              # argv[1]
    lbu     s1, 0(t0)
    ld      a0, 24(sp)              # argv[2]
    call    number
    mv      s3, a0                  # how many are left
    li      t0, 10
    divu    s4, a0, t0              # how many make a step
    mv      s5, s4
    ld      a0, 32(sp)              # argv[3]
    call    number
    mv      s6, a0
    ld      a0, 40(sp)              # argv[4]
    call    number
    mv      s7, a0
next:
    li      t0, 'p'
    beq     s1, t0, program
code:
    li      a0, 0
    li      a1, 4096
    li      a2, PROT_READ | PROT_WRITE | PROT_EXEC
    li      a3, MAP_PRIVATE | MAP_ANONYMOUS
    li      a4, -1
    li      a5, 0
    li      a7, SYS_mmap
    ecall
    bltz    a0, fail
    mv      s2, a0
    la      t0, loop
    la      t1, loop_end
    mv      t2, s2
1:  lw      t3, 0(t0)
    sw      t3, 0(t2)
    addi    t0, t0, 4
    addi    t2, t2, 4
    bne     t0, t1, 1b
    mv      a0, s2
    call    change
    fence.i
    mv      a0, s6
    jalr    s2
    beqz    a1, fail
    mv      a0, s2
    li      a1, 4096
    li      a7, SYS_munmap
    ecall
    bltz    a0, fail
    j       done
program:
    mv      t0, s3
    call    name
    la      a0, image_loop
    call    change
    la      a0, image_rounds
    sw      s6, 0(a0)
    li      a0, AT_FDCWD
    la      a1, path
    li      a2, O_WRONLY | O_CREAT | O_EXCL
    li      a3, 0755
    li      a7, SYS_openat
    ecall
    bltz    a0, fail
    mv      s2, a0
    la      a1, image
    la      a2, image_end
    sub     a2, a2, a1
    li      a7, SYS_write
    ecall
    bltz    a0, fail
    mv      a0, s2
    li      a7, SYS_close
    ecall
    li      a0, SIGCHLD
    li      a1, 0
    li      a7, SYS_clone
    ecall
    bltz    a0, fail
    bnez    a0, parent
    la      a0, path
    li      a1, 0
    li      a2, 0
    li      a7, SYS_execve
    ecall
    j       fail
parent:
    li      a0, -1
    la      a1, status
    li      a2, 0
    li      a3, 0
    li      a7, SYS_wait4
    ecall
    bltz    a0, fail
    lw      a0, status
    bnez    a0, fail
    li      t0, KEPT
    add     t0, t0, s3
    call    name                    # the file that was written so many rounds ago, if there are as many
    li      a0, AT_FDCWD
    la      a1, path
    li      a2, 0
    li      a7, SYS_unlinkat
    ecall
done:
    addi    s3, s3, -1
    addi    s5, s5, -1
    bnez    s5, 2f
    mv      s5, s4
    li      a0, 1
    la      a1, dot
    li      a2, 1
    li      a7, SYS_write
    ecall
2:  bnez    s3, next
    li      a0, 0
    li      a7, SYS_exit_group
    ecall
fail:
    li      a0, 1
    li      a7, SYS_exit_group
    ecall

# The instruction at a0, a lui, loads a number of 20 bits instead: what is left to do, modulo argv[4].
change:
    lw      t0, 0(a0)
    remu    t1, s3, s7
    slli    t1, t1, 12
    slli    t0, t0, 52
    srli    t0, t0, 52
    add     t0, t0, t1
    sw      t0, 0(a0)
    ret

# The path of program t0.
name:
    la      t1, path_end
    la      t2, path_end - 5
1:  andi    t3, t0, 15
    addi    t3, t3, 'a'
    addi    t1, t1, -1
    sb      t3, 0(t1)
    srli    t0, t0, 4
    bne     t1, t2, 1b
    ret

# What the string at a0 says, in decimal.
number:
    mv      t0, a0
    li      a0, 0
    li      t2, 10
1:  lbu     t1, 0(t0)
    beqz    t1, 2f
    mul     a0, a0, t2
    addi    t1, t1, -'0'
    add     a0, a0, t1
    addi    t0, t0, 1
    j       1b
2:  ret
