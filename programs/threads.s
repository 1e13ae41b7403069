# threads: several tasks in one process, and a lock that sleeps.
#
# Run it:        forkyard run programs/threads.s
# Watch it:      forkyard trace --quantum 500 --only process,sched programs/threads.s
#
# A process is no more than its pid. What runs is a task, and clone can make another
# one that shares the memory, the open files and the pid: a thread.
#
# What to look for
#   - Each thread has a tid of its own, and a stack of its own; the pid is everybody's.
#   - All of them add to one counter. `counter = counter + 1` is three instructions, and
#     the time slice may end between any two: so a mutex lets in one at a time.
#   - The mutex is a word in memory. Who finds it free takes it, without the kernel. Who
#     doesn't sleeps in futex(2) until the owner gives it back: no spinning. With long
#     time slices (no --quantum) nobody ever meets anybody: count the futex lines.
#   - thread_join is a futex too: the kernel itself puts 0 into the thread's tid word
#     when it ends (CLONE_CHILD_CLEARTID), and wakes who sleeps there.
#   - exit ends one thread. exit_group ends all: the last thread here never gets on.
#
#   s0 counts threads    s1 the table of handles

    .include "syscalls.inc"
    .include "frame.inc"
    .equ THREADS, 4
    .equ ROUNDS, 250
    .equ HOLD, 50                   # instructions with the lock in hand, about

    .bss
    .balign 8
counter: .zero 8
mutex:   .zero 8
ready:   .zero 8
handles: .zero 8 * THREADS

    .text
    .globl  _start
_start:
    la      s1, handles
    li      s0, 0
start:
    la      a0, worker
    mv      a1, s0                  # a thread's number
    call    thread_create
    bltz    a0, failed
    sd      a0, 0(s1)
    addi    s1, s1, 8
    addi    s0, s0, 1
    li      t0, THREADS
    blt     s0, t0, start

    la      s1, handles
    li      s0, 0
join:
    ld      a0, 0(s1)
    call    thread_join
    mv      a2, a0
    mv      a1, s0
    la      a0, joined_line
    call    printf
    addi    s1, s1, 8
    addi    s0, s0, 1
    li      t0, THREADS
    blt     s0, t0, join

    ld      a1, counter
    la      a0, counter_line
    call    printf

    la      a0, endless
    li      a1, 0
    call    thread_create
    bltz    a0, failed
    la      a0, ready               # it has begun when this isn't 0
    li      a1, 0
    call    futex_wait
    la      a0, last_line
    call    printf
    li      a0, 0
    call    exit                    # exit_group: the endless thread too

# worker(number): counts. Returns its number times 100, plus 1 if pid and tid are as they should be.
worker:
    enter   2
    mv      s1, a0
    li      s0, ROUNDS
1:  la      a0, mutex
    call    mutex_lock
    ld      t0, counter             # read,
    li      t1, HOLD / 2
2:  addi    t1, t1, -1
    bnez    t1, 2b
    addi    t0, t0, 1               # change,
    la      t1, counter
    sd      t0, 0(t1)               # write: nobody came in between
    la      a0, mutex
    call    mutex_unlock
    addi    s0, s0, -1
    bnez    s0, 1b
    call    gettid
    mv      s0, a0
    call    getpid
    sub     s0, s0, a0
    snez    s0, s0                  # a thread that isn't the first: tid and pid differ
    li      t0, 100
    mul     a0, s1, t0
    add     a0, a0, s0
    leave   2

endless:
    li      t0, 1
    la      a0, ready
    sw      t0, 0(a0)
    li      a1, 1
    call    futex_wake
1:  call    sched_yield
    j       1b

failed:
    mv      a1, a0
    la      a0, create_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
joined_line:  .asciz "Thread %d has ended and returned %d.\n"
counter_line: .asciz "Together they have counted to %d.\n"
last_line:    .asciz "One thread runs for ever, but not longer than its process.\n"
create_name:  .asciz "thread_create"
