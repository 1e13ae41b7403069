# 02_tasks: a process is no more than its pid; what runs are its tasks.
#
# Run it:        forkyard run programs/02_tasks.s
# Watch it:      forkyard trace --only process,sched programs/02_tasks.s
#
# A thread is a task, and so is the one with which a process begins. The tasks of one
# process have one memory: in the kernel they all point to the same address space
# (Linux calls it mm_struct). Each has registers and a stack of its own, and a number,
# its tid. The pid is the tid of the first of them: that is all that a process adds.
#
# Both thread and process are made by one system call, clone. What its flags name is
# shared with the caller; what they don't is copied. fork is clone without any flag.
#
# What to look for
#   - Two threads and their maker: one pid, three tids, three stacks.
#   - What a thread adds to `sum` is there for all. What a forked child adds is not: it
#     has a copy of the memory, and another pid.
#   - Threads that add to one word at the same time need `amoadd`: with load, add and
#     store another thread could come between.
#   - Each has its own end: `exit` ends a task, `exit_group` the whole process.
#
#   s0 the thread   s1 its results

    .include "syscalls.inc"
    .include "frame.inc"
    .equ    THREADS, 2
    .equ    STACK, 4096
    .equ    THREAD, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_THREAD

    .bss
    .balign 16
stacks: .zero THREADS * STACK
done:   .zero 8                     # a pipe: each thread says a byte when it has finished
byte:   .zero 8
sum:    .zero 8
found:  .zero THREADS * 32          # of each thread: pid, tid, stack pointer

    .text
    .globl  _start
_start:
    la      a0, done
    call    pipe
    li      s0, 0
1:  call    start_thread
    addi    s0, s0, 1
    li      t0, THREADS
    bltu    s0, t0, 1b
    lw      a0, done                # waits for both: one process, one table of files
    la      a1, byte
    li      a2, 1
    call    read
    lw      a0, done
    la      a1, byte
    li      a2, 1
    call    read

    li      s0, 0
2:  call    tell
    addi    s0, s0, 1
    li      t0, THREADS
    bltu    s0, t0, 2b
    la      a0, sum_line
    ld      a1, sum
    call    printf

    call    fork                    # and now a process
    bnez    a0, 3f
    li      a0, 100
    call    add
    la      a0, child_line
    ld      a1, sum
    call    printf
    li      a0, 0
    call    exit
3:  li      a0, 0
    call    wait
    la      a0, sum_line
    ld      a1, sum
    call    printf
    li      a0, 0
    call    exit

# start_thread: the thread number s0.
start_thread:
    enter   0
    la      a0, thread
    la      a1, stacks + STACK      # its end: stacks grow down
    li      t0, STACK
    mul     t0, t0, s0
    add     a1, a1, t0
    li      a2, THREAD
    mv      a3, s0                  # what `thread` finds in a0
    call    clone
    bltz    a0, failed
    leave   0

# thread(number): what each thread does, on its own stack.
thread:
    enter   1
    slli    s1, a0, 5
    la      t0, found
    add     s1, s1, t0
    call    getpid
    sd      a0, 0(s1)
    call    gettid
    sd      a0, 8(s1)
    sd      sp, 16(s1)
    li      a0, 1
    call    add
    lw      a0, done + 4
    la      a1, byte
    li      a2, 1
    call    write
    leave   1

# add(number): to `sum`, in one step that nobody can come between.
add:
    la      t0, sum
    amoadd.d zero, a0, (t0)
    ret

# tell: what thread s0 has found, compared with the first task. The numbers themselves differ from run to run.
tell:
    enter   2
    slli    s1, s0, 5
    la      t0, found
    add     s1, s1, t0
    call    getpid
    ld      t0, 0(s1)
    sub     a2, a0, t0
    seqz    a2, a2                  # the same pid?
    call    gettid
    ld      t0, 8(s1)
    sub     a3, a0, t0
    snez    a3, a3                  # another tid?
    ld      t0, 16(s1)
    la      t1, stacks
    sub     t0, t0, t1
    li      t1, STACK
    divu    t0, t0, t1
    sub     a4, t0, s0
    seqz    a4, a4                  # its own part of `stacks`?
    addi    a1, s0, 1
    la      a0, thread_line
    call    printf
    leave   2

failed:
    mv      a1, a0
    la      a0, clone_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
thread_line: .asciz "thread %d: the pid is that of all: %d; the tid is its own: %d; so is the stack: %d\n"
sum_line:    .asciz "sum: %d\n"
child_line:  .asciz "  a child process finds the sum of its copy: %d\n"
clone_name:  .asciz "clone"
