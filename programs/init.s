# init: the first process, pid 1. It is the ancestor of all others.
#
# The kernel makes every process by copying another one, except the first: that
# one it makes by hand at boot, and the program it runs is this.
#
# See it work:   forkyard trace --only process programs/09_orphan.s
#
# What init does
#   1. It starts the main program: the one named by its own arguments.
#   2. It waits, again and again. Its children are the main program and every
#      orphan: a process whose parent ends first is given to pid 1, because
#      somebody has to ask how it ended. Otherwise it would stay a zombie.
#   3. When it has no children left (ECHILD), it ends, with the status of the
#      main program: its exit code, 128 + N if signal N ended it, 127 if it wasn't
#      found, 126 if it couldn't be run.
#
#   s0 argv of the main program   s1 its pid   s2 its status

    .include "syscalls.inc"
    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    addi    s0, a1, 8               # argv[1]: the main program
    ld      t0, 0(s0)
    bnez    t0, start_main
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit

start_main:
    call    fork
    beqz    a0, become_main
    bltz    a0, no_fork
    mv      s1, a0
    li      s2, 0

reap:                               # one turn for each child that ends
    addi    sp, sp, -16
    mv      a0, sp
    call    wait
    lw      t1, 0(sp)
    addi    sp, sp, 16
    bltz    a0, no_child_left
    bne     a0, s1, reap            # an orphan: nobody wants its status
    mv      a0, t1
    call    shell_status
    mv      s2, a0
    j       reap

no_child_left:                      # the error is ECHILD: without handlers nothing else can be
    mv      a0, s2
    call    exit

# The child: turn into the main program. A path is taken as it is, a bare name is
# looked for in PATH. exec returns only if it failed.
become_main:
    ld      a0, 0(s0)
    mv      a1, s0
    call    execvp                  # with a "/" in the name: execve, with our own environment
    mv      s3, a0
    call    error_text
    mv      a3, a0
    ld      a2, 0(s0)
    la      a1, exec_text
    li      a0, STDERR
    call    dprintf
    li      a0, 127
    li      t0, -ENOENT
    beq     s3, t0, 1f
    li      a0, 126
1:  call    exit

no_fork:
    mv      a1, a0
    la      a0, fork_text
    call    perror
    li      a0, 126
    call    exit

    .section .rodata
usage:     .asciz "init: no program to start. Use: init PROGRAM [ARGUMENT...]\n"
fork_text: .asciz "init: fork"
exec_text: .asciz "init: cannot run %s: %s\n"
