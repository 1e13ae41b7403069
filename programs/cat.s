# cat: copies files, or its standard input, to standard output.
#
# Use:   cat [FILE...]                 a FILE named - is standard input
# Run:   echo hello | forkyard run programs/cat.s
#
# What to look for: read gives as much as there is, which may be less than asked for,
# and 0 at the end of the file. For a terminal or a pipe it waits until something comes.
#
#   s0 the next argument   s1 fd   s2 our exit code   s3 the file's name

    .include "syscalls.inc"
    .equ    SIZE, 4096

    .bss
    .balign 8
buffer: .zero SIZE

    .text
    .globl  _start
_start:
    addi    s0, sp, 16              # argv[1]
    li      s2, 0
    ld      t0, 0(s0)
    la      s3, dash
    beqz    t0, standard_input      # no arguments

next_file:
    ld      s3, 0(s0)
    addi    s0, s0, 8
    mv      a0, s3
    la      a1, dash
    call    strcmp
    beqz    a0, standard_input
    mv      a0, s3
    li      a1, O_RDONLY
    call    open
    bltz    a0, failed
    mv      s1, a0
    j       copy
standard_input:
    li      s1, STDIN

copy:
    mv      a0, s1
    la      a1, buffer
    li      a2, SIZE
    call    read
    bltz    a0, failed
    beqz    a0, end_of_file
    mv      a2, a0
    la      a1, buffer
    li      a0, STDOUT
    call    write_all
    bgez    a0, copy
    la      s3, output_name
    j       failed
end_of_file:
    beqz    s1, 1f                  # standard input stays open
    mv      a0, s1
    call    close
1:  ld      t0, 0(s0)
    bnez    t0, next_file
done:
    mv      a0, s2
    call    exit

failed:                             # say so, and go on with the next file
    li      s2, 1
    call    error_text
    mv      a3, a0
    mv      a2, s3
    la      a1, line
    li      a0, STDERR
    call    dprintf
    ld      t0, 0(s0)
    bnez    t0, next_file
    j       done

    .section .rodata
dash:        .asciz "-"
output_name: .asciz "standard output"
line:        .asciz "cat: %s: %s\n"
