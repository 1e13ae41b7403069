# open, close, read, write: bytes in and out through file descriptors.
    .include "syscalls.inc"
    .text

# open(path, flags, mode): a new file descriptor (the lowest free one), or -errno.
#   in:  a0 = path, a1 = O_ flags, a2 = permissions if O_CREAT makes the file
#   out: a0    changes: a1-a3, a7
    .globl open
open:
    mv      a3, a2
    mv      a2, a1
    mv      a1, a0
    li      a0, AT_FDCWD
    li      a7, SYS_openat
    ecall
    ret

# close(fd): 0, or -errno.    in: a0 = fd    out: a0    changes: a7
    .globl close
close:
    li      a7, SYS_close
    ecall
    ret

# read(fd, buffer, size): the number of bytes read, 0 at the end of the file, or
# -errno. Fewer than asked for is no error: a pipe hands over what it has.
#   in: a0 = fd, a1 = buffer, a2 = size    out: a0    changes: a7
    .globl read
read:
    li      a7, SYS_read
    ecall
    ret

# write(fd, buffer, size): the number of bytes written, or -errno.
#   in: a0 = fd, a1 = buffer, a2 = size    out: a0    changes: a7
    .globl write
write:
    li      a7, SYS_write
    ecall
    ret

# write_all(fd, buffer, size): writes until everything is written; 0, or -errno.
#   in: a0 = fd, a1 = buffer, a2 = size    out: a0    changes: a1, a2, a7, t0
    .globl write_all
write_all:
    mv      t0, a0
1:  blez    a2, 2f
    mv      a0, t0
    li      a7, SYS_write
    ecall
    bltz    a0, 3f
    add     a1, a1, a0
    sub     a2, a2, a0
    j       1b
2:  li      a0, 0
3:  ret

# lseek(fd, offset, whence): the new position in the file, or -errno.
#   in: a0 = fd, a1 = offset, a2 = SEEK_SET, SEEK_CUR or SEEK_END    out: a0    changes: a7
    .globl lseek
lseek:
    li      a7, SYS_lseek
    ecall
    ret
