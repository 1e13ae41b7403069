# subreaper: a process that takes in the orphans below it.
#
# Run it:        forkyard run programs/subreaper.s
# Watch it:      forkyard trace --only process programs/subreaper.s
#
# Orphans go to init (09_orphan.s). But a program that starts others, like a shell's
# service manager, may want to hear of all that become of them: their children, and
# their children's children. It says so with prctl(PR_SET_CHILD_SUBREAPER): whoever
# loses his parent below it comes to it, as its own child.
#
# What to look for
#   - "its parent is the subreaper", although three generations lie between them.
#   - It waits for the orphan, and gets its exit code. Without prctl: "no child".
#   - When it isn't a subreaper any more, the next orphan goes to init.
#
#     init --- me --- parent --- child --- grandchild
#     init --- me --- grandchild             when parent and child have ended
#
#   s0 my pid   s1 in the grandchild: who its parent is

    .include "syscalls.inc"
    .equ    PR_SET_CHILD_SUBREAPER, 36

    .bss
    .balign 8
life:   .zero 8                     # a pipe that is open for writing as long as parent or child lives
hands:  .zero 8                     # a pipe that ends with the grandchild
byte:   .zero 8
status: .zero 8

    .text
    .globl  _start
_start:
    call    getpid
    mv      s0, a0
    li      a0, 1
    call    be_subreaper
    call    family
    li      a0, 0
    call    be_subreaper
    call    family
    li      a0, 0
    call    exit

be_subreaper:                       # a0: 1 or 0
    mv      a1, a0
    li      a0, PR_SET_CHILD_SUBREAPER
    li      a7, SYS_prctl
    ecall
    ret

# family: a child that has a child that has a child; the two in between end at once.
family:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    la      a0, life
    call    pipe
    la      a0, hands
    call    pipe
    call    fork
    beqz    a0, parent
    lw      a0, life + 4
    call    close
    lw      a0, hands + 4
    call    close
    lw      a0, hands
    la      a1, byte
    li      a2, 1
    call    read                    # nothing comes: until the last of them has ended
    lw      a0, hands
    call    close
    lw      a0, life
    call    close

1:  la      a0, status
    call    wait
    bltz    a0, 3f
    lw      a0, status
    call    exit_code
    li      t0, 7
    bne     a0, t0, 1b              # the parent's end, which is no news
    mv      a1, a0
    la      a0, waited_line
    call    printf
    j       1b
3:  call    error_text
    mv      a1, a0
    la      a0, no_child_line
    call    printf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

parent:
    call    fork
    beqz    a0, child
    li      a0, 0
    call    wait                    # so that the child's end is wholly over
    li      a0, 0
    call    exit
child:
    call    fork
    beqz    a0, grandchild
    li      a0, 0
    call    exit

grandchild:
    lw      a0, life + 4
    call    close
    lw      a0, life
    la      a1, byte
    li      a2, 1
    call    read                    # until nobody has the writing end: parent and child have ended
    call    getppid
    mv      s1, a0
    la      a0, mine_line
    beq     s1, s0, 1f
    la      a0, init_line
    li      t0, 1
    beq     s1, t0, 1f
    la      a0, other_line
1:  call    puts
    li      a0, 7
    call    exit

    .section .rodata
mine_line:    .asciz "the grandchild: my parent is the subreaper\n"
init_line:    .asciz "the grandchild: my parent is init\n"
other_line:   .asciz "the grandchild: my parent is somebody else\n"
waited_line:  .asciz "the subreaper: I have waited for it; its exit code is %d\n"
no_child_line:.asciz "and then: %s\n"
