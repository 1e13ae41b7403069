# exec: one process, several programs.
#
# Run it:        forkyard run programs/exec.s
# Watch it:      forkyard trace programs/exec.s
#
# exec makes no process. It gives the one that calls it a new program: new machine
# code, new data, a new stack, and argv and envp on it. What belongs to the process
# stays: its pid, its parent, its open files, its current directory.
#
# What to look for
#   - This program runs *itself* again and again: argv[1] says which turn it is.
#     The pid is the same in every turn; the variable `turns` is 1 every time, since
#     each exec brings the fresh data of the file.
#   - An exec that fails changes nothing: it returns, and the program goes on.
#   - A descriptor stays open across exec, unless it was opened with O_CLOEXEC.
#   - The usual pair: fork, and exec in the child. That is how a shell runs a program.
#
#   s0 argc   s1 argv   s2 the turn

    .include "syscalls.inc"
    .data
    .balign 8
turns:  .dword 0

    .bss
    .balign 8
status: .zero 8
text:   .zero 32                    # argv[2] of the next turn: our pid in digits

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    mv      s0, a0
    mv      s1, a1

    ld      t0, turns               # counts the turns, in vain
    addi    t0, t0, 1
    sd      t0, turns, t1

    li      s2, 1                   # without arguments this is the first turn
    li      t0, 3
    bltu    s0, t0, first_turn
    ld      a0, 8(s1)
    call    atoi
    mv      s2, a0
    li      t0, 2
    beq     s2, t0, second_turn
    j       third_turn

# --- the first turn: a failed exec, then exec of ourselves ----------------------
first_turn:
    la      a0, turn_line
    mv      a1, s2
    ld      a2, turns
    la      a3, not_asked
    call    printf

    la      a0, missing_path
    la      a1, missing_path
    li      a2, 0
    call    execl
    call    error_text
    mv      a1, a0
    la      a0, failed_line
    call    printf

    la      a0, first_path          # two files, descriptors 3 and 4: one closes at exec
    li      a1, O_RDONLY
    call    open
    la      a0, first_path
    li      a1, O_RDONLY | O_CLOEXEC
    call    open

    call    getpid
    la      a1, text
    call    decimal
    la      a0, own_path
    la      a1, own_path
    la      a2, two
    la      a3, text
    li      a4, 0
    call    execl
    j       failed

# --- the second turn: the same process --------------------------------------------
second_turn:
    call    say_turn
    li      a0, 3
    la      a1, kept_line
    call    say_open
    li      a0, 4
    la      a1, closed_line
    call    say_open
    la      a0, own_path
    la      a1, own_path
    la      a2, three
    ld      a3, 16(s1)
    li      a4, 0
    call    execl
    j       failed

# --- the third turn: fork and exec ------------------------------------------------
third_turn:
    call    say_turn
    call    fork
    beqz    a0, child
    bltz    a0, failed
    la      a0, status
    call    wait
    lw      a0, status
    call    exit_code
    mv      a1, a0
    la      a0, child_line
    call    printf
    li      a0, 0
    call    exit
child:
    la      a0, false_name          # no "/": execvp looks in the directories of PATH
    la      a1, false_argv
    call    execvp

failed:
    mv      a1, a0
    la      a0, exec_name
    call    perror
    li      a0, 127
    call    exit

# say_turn(): which turn, and whether the pid is that of argv[2].
say_turn:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      s3, 0(sp)
    ld      a0, 16(s1)
    call    atoi
    mv      s3, a0
    call    getpid
    la      a3, yes
    beq     a0, s3, 1f
    la      a3, no
1:  la      a0, turn_line
    mv      a1, s2
    ld      a2, turns
    call    printf
    ld      s3, 0(sp)
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# say_open(fd, format): is this descriptor open? close can tell.
say_open:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a1, 0(sp)
    call    close
    la      a1, yes
    beqz    a0, 1f
    la      a1, no
1:  ld      a0, 0(sp)
    call    printf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# decimal(number, buffer): the number in digits, and a 0 after them.
#   in: a0, a1    changes: t0-t3
decimal:
    li      t0, 10
    mv      t1, a0                  # how long will it be?
1:  addi    a1, a1, 1
    divu    t1, t1, t0
    bnez    t1, 1b
    sb      zero, 0(a1)
2:  remu    t2, a0, t0              # the last digit first
    divu    a0, a0, t0
    addi    t2, t2, '0'
    addi    a1, a1, -1
    sb      t2, 0(a1)
    bnez    a0, 2b
    ret

    .section .rodata
    .balign 8
false_argv:   .dword false_name, 0
own_path:     .asciz "/bin/exec"
first_path:   .asciz "/bin/hello"
missing_path: .asciz "/bin/no-such-program"
false_name:   .asciz "false"
exec_name:    .asciz "exec: fork or exec failed"
two:          .asciz "2"
three:        .asciz "3"
turn_line:    .asciz "turn %d: turns is %d, the same pid as before? %s\n"
failed_line:  .asciz "exec of a file that isn't there: %s; nothing has changed\n"
kept_line:    .asciz "is descriptor 3 still open? %s\n"
closed_line:  .asciz "is descriptor 4 (O_CLOEXEC) still open? %s\n"
child_line:   .asciz "a child ran false, its exit code is %d\n"
not_asked:    .asciz "(there was none)"
yes:          .asciz "yes"
no:           .asciz "no"
