# 08_zombie: a process that has ended, but that nobody has asked about.
#
# Run it:        forkyard run programs/08_zombie.s
# Watch it:      forkyard trace --only process programs/08_zombie.s
#
# When a process ends, its memory is freed at once. But its exit code must be kept
# until the parent asks for it, and so must its pid: it stays in the process table
# as a zombie. Nothing is left in it that could run.
#
# What to look for
#   - kill with signal 0 sends nothing: it only asks whether a pid is in use. For a
#     zombie the answer is still yes.
#   - Not even SIGKILL removes a zombie. It can't be killed: it is dead.
#   - wait does remove it. After that the pid means nobody, and may be used again.
#   - How does the parent know that the child has ended, if it may not wait? By a
#     pipe: when its last writer is gone, a read finds the end of the file.
#
#   s0 the child's pid

    .include "syscalls.inc"

    .bss
    .balign 8
status: .zero 8
go:     .zero 8                     # a pipe: go[0] to read from, go[1] to write to; "you may end now"
life:   .zero 8                     # a pipe that nobody writes to: it ends when the child does
byte:   .zero 8

    .text
    .globl  _start
_start:
    la      a0, go
    call    pipe
    la      a0, life
    call    pipe
    call    fork
    beqz    a0, child
    bltz    a0, no_fork
    mv      s0, a0

    lw      a0, life + 4            # our own writing end would keep the pipe open
    call    close
    mv      a0, s0
    la      a1, status              # WNOHANG: don't wait for a child that lives
    li      a2, WNOHANG
    call    waitpid
    mv      a1, a0
    la      a0, alive_line
    call    printf

    lw      a0, go + 4              # let it end
    la      a1, byte
    li      a2, 1
    call    write
    lw      a0, life                # and wait until it has
    la      a1, byte
    li      a2, 1
    call    read
    mv      a1, a0
    la      a0, ended_line
    call    printf

    la      a0, zombie_line         # it can still be found...
    li      a1, 0
    call    try_kill
    la      a0, sigkill_line        # ...and can't be killed
    li      a1, SIGKILL
    call    try_kill

    mv      a0, s0                  # collect it
    la      a1, status
    li      a2, 0
    call    waitpid
    sub     a1, a0, s0              # 0: it was this pid
    seqz    a1, a1
    lw      a0, status
    call    exit_code
    mv      a2, a0
    la      a0, reaped_line
    call    printf

    la      a0, gone_line
    li      a1, 0
    call    try_kill
    li      a0, 0
    call    exit

child:
    lw      a0, go
    la      a1, byte
    li      a2, 1
    call    read                    # sleeps until the parent has written
    li      a0, 5
    call    exit

# try_kill(format, signal): kill(s0, signal), and what came of it.
try_kill:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a0, 0(sp)
    mv      a0, s0
    call    kill
    la      a1, fine
    beqz    a0, 1f
    call    error_text
    mv      a1, a0
1:  ld      a0, 0(sp)
    call    printf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
alive_line:   .asciz "The child runs: waitpid with WNOHANG says %d.\n"
ended_line:   .asciz "The child has ended: its pipe says %d.\n"
zombie_line:  .asciz "It is a zombie. Is its pid still in use? %s\n"
sigkill_line: .asciz "Does kill accept SIGKILL for it? %s, but it is dead already, and stays.\n"
reaped_line:  .asciz "waitpid has found it: %d. Its exit code: %d\n"
gone_line:    .asciz "Is its pid still in use? %s\n"
fine:         .asciz "yes"
fork_name:    .asciz "fork"
