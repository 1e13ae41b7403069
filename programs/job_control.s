# job_control: processes in groups, stopped and continued.
#
# Run it:        forkyard run programs/job_control.s
# Watch it:      forkyard trace --only signal,process programs/job_control.s
#
# You type  yes | wc  and press Ctrl-Z: both stop, although you have pressed one key.
# That is because the shell has put the two into one process group, a job. Signals can
# go to a whole group, and a process that is stopped isn't run until SIGCONT comes.
#
# What to look for
#   - kill(-group, signal) reaches every process of the group, and nobody else.
#   - wait tells of a child that ends. With WUNTRACED also of one that is stopped, with
#     WCONTINUED of one that goes on: that is how a shell knows.
#   - SIGSTOP can't be caught. SIGTSTP, which is what Ctrl-Z sends, could be.
#   - What comes to a stopped process waits, SIGTERM too. (Only SIGKILL doesn't.)
#   - A group is orphaned when nobody is left who would continue it: no member has a
#     parent outside of the group, but in its session. If the end of a process does that
#     to a group with a stopped member, the kernel sends SIGHUP and SIGCONT to the group:
#     otherwise it would stand still for ever. And Ctrl-Z doesn't stop it any more.
#
#   s0 the first process of the job, whose pid is the group's number   s1 the second

    .include "syscalls.inc"

    .bss
    .balign 8
status: .zero 8
life:   .zero 8                     # a pipe that ends when all who have it have ended
byte:   .zero 8

    .text
    .globl  _start
_start:
    call    fork                    # --- a job of two processes
    beqz    a0, first
    mv      s0, a0
    li      a1, 0
    call    setpgid                 # we do it and the child does it: it is done before either goes on
    call    fork
    beqz    a0, second
    mv      s1, a0
    mv      a1, s0
    call    setpgid
    call    show_groups

    la      a0, stop_line           # --- stop it, and let it go on
    li      a1, SIGSTOP
    call    signal_group
    li      a0, WUNTRACED
    call    wait_for_both
    la      a0, continue_line
    li      a1, SIGCONT
    call    signal_group
    li      a0, WCONTINUED
    call    wait_for_both

    la      a0, tstp_line           # --- stopped, it doesn't even end
    li      a1, SIGTSTP
    call    signal_group
    li      a0, WUNTRACED
    call    wait_for_both
    la      a0, term_line
    li      a1, SIGTERM
    call    signal_group
    neg     a0, s0                  # any child in this group
    la      a1, status
    li      a2, WNOHANG | WUNTRACED
    call    waitpid
    mv      a1, a0
    la      a0, nothing_line
    call    printf
    la      a0, continue_line
    li      a1, SIGCONT
    call    signal_group
    li      a0, 0
    call    wait_for_both
    neg     a0, s0
    li      a1, 0
    call    kill
    call    error_text
    mv      a1, a0
    la      a0, gone_line
    call    printf

    la      a0, life                # --- an orphaned group
    call    pipe
    call    fork
    beqz    a0, leader
    lw      a0, life + 4
    call    close
    lw      a0, life
    la      a1, byte
    li      a2, 1
    call    read                    # nothing comes: until both have ended
    li      a0, 0
    call    wait
    la      a0, end_line
    call    puts
    li      a0, 0
    call    exit

# The two processes of the job: each comes into the group, and sleeps for ever.
first:
    li      a0, 0
    li      a1, 0
    call    setpgid                 # a group of its own
    j       sleep
second:
    li      a0, 0
    mv      a1, s0
    call    setpgid
sleep:
    li      a0, 0
    call    sigsuspend
    j       sleep

# The leader of another session, with one child in a group of its own. When the child
# has stopped it ends, and leaves it so.
leader:
    call    setsid
    call    fork
    beqz    a0, member
    mv      s0, a0
    li      a1, WUNTRACED
    la      a2, leader_name
    call    wait_and_tell
    li      a0, 0
    call    exit

member:
    li      a0, 0
    li      a1, 0
    call    setpgid
    li      a0, SIGHUP
    la      a1, hung_up
    li      a2, 0
    call    sigaction
    call    getpid
    li      a1, SIGSTOP
    call    kill
    j       sleep                   # not reached: SIGHUP comes with SIGCONT

hung_up:                            # the handler
    la      a0, hung_up_line
    call    puts
    call    getpid
    li      a1, SIGTSTP
    call    kill                    # in any other group this would stop us here
    la      a0, orphan_line
    call    puts
    li      a0, 0
    call    exit

# show_groups(): who is in which.
show_groups:
    addi    sp, sp, -32
    sd      ra, 24(sp)
    mv      a0, s0
    call    getpgid
    sub     a0, a0, s0
    seqz    a0, a0
    sd      a0, 0(sp)
    mv      a0, s1
    call    getpgid
    sub     a0, a0, s0
    seqz    a0, a0
    sd      a0, 8(sp)
    li      a0, 0
    call    getpgid
    sub     a3, a0, s0
    seqz    a3, a3
    ld      a1, 0(sp)
    ld      a2, 8(sp)
    la      a0, groups_line
    call    printf
    ld      ra, 24(sp)
    addi    sp, sp, 32
    ret

# signal_group(line, signal): says so, and sends it to the group s0.
signal_group:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a1, 0(sp)
    call    puts
    neg     a0, s0
    ld      a1, 0(sp)
    call    kill
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# wait_for_both(options): what has become of the first, and then of the second.
wait_for_both:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a0, 0(sp)
    mv      a1, a0
    mv      a0, s0
    la      a2, first_name
    call    wait_and_tell
    mv      a0, s1
    ld      a1, 0(sp)
    la      a2, second_name
    call    wait_and_tell
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# wait_and_tell(pid, options, name): waitpid, and what its status word says.
wait_and_tell:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a2, 0(sp)
    mv      a2, a1
    la      a1, status
    call    waitpid
    ld      a1, 0(sp)
    lw      a0, status
    la      a3, continued_line
    li      t0, 0xffff
    beq     a0, t0, 2f
    call    stop_signal
    la      a3, stopped_line
    bnez    a0, 1f
    lw      a0, status
    call    end_signal
    la      a3, ended_line
1:  mv      a4, a1
    call    signal_name
    mv      a2, a0
    mv      a1, a4
2:  mv      a0, a3
    call    printf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

    .section .rodata
groups_line:    .asciz "In the job's group: the first %d, the second %d, their parent %d.\n"
stop_line:      .asciz "SIGSTOP to the group:\n"
continue_line:  .asciz "SIGCONT to the group:\n"
tstp_line:      .asciz "SIGTSTP to the group, as Ctrl-Z does it:\n"
term_line:      .asciz "SIGTERM to the group:\n"
first_name:     .asciz "first"
second_name:    .asciz "second"
leader_name:    .asciz "leader's child"
stopped_line:   .asciz "    the %s is stopped by %s\n"
continued_line: .asciz "    the %s goes on\n"
ended_line:     .asciz "    the %s was ended by %s\n"
nothing_line:   .asciz "    nothing: waitpid with WNOHANG says %d\n"
gone_line:      .asciz "Is anybody left in the group? %s\n"
hung_up_line:   .asciz "The leader has ended. Its child gets SIGHUP, and it runs: SIGCONT has come, too.\n"
orphan_line:    .asciz "SIGTSTP doesn't stop it any more: nobody could continue it.\n"
end_line:       .asciz "And it has ended.\n"
