# perror, error_text: what an error number means.
    .include "syscalls.inc"
    .text

# perror(what, error): writes "what: ENOENT (no such file or directory)" and a newline
# to standard error. Takes the error as system calls return it: negative.
#   in: a0 = what, a1 = error    out: nothing    changes: a0-a7, t0-t6
    .globl perror
perror:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      a0, 0(sp)
    mv      a0, a1
    call    error_text
    mv      a3, a0
    ld      a2, 0(sp)
    la      a1, error_format
    li      a0, STDERR
    call    dprintf
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

# error_text(error): a string such as "ENOENT (no such file or directory)".
#   in: a0 = error, negative    out: a0    changes: a1, t0
    .globl error_text
error_text:
    neg     a0, a0
    la      a1, error_table
    # falls through into find_text

# find_text(number, table): the string that follows the number's byte in a table of
# bytes and strings; the string after the closing 0 if it isn't there.
#   in: a0, a1    out: a0    changes: a1, t0
    .globl find_text
find_text:
1:  lbu     t0, 0(a1)
    addi    a1, a1, 1
    beqz    t0, 3f
    beq     t0, a0, 3f
2:  lbu     t0, 0(a1)               # another number's: step over its string
    addi    a1, a1, 1
    bnez    t0, 2b
    j       1b
3:  mv      a0, a1
    ret

    .section .rodata
error_format: .asciz "%s: %s\n"
error_table:
    .byte EPERM;        .asciz "EPERM (operation not permitted)"
    .byte ENOENT;       .asciz "ENOENT (no such file or directory)"
    .byte ESRCH;        .asciz "ESRCH (no such process)"
    .byte EINTR;        .asciz "EINTR (interrupted by a signal)"
    .byte EIO;          .asciz "EIO (input/output error)"
    .byte E2BIG;        .asciz "E2BIG (too many arguments)"
    .byte ENOEXEC;      .asciz "ENOEXEC (not an executable file)"
    .byte EBADF;        .asciz "EBADF (no such open file)"
    .byte ECHILD;       .asciz "ECHILD (no child processes)"
    .byte EAGAIN;       .asciz "EAGAIN (try again later)"
    .byte ENOMEM;       .asciz "ENOMEM (out of memory)"
    .byte EACCES;       .asciz "EACCES (permission denied)"
    .byte EFAULT;       .asciz "EFAULT (bad address)"
    .byte EEXIST;       .asciz "EEXIST (file exists)"
    .byte ENOTDIR;      .asciz "ENOTDIR (not a directory)"
    .byte EISDIR;       .asciz "EISDIR (is a directory)"
    .byte EINVAL;       .asciz "EINVAL (invalid argument)"
    .byte ENFILE;       .asciz "ENFILE (too many open files in the system)"
    .byte EMFILE;       .asciz "EMFILE (too many open files)"
    .byte ENOSPC;       .asciz "ENOSPC (no space left)"
    .byte ESPIPE;       .asciz "ESPIPE (can't seek in a pipe)"
    .byte EROFS;        .asciz "EROFS (read-only file system)"
    .byte EPIPE;        .asciz "EPIPE (nobody reads this pipe)"
    .byte ERANGE;       .asciz "ERANGE (buffer too small)"
    .byte ENAMETOOLONG; .asciz "ENAMETOOLONG (file name too long)"
    .byte ENOSYS;       .asciz "ENOSYS (no such system call)"
    .byte ELOOP;        .asciz "ELOOP (too many symbolic links)"
    .byte 0;            .asciz "an unknown error"
