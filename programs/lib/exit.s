# exit: the end of a process. Nothing else ends it in good order: _start has no
# caller to return to.
    .include "syscalls.inc"
    .text

# exit(status): never returns. The parent gets the low 8 bits of the status from wait.
#   in: a0 = status
    .globl exit
exit:
    li      a7, SYS_exit_group      # all threads of the process; SYS_exit ends one thread
    ecall
