# pid_reuse: when a pid is given out again.
#
# Run it:        forkyard run --pid-max 12 programs/pid_reuse.s
# Compare:       forkyard run programs/pid_reuse.s
#
# A pid is a number, and numbers run out. The kernel hands them out upwards, and
# begins again at the bottom when it has come to the top: here 12, on Linux 32768 or
# 4194304 (/proc/sys/kernel/pid_max). A number that anybody still goes by is left out:
# a process, of course, but also a zombie, and a process group whose leader is gone.
#
# What to look for
#   - 1 is init, 2 is this program: both keep their numbers, the others go around.
#   - The pid of a child that ended, but that nobody has waited for, is left out. After
#     the wait it comes again. If it came earlier, kill(pid) could hit a stranger.
#   - The group's number is no process any more; its last member keeps it taken.
#
#   s0 a loop's counter   s1 the zombie, then the leader of the group   s2 its member

    .include "syscalls.inc"
    .equ    WEXITED, 4
    .equ    WNOWAIT, 0x1000000
    .equ    P_PID, 1

    .bss
    .balign 8
never:  .zero 8                     # a pipe that nobody writes to
byte:   .zero 8

    .text
    .globl  _start
_start:
    la      a0, never
    call    pipe

    la      a0, one_by_one
    call    puts_part
    li      s0, 12
    call    children

# --- a zombie keeps its number --------------------------------------------------
    call    fork
    beqz    a0, end_at_once
    mv      s1, a0
    li      a0, P_PID               # until it has ended, but without taking it away:
    mv      a1, s1
    li      a2, 0
    li      a3, WEXITED
    li      t0, WNOWAIT
    or      a3, a3, t0
    li      a4, 0
    li      a7, SYS_waitid
    ecall
    la      a0, zombie_line
    mv      a1, s1
    call    printf
    li      s0, 10
    call    children
    mv      a0, s1
    li      a1, 0
    li      a2, 0
    call    waitpid
    la      a0, reaped_line
    call    puts_part
    li      s0, 10
    call    children

# --- a process group keeps its number -------------------------------------------
    call    fork
    beqz    a0, sleep_for_ever
    mv      s1, a0
    mv      a1, a0                  # a group of its own, which it leads
    li      a7, SYS_setpgid
    ecall
    call    fork
    beqz    a0, sleep_for_ever
    mv      s2, a0
    mv      a1, s1                  # and another member
    li      a7, SYS_setpgid
    ecall
    mv      a0, s1
    call    end_it
    la      a0, group_line
    mv      a1, s1
    mv      a2, s2
    call    printf
    li      s0, 10
    call    children
    mv      a0, s2
    call    end_it
    la      a0, no_group_line
    call    puts_part
    li      s0, 10
    call    children
    li      a0, 0
    call    exit

# children: s0 children, one after the other, each waited for; their pids on a line.
children:
    addi    sp, sp, -16
    sd      ra, 8(sp)
1:  call    fork
    beqz    a0, end_at_once
    sd      a0, 0(sp)
    mv      a1, a0
    la      a0, pid_part
    call    printf
    ld      a0, 0(sp)
    li      a1, 0
    li      a2, 0
    call    waitpid
    addi    s0, s0, -1
    bnez    s0, 1b
    la      a0, line_end
    call    puts_part
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# end_it: SIGKILL for the child a0, and a wait for it.
end_it:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a0, 0(sp)
    li      a1, SIGKILL
    call    kill
    ld      a0, 0(sp)
    li      a1, 0
    li      a2, 0
    call    waitpid
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

puts_part:                          # a text without arguments, and no new line behind it
    j       printf

sleep_for_ever:
    lw      a0, never + 4           # only the first process keeps the writing end
    call    close
    lw      a0, never
    la      a1, byte
    li      a2, 1
    call    read
end_at_once:
    li      a0, 0
    call    exit

    .section .rodata
one_by_one:   .asciz "one child after the other:         "
zombie_line:  .asciz "while %d is a zombie:               "
reaped_line:  .asciz "now that it was waited for:        "
group_line:   .asciz "the group %d has a member, %d:       "
no_group_line:.asciz "now that the member is gone:       "
pid_part:     .asciz " %d"
line_end:     .asciz "\n"
