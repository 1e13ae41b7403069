# memory_hog: three programs that want too much memory, and what each of them meets.
#
# Run it:        forkyard run --memory 16M programs/memory_hog.s
# Watch it:      forkyard run --memory 16M --stats programs/memory_hog.s
#
# Each hog is a child, so that its parent can tell how it ended.
#
#   the first   has set a limit for itself (setrlimit, RLIMIT_AS: 8 MiB of address
#               space). mmap then answers ENOMEM: the program hears of it, and can
#               do something about it.
#   the second  asks for much more than the machine has. It is told at once: ENOMEM.
#   the third   says MAP_NORESERVE: "I may never use all of it". So it gets the addresses,
#               since a page is found for them only when they are touched. It touches
#               them all. When no frame is left there is nobody who could be told "no":
#               a store has no error number. The kernel ends the process with SIGKILL.
#
# What to look for
#   - 8 MiB hold seven pieces of 1 MiB: the program and its stack count as well.
#   - The machine goes on. The memory of a process is free again when it has ended,
#     and the fourth child, who wants only half of the machine, gets it.

    .include "syscalls.inc"
    .equ    MIB, 1 << 20
    .equ    PAGE, 4096

    .bss
    .balign 8
status: .zero 8

    .data
    .balign 8
limit:  .dword 8 * MIB, 8 * MIB     # struct rlimit: the soft limit, the hard one

    .text
    .globl  _start
_start:
    la      s0, hogs
1:  ld      s1, 0(s0)               # each of them in a child
    beqz    s1, 2f
    call    fork
    beqz    a0, child
    la      a0, status
    call    wait
    lw      a0, status
    call    tell
    addi    s0, s0, 8
    j       1b
2:  li      a0, 0
    call    exit
child:
    jalr    s1
    li      a0, 0
    call    exit

# tell(status): how a child has ended, if a signal ended it.
tell:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    call    end_signal
    beqz    a0, 1f
    mv      a1, a0
    la      a0, ended
    call    printf
1:  ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

limited:
    li      a0, RLIMIT_AS
    la      a1, limit
    li      a7, SYS_setrlimit
    ecall
    li      s2, 0
1:  li      a0, MIB
    li      a1, 0
    call    ask
    bltz    a0, 2f
    addi    s2, s2, 1
    j       1b
2:  call    error_text
    mv      a2, a0
    mv      a1, s2
    la      a0, limited_line
    call    printf
    li      a0, 0
    call    exit

greedy:
    li      a0, 1 << 40
    li      a1, 0
    call    ask
    call    error_text
    mv      a1, a0
    la      a0, greedy_line
    call    printf
    li      a0, 0
    call    exit

careless:
    li      a0, 64 * MIB
    li      a1, MAP_NORESERVE
    call    ask
    bltz    a0, 2f
    mv      s2, a0
    la      a0, careless_line
    call    puts
    li      t0, 64 * MIB
    add     t0, s2, t0
1:  sd      zero, 0(s2)             # the first touch of each page takes a frame
    li      t1, PAGE
    add     s2, s2, t1
    bltu    s2, t0, 1b
2:  la      a0, never_line
    call    puts
    li      a0, 1
    call    exit

modest:
    li      a0, 8 * MIB
    li      a1, 0
    call    ask
    mv      s2, a0
    li      t0, 8 * MIB
    add     t0, s2, t0
1:  sd      zero, 0(s2)
    li      t1, PAGE
    add     s2, s2, t1
    bltu    s2, t0, 1b
    la      a0, modest_line
    call    puts
    li      a0, 0
    call    exit

# ask(size, flags): private memory from mmap: its address, or -errno.
ask:
    ori     a3, a1, MAP_PRIVATE | MAP_ANONYMOUS
    mv      a1, a0
    li      a0, 0
    li      a2, PROT_READ | PROT_WRITE
    li      a4, -1
    li      a5, 0
    li      a7, SYS_mmap
    ecall
    ret

    .section .rodata
    .balign 8
hogs:          .dword limited, greedy, careless, modest, 0
limited_line:  .asciz "1. with a limit: %d MiB, and then mmap says: %s\n"
greedy_line:   .asciz "2. a tebibyte: mmap says at once: %s\n"
careless_line: .asciz "3. 64 MiB, unreserved: mmap gives me the addresses, and I touch them\n"
never_line:    .asciz "there was enough memory: this is not how it was meant (--memory 16M)\n"
modest_line:   .asciz "4. half of the machine, for somebody else: it is there\n"
ended:         .asciz "   ended by signal %d: no frame was left for the page it touched\n"
