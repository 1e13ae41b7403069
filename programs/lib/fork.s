# fork, vfork, clone: the only ways a process comes into being.
#
# Linux/riscv64 has no system call named fork. There is clone, and its flags say
# what parent and child share. fork is a clone that shares nothing: the child
# gets a copy of the memory (made lazily, page by page: COW) and of the file
# descriptors. One call goes in, two come out, and only a0 differs.
    .include "syscalls.inc"
    .text

# fork(): 0 in the child, the child's pid in the parent, -errno if there is no child.
#   in: nothing    out: a0    changes: a1-a4, a7
    .globl fork
fork:
    li      a0, SIGCHLD             # share nothing; tell the parent by SIGCHLD at the end
    li      a1, 0                   # keep the stack pointer: the child has its own copy of the stack
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a7, SYS_clone
    ecall
    ret

# vfork(): like fork, but the child borrows the parent's memory, and the parent
# stands still until the child calls exec or exit. The child must do nothing else:
# whatever it writes, its parent has too (vfork_danger.s).
#   in: nothing    out: a0    changes: a1-a4, a7
#   The return address stays in ra. On the stack, which both use, the child would
#   overwrite it before the parent gets to return.
    .globl vfork
vfork:
    li      a0, CLONE_VM | CLONE_VFORK | SIGCHLD
    li      a1, 0
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a7, SYS_clone
    ecall
    ret
