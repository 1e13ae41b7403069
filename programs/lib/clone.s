# clone: start a task that calls a function on a stack of its own.
    .include "syscalls.inc"
    .text

# clone(function, stack, flags, argument): the new task's id, or -errno.
#   in:  a0 = the function the new task calls; what it returns is its exit status
#        a1 = the end (highest address) of its stack, 16-byte aligned
#        a2 = CLONE_ flags, plus the signal for the parent: SIGCHLD
#        a3 = what the function gets in its a0
#   out: a0    changes: a1-a4, a7
#   Only the caller returns from here. The function and its argument travel on the
#   new stack, since that is the one place that surely belongs to the new task.
    .globl clone
clone:
    addi    a1, a1, -16
    sd      a0, 0(a1)
    sd      a3, 8(a1)
    mv      a0, a2
    li      a2, 0                   # no parent_tid
    li      a3, 0                   # no thread-local storage
    li      a4, 0                   # no child_tid
    li      a7, SYS_clone
    ecall
    beqz    a0, 1f
    ret
1:  ld      a1, 0(sp)               # the new task, on its new stack
    ld      a0, 8(sp)
    addi    sp, sp, 16
    jalr    a1
    li      a7, SYS_exit            # ends this task only; exit_group would end a whole process
    ecall
