# sh: a small shell. It shows what fork, exec, wait, pipe and dup2 are for.
#
# Run it:        forkyard run programs/sh.s -c 'echo hello | wc -c'
#                forkyard run programs/sh.s SCRIPT [ARGUMENT...]
#                forkyard run programs/sh.s -i
# Watch it:      forkyard trace --only process,syscall programs/sh.s -c 'echo hello | wc -c'
#
# What it understands
#     command arg 'as it is' "with $NAME" \x     words, quotes
#     a | b     a > file   >> file   < file   2> file   2>&1
#     a ; b     a && b     a || b     ! a        one after the other; if it worked; if not
#     a &       ( a ; b )                        in the background; in a shell of its own
#     NAME=value   $NAME ${NAME}   $? $$ $! $#   $0 ... $9 $@ $*
#     # comment; lines go on after a \, an open quote or bracket, |, && and ||
#     jobs   fg %1   bg %1   Ctrl-C, Ctrl-Z      at a terminal: job control
#     cd exec exit export help unset wait :      done by the shell itself: see builtins.inc
#
# There is no if, while, $( ) or *.s: what a shell needs to show processes, and no more.
#
# How it works, and where to read on
#     sh.s            this file: options, and the loop: read a command, run it
#     sh/input.inc    bytes, from a script, standard input or -c
#     sh/tokens.inc   bytes become tokens: words and operators
#     sh/parse.inc    tokens become a tree: (pipe (command echo hello) (command wc -c))
#     sh/memory.inc, sh/variables.inc   space for all that; NAME=value
#     sh/expand.inc   words get their values: quotes go, $NAME is replaced
#     sh/run.inc      the tree is run: here are exec, pipe and dup2
#     sh/jobs.inc     what was started and what became of it: here are fork and waitpid
#     sh/terminal.inc process groups, and which of them has the terminal; jobs, fg, bg
#     sh/text.inc     the tree as text again, for jobs
#     sh/builtins.inc what can't be done in a child: changing the shell itself
#
# Exit status: that of the last command; 127 if a command wasn't found, 126 if it
# couldn't be run, 128 + N if signal N ended it, 2 for a syntax error.

    .include "syscalls.inc"
    .include "frame.inc"
    .include "sh/memory.inc"
    .include "sh/input.inc"
    .include "sh/tokens.inc"
    .include "sh/parse.inc"
    .include "sh/variables.inc"
    .include "sh/expand.inc"
    .include "sh/run.inc"
    .include "sh/jobs.inc"
    .include "sh/terminal.inc"
    .include "sh/text.inc"
    .include "sh/builtins.inc"

    .bss
    .balign 8
interactive:   .zero 8              # 1 with -i: prompts, and errors don't end the shell
last_status:   .zero 8              # $?
last_pid:      .zero 8              # $!
shell_pid:     .zero 8              # $$
parameters:    .zero 8              # a pointer to $0, $1, ...; a 0 ends them
only_name:     .zero 16             # $0 and that 0, when there are no arguments
recovery:      .zero 8              # sp in the main loop, for syntax errors

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    mv      s0, a0                  # s0: argc
    mv      s1, a1                  # s1: argv
    call    copy_environment
    call    getpid
    sd      a0, shell_pid, t0
    ld      t0, 0(s1)
    la      t1, only_name
    sd      t0, 0(t1)
    sd      t1, parameters, t0

    ld      s2, 8(s1)               # s2: argv[1]
    beqz    s2, from_stdin
    mv      a0, s2
    la      a1, option_i
    call    strcmp
    beqz    a0, be_interactive
    mv      a0, s2
    la      a1, option_c
    call    strcmp
    beqz    a0, from_string
    lbu     t0, 0(s2)
    li      t1, '-'
    beq     t0, t1, bad_usage

    addi    s1, s1, 8               # sh SCRIPT...: $0 is the script
    sd      s1, parameters, t0
    mv      a0, s2
    li      a1, O_RDONLY | O_CLOEXEC
    call    open
    bltz    a0, no_script
    li      a1, INPUT_BUFFER        # nobody else reads from it: take as much as fits
    call    read_from_file
    j       main_loop

from_string:
    ld      a0, 16(s1)
    beqz    a0, bad_usage
    call    read_from_string
    ld      t0, 24(s1)              # sh -c COMMANDS [NAME [ARGUMENT...]]: $0, $1, ...
    beqz    t0, main_loop
    addi    s1, s1, 24
    sd      s1, parameters, t0
    j       main_loop

be_interactive:
    li      t0, 1
    sd      t0, interactive, t1
    call    begin_job_control
from_stdin:
    li      a0, STDIN
    li      a1, 1                   # byte by byte: what we don't read is for our children
    call    read_from_file

# One turn for each complete command: a line, or more if it goes on.
main_loop:
    sd      sp, recovery, t0
    call    restore                 # redirects of a command that was left in the middle
    call    reset_arena
    ld      t0, job_control
    beqz    t0, 1f
    li      a0, STDERR
    li      a1, 0
    call    tell_jobs
1:
    call    parse_complete
    beqz    a1, end_of_input
    beqz    a0, main_loop           # an empty line
    call    run
    j       main_loop

end_of_input:
    ld      a0, last_status
leave_shell:                        # a0: the exit status
    mv      s0, a0
    call    end_job_control
    mv      a0, s0
    call    exit

# syntax_error(): tokens.inc and parse.inc jump here, from any depth. The message is out.
syntax_error:
    ld      sp, recovery
    call    getpid
    ld      t0, shell_pid
    mv      t1, a0
    li      a0, 2
    bne     t0, t1, leave_shell     # a child of the shell has no main loop to go back to
    mv      t0, a0
    sd      t0, last_status, t1
    ld      t0, interactive
    beqz    t0, end_of_input
    call    skip_line
    j       main_loop

# interrupted(): Ctrl-C. jobs.inc and input.inc jump here: the line is forgotten.
interrupted:
    ld      sp, recovery
    la      a1, new_line
    li      a0, STDERR
    call    dprintf
    li      t0, 128 + SIGINT
    sd      t0, last_status, t1
    call    forget_line
    j       main_loop

bad_usage:
    la      a1, usage
    li      a0, STDERR
    call    dprintf
    li      a0, 2
    call    exit
no_script:
    mv      s3, a0
    mv      a1, s2
    call    complain
    li      a0, 127
    li      t0, -ENOENT
    beq     s3, t0, 1f
    li      a0, 126
1:  call    exit

# complain(error, what): "sh: WHAT: ERROR" to standard error.    in: a0 = -errno, a1
complain:
    enter   1
    mv      s0, a1
    call    error_text
    mv      a3, a0
    mv      a2, s0
    la      a1, complaint
    li      a0, STDERR
    call    dprintf
    leave   1

    .section .rodata
option_c:  .asciz "-c"
option_i:  .asciz "-i"
complaint: .asciz "sh: %s: %s\n"
usage:     .asciz "usage: sh [-i | -c COMMANDS [NAME [ARGUMENT...]] | SCRIPT [ARGUMENT...]]\n"
