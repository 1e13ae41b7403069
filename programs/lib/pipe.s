# pipe, dup, dup2: how processes get connected.
    .include "syscalls.inc"
    .text

# pipe(&fds): makes a pipe: what is written to fds[1] can be read from fds[0].
# Reading waits while the pipe is empty, and finds the end of the file once no
# process has fds[1] open any more: close the end you don't use.
#   in: a0 = where to put two 4-byte descriptors    out: a0 = 0, or -errno    changes: a1, a7
    .globl pipe
pipe:
    li      a1, 0
    li      a7, SYS_pipe2
    ecall
    ret

# dup(fd): the lowest free descriptor, now for the same open file; or -errno.
#   in: a0 = fd    out: a0    changes: a7
    .globl dup
dup:
    li      a7, SYS_dup
    ecall
    ret

# dup2(fd, new): `new` stands for the same open file as fd; what `new` was is closed.
# dup2(n, n) checks that n is open and does nothing.
#   in: a0 = fd, a1 = new    out: a0 = new, or -errno    changes: a1, a2, a7, t0
    .globl dup2
dup2:
    beq     a0, a1, 1f
    li      a2, 0
    li      a7, SYS_dup3
    ecall
    ret
1:  mv      t0, a0                  # dup3 refuses equal numbers; lseek knows whether n is open
    li      a1, 0
    li      a2, SEEK_CUR
    li      a7, SYS_lseek
    ecall
    li      a1, -EBADF
    beq     a0, a1, 2f
    mv      a0, t0
2:  ret
