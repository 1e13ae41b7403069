# signal_name: signals as people write them.
    .include "syscalls.inc"
    .text

# signal_name(signal): a string such as "SIGSEGV".
#   in: a0 = the signal's number    out: a0    changes: a1, t0
    .globl signal_name
signal_name:
    la      a1, signal_table
    tail    find_text

    .section .rodata
    .globl signal_table
signal_table:                       # as find_text (error.s) reads it
    .byte SIGHUP;  .asciz "SIGHUP"
    .byte SIGINT;  .asciz "SIGINT"
    .byte SIGQUIT; .asciz "SIGQUIT"
    .byte SIGILL;  .asciz "SIGILL"
    .byte SIGTRAP; .asciz "SIGTRAP"
    .byte SIGABRT; .asciz "SIGABRT"
    .byte SIGBUS;  .asciz "SIGBUS"
    .byte SIGFPE;  .asciz "SIGFPE"
    .byte SIGKILL; .asciz "SIGKILL"
    .byte SIGUSR1; .asciz "SIGUSR1"
    .byte SIGSEGV; .asciz "SIGSEGV"
    .byte SIGUSR2; .asciz "SIGUSR2"
    .byte SIGPIPE; .asciz "SIGPIPE"
    .byte SIGALRM; .asciz "SIGALRM"
    .byte SIGTERM; .asciz "SIGTERM"
    .byte 16;      .asciz "SIGSTKFLT"
    .byte SIGCHLD; .asciz "SIGCHLD"
    .byte SIGCONT; .asciz "SIGCONT"
    .byte SIGSTOP; .asciz "SIGSTOP"
    .byte SIGTSTP; .asciz "SIGTSTP"
    .byte SIGTTIN; .asciz "SIGTTIN"
    .byte SIGTTOU; .asciz "SIGTTOU"
    .byte 23;      .asciz "SIGURG"
    .byte 24;      .asciz "SIGXCPU"
    .byte 25;      .asciz "SIGXFSZ"
    .byte 26;      .asciz "SIGVTALRM"
    .byte 27;      .asciz "SIGPROF"
    .byte 28;      .asciz "SIGWINCH"
    .byte 29;      .asciz "SIGIO"
    .byte 30;      .asciz "SIGPWR"
    .byte 31;      .asciz "SIGSYS"
    .byte 0;       .asciz "an unknown signal"
