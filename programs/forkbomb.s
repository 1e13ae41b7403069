# forkbomb: makes processes until the machine refuses, and then cleans up.
#
# Run it:        forkyard run --max-procs 100 programs/forkbomb.s
#
# (Here only, not on the computer you work on: there it would be your own processes
# that find no room any more.)
#
# A process costs the kernel memory and a pid, so there is a limit to their number.
# fork then fails, and says so: EAGAIN, "try again later". A program that doesn't
# look at fork's answer would go on as if it had a child with the pid -11.
#
# What to look for
#   - Init and this program count too: with --max-procs 100 there are 98 children.
#   - Every child waits in a read that never ends. SIGKILL ends each of them.
#   - As zombies they still take up their places: fork works again only after wait.
#
#   s0 how many children there are   s1 the error of fork   s2 how many were reaped

    .include "syscalls.inc"
    .equ    MOST, 30000             # enough for any limit that one would set

    .bss
    .balign 8
never:  .zero 8                     # a pipe that nobody writes to
byte:   .zero 8
status: .zero 8
pids:   .zero 4 * MOST

    .text
    .globl  _start
_start:
    la      a0, never
    call    pipe
    li      s0, 0
1:  call    fork
    beqz    a0, child
    bltz    a0, refused
    la      t0, pids
    slli    t1, s0, 2
    add     t0, t0, t1
    sw      a0, 0(t0)
    addi    s0, s0, 1
    li      t0, MOST
    bltu    s0, t0, 1b
    la      a0, no_limit
    call    puts
    li      s1, 0
    j       clean_up

refused:
    mv      s1, a0
    call    error_text
    mv      a1, a0
    la      a0, refused_line
    call    printf
    la      a0, made_line
    mv      a1, s0
    call    printf

clean_up:
    mv      s3, s0
    la      s4, pids
2:  beqz    s3, 3f
    lw      a0, 0(s4)
    li      a1, SIGKILL
    call    kill
    addi    s4, s4, 4
    addi    s3, s3, -1
    j       2b
3:  li      s2, 0
4:  la      a0, status
    call    wait
    bltz    a0, 5f
    lw      a0, status
    call    end_signal
    li      t0, SIGKILL
    bne     a0, t0, 4b
    addi    s2, s2, 1
    j       4b
5:  la      a0, reaped_line
    mv      a1, s2
    call    printf

    call    fork                    # there is room again
    beqz    a0, 6f
    bltz    a0, refused_again
    li      a0, 0
    call    wait
    la      a0, again_line
    call    puts
6:  li      a0, 0
    call    exit
refused_again:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

child:
    lw      a0, never + 4           # only the parent keeps the writing end: while it lives, ...
    call    close
    lw      a0, never               # ... this read doesn't end
    la      a1, byte
    li      a2, 1
    call    read
    li      a0, 0
    call    exit

    .section .rodata
refused_line: .asciz "fork has failed: %s\n"
made_line:    .asciz "there are %d children; each of them waits\n"
reaped_line:  .asciz "%d children were ended by SIGKILL, and collected\n"
again_line:   .asciz "fork works again\n"
no_limit:     .asciz "no limit found: I stop by myself\n"
fork_name:    .asciz "fork"
