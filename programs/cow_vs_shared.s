# cow_vs_shared: two pages that differ in one bit of mmap's flags.
#
# Run it:        forkyard run --stats programs/cow_vs_shared.s
# Watch it:      forkyard trace --only fault,process programs/cow_vs_shared.s
#
# Before it forks, the program asks mmap for two pages: one MAP_PRIVATE, one
# MAP_SHARED. After fork both processes have both pages, at the same addresses, and
# at first the same frames of memory are behind them. Then each writes.
#
#   MAP_PRIVATE   fork takes away the right to write. The first store traps, the
#                 kernel copies the page (copy on write), and from then on each
#                 process has a page of its own. Nobody sees the other's stores.
#   MAP_SHARED    fork has nothing to protect: the page is meant to be one. A store
#                 goes to the frame that both have, and the other one sees it.
#
# What to look for
#   - Both pages hold 1 when the child begins. It writes 2 into both. The parent
#     then finds 1 in the private page and 2 in the shared one.
#   - It works the other way too: what the parent writes now, the child reads, in
#     the shared page only. Two pipes see to it that they take turns.
#   - In the trace: the child's store to the private page is a "cow-copy". On the
#     shared page each process has faults of kind "shared", when it first reads and
#     first writes there: the same frame every time, and nothing is copied.
#   - The parent stores to the private page when the child has its copy already. It is
#     the only one left with the old frame and just gets it back: "cow-reuse".
#   - When the child has ended, its last store to the shared page is still there:
#     the page belongs to all who map it, not to the one who wrote.

    .include "syscalls.inc"
    .equ    PAGE, 4096

    .bss
    .balign 8
private: .zero 8                    # where the two pages are
shared:  .zero 8
to_child:  .zero 8                  # two pipes: [0] is the end to read from, [1] the one to write to
to_parent: .zero 8
byte:    .zero 8
status:  .zero 8

    .text
    .globl  _start
_start:
    li      a0, MAP_PRIVATE
    call    new_page
    sd      a0, private, t1
    mv      s0, a0
    li      a0, MAP_SHARED
    call    new_page
    sd      a0, shared, t1
    mv      s1, a0
    la      a0, to_child
    call    pipe
    la      a0, to_parent
    call    pipe

    li      t0, 1
    sd      t0, 0(s0)               # the first store brings each page into being
    sd      t0, 0(s1)
    la      a0, before
    call    show

    call    fork
    beqz    a0, child
    bltz    a0, no_fork

    la      a0, to_parent           # --- the parent: the child writes first
    call    await
    la      a0, parent_name
    call    show                    # private: 1, as before. shared: 2, the child's
    li      t0, 3
    sd      t0, 0(s0)               # the last one who has this frame: no copy
    sd      t0, 0(s1)
    la      a0, parent_wrote
    call    show
    la      a0, to_child
    call    tell
    la      a0, status
    call    wait
    la      a0, after
    call    show                    # shared: 4, though the one who wrote it is gone
    li      a0, 0
    call    exit

child:                              # --- the child
    la      a0, child_name
    call    show                    # both 1: fork copied nothing, and nothing differs
    li      t0, 2
    sd      t0, 0(s0)               # traps: the kernel copies the page
    sd      t0, 0(s1)               # goes to the frame that the parent has too
    la      a0, child_wrote
    call    show
    la      a0, to_parent
    call    tell
    la      a0, to_child
    call    await
    la      a0, child_name
    call    show                    # private: its own 2. shared: the parent's 3
    li      t0, 4
    sd      t0, 0(s1)
    li      a0, 0
    call    exit

# new_page(kind): a page of zeros from mmap, MAP_PRIVATE or MAP_SHARED. Ends the program if there is none.
#   in: a0    out: a0 = its address
new_page:
    ori     a3, a0, MAP_ANONYMOUS   # flags
    li      a0, 0                   # addr: wherever there is room
    li      a1, PAGE                # length
    li      a2, PROT_READ | PROT_WRITE
    li      a4, -1                  # fd: no file
    li      a5, 0                   # offset
    li      a7, SYS_mmap
    ecall
    bltz    a0, no_page
    ret
no_page:
    mv      a1, a0
    la      a0, mmap_name
    j       failed
no_fork:
    mv      a1, a0
    la      a0, fork_name
failed:
    call    perror
    li      a0, 1
    call    exit

# show(what): prints what the two pages hold.    in: a0
show:
    mv      a1, a0
    la      a0, line
    ld      a2, private
    ld      a2, 0(a2)
    ld      a3, shared
    ld      a3, 0(a3)
    tail    printf

# tell(pipe), await(pipe): one byte through a pipe: it is your turn now.    in: a0
tell:
    lw      a0, 4(a0)
    la      a1, byte
    li      a2, 1
    tail    write
await:
    lw      a0, 0(a0)
    la      a1, byte
    li      a2, 1
    tail    read

    .section .rodata
line:         .asciz "%s  private %d  shared %d\n"
before:       .asciz "before fork:  "
child_name:   .asciz "child sees:   "
child_wrote:  .asciz "child wrote:  "
parent_name:  .asciz "parent sees:  "
parent_wrote: .asciz "parent wrote: "
after:        .asciz "child gone:   "
mmap_name:    .asciz "mmap"
fork_name:    .asciz "fork"
