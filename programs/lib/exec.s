# execve, execv, execl, execvp: become another program.
#
# The process stays (same pid, same parent, same open files); its memory is
# thrown away and built anew from an executable file. So exec never returns when
# it works: there is no longer anything to return to. It returns -errno when it
# failed, and then nothing has changed.
#
#     execve(path, argv, envp)       the system call itself
#     execv (path, argv)             with our own environment
#     execl (path, arg0, ..., 0)     the arguments one by one
#     execvp(file, argv)             looks for the file in the directories of PATH
    .include "syscalls.inc"
    .text

# execve(path, argv, envp): -errno, or never returns.
#   in:  a0 = path, a1 = argv, a2 = envp: arrays of pointers that end in 0
#   out: a0    changes: a7
    .globl execve
execve:
    li      a7, SYS_execve
    ecall
    ret

# execv(path, argv): execve with `environ` (see environ.s).
#   in: a0 = path, a1 = argv    out: a0    changes: a2, a7
    .globl execv
execv:
    ld      a2, environ
    li      a7, SYS_execve
    ecall
    ret

# execl(path, arg0, arg1, ..., 0): execv with the arguments given one by one.
#   in:  a0 = path, a1 to a7 and then the stack = the strings, 0 after the last
#   out: a0    changes: a1, a2, a7
#   Stored below the arguments that are on the stack already, a1 to a7 make an argv.
    .globl execl
execl:
    addi    sp, sp, -64
    sd      a1, 8(sp)
    sd      a2, 16(sp)
    sd      a3, 24(sp)
    sd      a4, 32(sp)
    sd      a5, 40(sp)
    sd      a6, 48(sp)
    sd      a7, 56(sp)              # the next word, 64(sp), is the caller's first on the stack
    addi    a1, sp, 8
    ld      a2, environ
    li      a7, SYS_execve
    ecall
    addi    sp, sp, 64
    ret

# execvp(file, argv): execv on the first DIRECTORY/file that can be run, for each
# directory in PATH (or /bin if there is no PATH). A file with a "/" in it is not
# searched for.
#   in:  a0 = file, a1 = argv
#   out: a0 = -EACCES if a file was found but may not be run, the error of the one
#        that was found otherwise, -ENOENT if there was none
#   changes: a1, a2, a7, t0-t4
    .equ PATH_MAX, 4096             # room for DIRECTORY/file and its closing 0
    .globl execvp
execvp:
    addi    sp, sp, -48
    sd      ra, 40(sp)
    sd      s0, 32(sp)
    sd      s1, 24(sp)
    sd      s2, 16(sp)
    sd      s3, 8(sp)
    mv      s0, a0                  # s0: file
    mv      s1, a1                  # s1: argv
    li      s3, -ENOENT             # s3: the answer if nothing can be run

    lbu     t0, 0(s0)
    beqz    t0, .Lgive_up           # "" names no file
    li      a1, '/'
    call    strchr
    bnez    a0, .Lno_search
    la      a0, path_name
    call    getenv
    mv      s2, a0                  # s2: what is left of PATH
    bnez    s2, .Lnext_directory
    la      s2, default_path

.Lnext_directory:
    li      t0, -PATH_MAX
    add     sp, sp, t0
    mv      a0, s2
    mv      a1, s0
    mv      a2, sp
    call    join_path
    mv      s2, a0
    mv      a0, sp
    bnez    a1, 1f
    li      a0, -ENAMETOOLONG
    j       2f
1:  mv      a1, s1
    call    execv
2:  li      t0, PATH_MAX
    add     sp, sp, t0

    li      t0, -ENOENT             # not in this directory: go on
    beq     a0, t0, 3f
    li      t0, -ENOTDIR
    beq     a0, t0, 3f
    mv      s3, a0
    li      t0, -EACCES             # may not be run: perhaps there is another
    bne     a0, t0, .Lgive_up
3:  lbu     t0, 0(s2)
    addi    s2, s2, 1
    bnez    t0, .Lnext_directory    # it was a ":"

.Lgive_up:
    mv      a0, s3
    j       .Lreturn
.Lno_search:
    mv      a0, s0
    mv      a1, s1
    call    execv
.Lreturn:
    ld      ra, 40(sp)
    ld      s0, 32(sp)
    ld      s1, 24(sp)
    ld      s2, 16(sp)
    ld      s3, 8(sp)
    addi    sp, sp, 48
    ret

# join_path(path, file, buffer): writes DIRECTORY/file, DIRECTORY being path up to
# its first ":" or its end. An empty DIRECTORY means the current one: just file.
#   in:  a0 = path, a1 = file, a2 = buffer of PATH_MAX bytes
#   out: a0 = where the directory ended in path (at ":" or 0); a1 = 1, or 0 if it is too long
#   changes: a2, t0-t3
join_path:
    li      t3, PATH_MAX
    add     t3, a2, t3              # t3: the end of the buffer
    mv      t2, a2
    li      t1, ':'
1:  lbu     t0, 0(a0)
    beqz    t0, 2f
    beq     t0, t1, 2f
    addi    a0, a0, 1
    bgeu    a2, t3, 1b              # full: still find the directory's end
    sb      t0, 0(a2)
    addi    a2, a2, 1
    j       1b
2:  beq     a2, t2, 3f
    bgeu    a2, t3, 5f
    li      t0, '/'
    sb      t0, 0(a2)
    addi    a2, a2, 1
3:  bgeu    a2, t3, 5f
    lbu     t0, 0(a1)
    sb      t0, 0(a2)
    addi    a1, a1, 1
    addi    a2, a2, 1
    bnez    t0, 3b
    li      a1, 1
    ret
5:  li      a1, 0
    ret

    .section .rodata
path_name:    .asciz "PATH"
default_path: .asciz "/bin"
