# 06_constants: what nobody can write stays shared for ever.
#
# Run it:        forkyard run programs/06_constants.s
# Watch it:      forkyard trace --only fault,process programs/06_constants.s
#
# A program's machine code and its constants (.rodata) can only be read. So there is
# never a reason to copy them: they are in memory once, however many processes run the
# program, and it doesn't matter whether they come from fork or from exec.
#
# How does one see that? Memory is made of frames of 4096 bytes, and a page table says for
# each page of a process which frame it is. /proc/self/pagemap shows just that: one
# 64-bit word for each page, with the number of the frame in its lower bits.
#
# (Here the numbers can be seen by everybody. Linux shows them to root only, since whoever
# knows them can attack the memory chips: that is why this sample runs here only.)
#
# What to look for
#   - After fork all pages are the same frames, in parent and child.
#   - When the child writes to .data, that page becomes another frame: copy on write.
#   - The constants are in the same frame even after exec: the new program is the same
#     file, and the kernel keeps one copy of a file's pages (the page cache). So is the
#     global then: the new program has not written it, and neither has the parent.
#
#   s0 what is compared   s1 the file of the page map

    .include "syscalls.inc"
    .include "frame.inc"
    .equ    PAGE_SHIFT, 12

    .section .rodata
    .balign 4096
constant:
    .dword  1
    .data
    .balign 4096
global:
    .dword  1
    .zero   4088                    # a page of its own: what else we write shall not touch it

    .bss
    .balign 8
ours:   .zero 16                    # the parent's frames: of the constant, of the global
theirs: .zero 16                    # the child's
pipe_ends: .zero 8
status: .zero 8
word:   .zero 8

    .text
    .globl  _start
_start:
    mv      a0, sp
    call    arguments
    li      t0, 1
    bgtu    a0, t0, after_exec      # the parent's frames come as descriptor 3: see below

    la      a0, pipe_ends
    call    pipe                    # 3 to read from, 4 to write to
    la      a0, headline
    call    puts
    la      a0, ours
    call    look
    call    fork
    beqz    a0, child
    la      a0, status
    call    wait
    li      a0, 0
    call    exit

child:
    la      a0, after_fork
    call    compare
    li      t0, 2
    sd      t0, global, t1          # traps, and the page is copied
    la      a0, after_write
    call    compare
    li      a0, 4                   # what the parent has found goes through the pipe:
    la      a1, ours                # the memory that it is in ends with exec
    li      a2, 16
    call    write
    la      a0, self
    la      a1, name
    la      a2, again
    li      a3, 0
    call    execl
    mv      a1, a0
    la      a0, self
    call    perror
    li      a0, 1
    call    exit

after_exec:
    li      a0, 3
    la      a1, ours
    li      a2, 16
    call    read
    ld      t0, global              # a page has a frame only when it was touched
    la      a0, after_exec_name
    call    compare
    li      a0, 0
    call    exit

# compare(name): one line: are our frames now those that the parent had?
compare:
    enter   1
    mv      s0, a0
    la      a0, theirs
    call    look
    ld      t0, ours
    ld      t1, theirs
    sub     t0, t0, t1
    la      a2, same
    beqz    t0, 1f
    la      a2, other
1:  ld      t0, ours + 8
    ld      t1, theirs + 8
    sub     t0, t0, t1
    la      a3, same
    beqz    t0, 2f
    la      a3, other
2:  mv      a1, s0
    la      a0, line
    call    printf
    leave   1

# look(where): the frames of `constant` and `global`, as this process has them now.
look:
    enter   2
    mv      s0, a0
    la      a0, map
    li      a1, O_RDONLY
    li      a2, 0
    call    open
    bltz    a0, no_map
    mv      s1, a0
    la      a0, constant
    call    frame_of
    sd      a0, 0(s0)
    la      a0, global
    call    frame_of
    sd      a0, 8(s0)
    mv      a0, s1
    call    close
    leave   2

# frame_of(address): the number of its frame, from the page map s1.
frame_of:
    enter   0
    lb      t0, 0(a0)               # touch it, so that it is there
    srli    a1, a0, PAGE_SHIFT
    slli    a1, a1, 3               # eight bytes for each page
    mv      a0, s1
    li      a2, SEEK_SET
    call    lseek
    mv      a0, s1
    la      a1, word
    li      a2, 8
    call    read
    ld      a0, word
    slli    a0, a0, 9               # bits 0 to 54
    srli    a0, a0, 9
    leave   0

no_map:
    mv      a1, a0
    la      a0, map
    call    perror
    li      a0, 1
    call    exit

    .section .rodata
map:         .asciz "/proc/self/pagemap"
headline:    .asciz "compared with the parent       the constant  the global\n"
line:        .asciz "%-29s  %-12s  %s\n"
same:        .asciz "same frame"
other:       .asciz "another"
after_fork:  .asciz "the child, after fork"
after_write: .asciz "after it has written"
after_exec_name: .asciz "after exec of the same file"
self:        .asciz "/bin/06_constants"
name:        .asciz "06_constants"
again:       .asciz "again"
