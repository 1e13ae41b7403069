# opendir, readdir, closedir: the names in a directory, one after the other.
#
# The kernel hands out many at once (getdents64): they lie in the stream's buffer,
# and readdir goes from one to the next. A stream is DIR_SIZE bytes of the caller's:
#
#     | fd | the next entry | behind the last one | 2048 bytes of entries |
#
# An entry: 8 bytes inode, 8 bytes where the directory goes on, 2 bytes size of the
# entry, 1 byte type, and the name with its 0.
    .include "syscalls.inc"
    .include "frame.inc"
    .equ    DIR_FD,    0
    .equ    DIR_NEXT,  8
    .equ    DIR_END,   16
    .equ    DIR_DATA,  24
    .equ    DATA_SIZE, 2048
    .equ    ENTRY_LENGTH, 16
    .equ    ENTRY_NAME,   19

    .text

# opendir(stream, path): 0, or -errno.
#   in: a0, a1    out: a0    changes: a1-a3, a7
    .globl opendir
opendir:
    enter   1
    mv      s0, a0
    sd      zero, DIR_NEXT(s0)
    sd      zero, DIR_END(s0)
    mv      a0, a1
    li      a1, O_RDONLY
    call    open
    bltz    a0, 1f
    sd      a0, DIR_FD(s0)
    li      a0, 0
1:  leave   1

# readdir(stream): the next name, valid until the next call; 0 at the end; or -errno.
#   in: a0    out: a0    changes: a1, a2, a7, t0, t1
    .globl readdir
readdir:
    mv      t1, a0
    ld      t0, DIR_NEXT(t1)
    ld      a1, DIR_END(t1)
    bltu    t0, a1, 1f
    ld      a0, DIR_FD(t1)          # the buffer is used up
    addi    a1, t1, DIR_DATA
    li      a2, DATA_SIZE
    li      a7, SYS_getdents64
    ecall
    blez    a0, 2f
    addi    t0, t1, DIR_DATA
    add     a1, t0, a0
    sd      a1, DIR_END(t1)
1:  lhu     a1, ENTRY_LENGTH(t0)
    add     a1, t0, a1
    sd      a1, DIR_NEXT(t1)
    addi    a0, t0, ENTRY_NAME
2:  ret

# closedir(stream): 0, or -errno.    in: a0    out: a0    changes: a7
    .globl closedir
closedir:
    ld      a0, DIR_FD(a0)
    li      a7, SYS_close
    ecall
    ret
