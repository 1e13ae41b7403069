# family: a parent, a child and a grandchild. Everything a process does in its life.
#
# Run it:        forkyard run programs/family.s
# Watch it:      forkyard trace programs/family.s
#
# The life of a process has four steps, and each has its system call:
#
#     fork    a process makes a copy of itself: the child
#     exec    the child turns into another program (if it wants to)
#     exit    it ends and leaves an exit code
#     wait    its parent collects that code; only then is it wholly gone
#
# What to look for
#   - fork is called once and returns twice. Both processes go on at the same
#     instruction; only the number in a0 differs: 0 in the child, the child's
#     pid in the parent.
#   - `value` is one variable at one address, and yet three processes see three
#     different contents. After fork they share the page it lies in, until one
#     of them writes: then the hardware traps, and the kernel gives the writer a
#     copy of that page. In the trace this is the line "cow-copy" (COW: copy on write).
#   - No line comes out of order, although three processes write: each parent
#     waits for its child before it goes on. That is what wait is for.
#
# Who is who:
#
#     parent ---fork---> child ---fork---> grandchild ---exec---> /bin/echo
#       value 1            value 2           value 3
#
#   s0 the pid of the process before the fork, to compare with getppid

    .include "syscalls.inc"

    .data                           # globals: memory that can be written
    .balign 8
value:  .dword 1

    .bss
    .balign 8
status: .zero 8                     # wait puts the status word here

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments               # remembers the environment, for exec
    la      a0, parent_begins
    ld      a1, value
    call    printf

    call    getpid
    mv      s0, a0
    call    fork
    beqz    a0, child               # here are two processes: the child jumps away

# --- the parent ---------------------------------------------------------------
    bltz    a0, no_fork
    la      a0, status
    call    wait                    # sleeps until the child has ended
    lw      a0, status
    call    exit_code
    mv      a1, a0
    la      a0, parent_collects
    call    printf
    la      a0, parent_ends
    ld      a1, value               # untouched: the others wrote into copies
    call    printf
    li      a0, 0
    call    exit

# --- the child ----------------------------------------------------------------
child:
    call    getppid
    mv      a1, s0                  # s0 was copied too: the registers are part of a process
    la      a2, child_knows_parent
    call    say_relation
    la      a0, child_begins
    ld      a1, value
    call    printf

    li      t0, 2                   # the first write: from here on the page is our own
    sd      t0, value, t1
    la      a0, child_writes
    ld      a1, value
    call    printf

    call    getpid
    mv      s0, a0
    call    fork
    beqz    a0, grandchild
    bltz    a0, no_fork
    la      a0, status
    call    wait
    lw      a0, status
    call    exit_code
    mv      a1, a0
    la      a0, child_collects
    call    printf
    la      a0, child_ends
    ld      a1, value
    call    printf
    li      a0, 42
    call    exit

# --- the grandchild -----------------------------------------------------------
grandchild:
    call    getppid
    mv      a1, s0
    la      a2, grandchild_knows_parent
    call    say_relation
    li      t0, 3
    sd      t0, value, t1
    la      a0, grandchild_writes
    ld      a1, value
    call    printf

    la      a0, echo_path           # become another program: everything here is forgotten,
    la      a1, echo_name           # `value` too; the pid and the parent stay
    la      a2, echo_text
    li      a3, 0
    call    execl
    mv      a1, a0                  # only a failed exec gets here
    la      a0, echo_path
    call    perror
    li      a0, 127
    call    exit

# say_relation(pid, expected, format): prints the format with yes or no for %s.
say_relation:
    la      t0, yes
    beq     a0, a1, 1f
    la      t0, no
1:  mv      a0, a2
    mv      a1, t0
    tail    printf

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

    .section .rodata                # constants: shared by all three for ever
parent_begins:           .asciz "parent:     I begin, value is %d\n"
child_knows_parent:      .asciz "child:      is my parent the one who forked me? %s\n"
child_begins:            .asciz "child:      I see what my parent had, value is %d\n"
child_writes:            .asciz "child:      I have written, value is %d\n"
grandchild_knows_parent: .asciz "grandchild: is my parent the one who forked me? %s\n"
grandchild_writes:       .asciz "grandchild: I have written, value is %d\n"
echo_path:               .asciz "/bin/echo"
echo_name:               .asciz "echo"
echo_text:               .asciz "grandchild: I am another program now: echo"
child_collects:          .asciz "child:      my child has ended, its exit code is %d\n"
child_ends:              .asciz "child:      I still have my own, value is %d\n"
parent_collects:         .asciz "parent:     my child has ended, its exit code is %d\n"
parent_ends:             .asciz "parent:     and I still have mine, value is %d\n"
yes:                     .asciz "yes"
no:                      .asciz "no"
fork_name:               .asciz "fork"
