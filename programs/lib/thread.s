# thread_create, thread_join; mutex_lock, mutex_unlock; futex_wait, futex_wake.
    .include "syscalls.inc"
    .include "frame.inc"
    .text

    .equ STACK, 65536               # bytes that a thread gets; the highest 32 are its block:
    .equ TID, 0                     #   its tid; the kernel puts 0 here when it has ended
    .equ RESULT, 8                  #   what its function returned
    .equ FUNCTION, 16
    .equ ARGUMENT, 24
    .equ BLOCK, 32
    .equ SHARED, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM

# thread_create(function, argument): a new thread of this process, which calls the
# function on a stack of its own. Returns a handle for thread_join, or -errno.
#   in: a0 = function, a1 = what it gets in its a0    out: a0    changes: a1-a5, a7, t0
    .globl thread_create
thread_create:
    enter   2
    mv      s0, a0
    mv      s1, a1
    li      a0, 0
    li      a1, STACK
    li      a2, PROT_READ | PROT_WRITE
    li      a3, MAP_PRIVATE | MAP_ANONYMOUS
    li      a4, -1
    li      a5, 0
    li      a7, SYS_mmap
    ecall
    bltz    a0, 1f
    li      t0, STACK - BLOCK
    add     t0, a0, t0
    sd      s0, FUNCTION(t0)
    sd      s1, ARGUMENT(t0)
    mv      s0, t0
    li      a0, SHARED | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID
    mv      a1, s0                  # its stack grows down from its block
    mv      a2, s0                  # its tid goes there before it runs,
    li      a3, 0
    mv      a4, s0                  # and is cleared there when it has ended
    li      a7, SYS_clone
    ecall
    beqz    a0, begin
    bltz    a0, 2f
    mv      a0, s0
1:  leave   2
2:  mv      s1, a0                  # no thread: give the stack back
    mv      a0, s0
    call    free_stack
    mv      a0, s1
    j       1b

begin:                              # the new thread; sp is its block
    ld      t0, FUNCTION(sp)
    ld      a0, ARGUMENT(sp)
    jalr    t0
    sd      a0, RESULT(sp)
    li      a0, 0
    li      a7, SYS_exit            # this thread only
    ecall

# thread_join(handle): sleeps until the thread has ended; returns what its function did.
#   in: a0    out: a0    changes: a1-a3, a7, t0
    .globl thread_join
thread_join:
    enter   2
    mv      s0, a0
1:  lw      a1, TID(s0)
    beqz    a1, 2f
    mv      a0, s0
    call    futex_wait              # the kernel clears the word, then wakes who sleeps on it
    j       1b
2:  ld      s1, RESULT(s0)
    mv      a0, s0
    call    free_stack
    mv      a0, s1
    leave   2

free_stack:                         # a0 = a block, at the end of its stack
    li      t0, BLOCK - STACK
    add     a0, a0, t0
    li      a1, STACK
    li      a7, SYS_munmap
    ecall
    ret

# futex_wait(word, value): sleeps while the word is the value, until somebody wakes this
# thread. 0; -EAGAIN if the word is another value already; -EINTR.
#   in: a0 = address, a1 = value    out: a0    changes: a1-a3, a7
    .globl futex_wait
futex_wait:
    mv      a2, a1
    li      a1, FUTEX_WAIT
    li      a3, 0                   # however long it takes
    li      a7, SYS_futex
    ecall
    ret

# futex_wake(word, count): wakes up to `count` of those who sleep on the word; how many.
#   in: a0 = address, a1 = count    out: a0    changes: a1, a2, a7
    .globl futex_wake
futex_wake:
    mv      a2, a1
    li      a1, FUTEX_WAKE
    li      a7, SYS_futex
    ecall
    ret

# mutex_lock(mutex): takes it, and sleeps while another thread has it. A mutex is a word:
# 0 free, 1 taken, 2 taken and somebody may sleep. Who meets nobody makes no system call.
#   in: a0 = address    changes: a0-a3, a7, t0-t2
    .globl mutex_lock
mutex_lock:
    li      t0, 1
1:  lr.w.aq t1, (a0)                # free? then take it, in one step
    bnez    t1, 2f
    sc.w    t2, t0, (a0)
    bnez    t2, 1b
    ret
2:  li      t0, 2                   # whoever has it shall wake somebody
    amoswap.w.aq t1, t0, (a0)
    beqz    t1, 3f                  # it was given back just now: ours
    mv      t2, a0
    li      a1, FUTEX_WAIT
    li      a2, 2                   # no sleep if it was given back just now
    li      a3, 0
    li      a7, SYS_futex
    ecall
    mv      a0, t2
    j       2b
3:  ret

# mutex_unlock(mutex): gives it back, and wakes one who may sleep on it.
#   in: a0 = address    changes: a0-a2, a7, t0, t1
    .globl mutex_unlock
mutex_unlock:
    amoswap.w.rl t1, zero, (a0)
    li      t0, 2
    bne     t1, t0, 1f
    li      a1, 1
    tail    futex_wake
1:  ret
