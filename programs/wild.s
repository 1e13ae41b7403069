# wild: bad pointers and bad jumps, each in a child of its own.
#
# Run it:        forkyard run programs/wild.s
#                (on stderr forkyard explains each death; 2>/dev/null leaves what the program says)
# Watch it:      forkyard trace --only signal,process programs/wild.s
#
# The memory of a process is a map of ranges, each with its own permissions:
#
#     .text     machine code     read, execute
#     .rodata   constants        read
#     .data     globals          read, write
#     stack                      read, write
#     all else, 0 too            nothing: no memory
#
# The hardware checks every single access against this map. One that isn't allowed
# traps into the kernel, and the kernel ends the process with a signal. Nobody else is
# harmed: the parent here goes on, and reads in the status word how its child ended.
#
# What to look for
#   - SIGSEGV is the signal for memory, SIGILL for bytes that are no instruction,
#     SIGTRAP for `ebreak`, the breakpoint of debuggers.
#   - The last two cases are fine: a load from an odd address works, and so does a
#     write to the stack far below sp: there the stack simply grows.
#   - A bad pointer given to a *system call* is no trap: the call fails with EFAULT.
#
#   s0 the next case

    .include "syscalls.inc"

    .data
    .balign 8
status: .dword 0
word:   .dword 0x00008067           # the bytes of `ret`

    .text
    .globl  _start
_start:
    la      s0, cases
next:
    ld      a0, 0(s0)
    beqz    a0, all_done
    call    fork
    beqz    a0, child
    bltz    a0, no_fork
    la      a0, status
    call    wait
    lw      a0, status
    call    end_signal
    la      a2, survived
    beqz    a0, 1f
    call    signal_name
    mv      a2, a0
1:  ld      a1, 8(s0)
    la      a0, line
    call    printf
    addi    s0, s0, 16
    j       next

child:
    ld      t0, 0(s0)
    jalr    t0
    li      a0, 0
    call    exit

all_done:
    li      a0, STDOUT              # write(1, a null pointer, 5)
    li      a1, 0
    li      a2, 5
    call    write
    call    error_text
    mv      a1, a0
    la      a0, call_line
    call    printf
    li      a0, 0
    call    exit

no_fork:
    mv      a1, a0
    la      a0, fork_name
    call    perror
    li      a0, 1
    call    exit

# --- the cases ------------------------------------------------------------------
load_null:
    ld      t0, 0(zero)
    ret

store_null:
    sd      zero, 0(zero)
    ret

load_wild:
    li      t0, 0x123456789a        # an address that the map doesn't have
    ld      t0, 0(t0)
    ret

load_impossible:
    li      t0, 0x8000000000000000  # an address that no map can have: Sv39 has 39 bits
    ld      t0, 0(t0)
    ret

store_text:
    la      t0, store_text          # its own code
    sw      zero, 0(t0)
    ret

store_rodata:
    la      t0, line
    sb      zero, 0(t0)
    ret

jump_null:
    jr      zero

jump_stack:
    addi    sp, sp, -16
    li      t0, 0x00008067          # these bytes are `ret`, a perfectly good instruction
    sw      t0, 0(sp)
    fence                           # but the stack can't be executed
    jr      sp

jump_data:
    la      t0, word
    jr      t0

illegal:
    .word   0                       # 32 zero bits are no instruction, on purpose
    ret

breakpoint:
    ebreak
    ret

endless_stack:
    addi    sp, sp, -16             # a function that calls itself for ever
    sd      ra, 8(sp)
    call    endless_stack
    ret

misaligned:
    la      t0, word
    ld      t0, 1(t0)               # slower on some machines, but it works
    ret

deep_stack:
    li      t0, -100000
    add     t0, sp, t0
    sd      zero, 0(t0)
    ret

    .section .rodata
    .balign 8
cases:                              # what to call, and what to print
    .dword  load_null,       load_null_text
    .dword  store_null,      store_null_text
    .dword  load_wild,       load_wild_text
    .dword  load_impossible, load_impossible_text
    .dword  store_text,      store_text_text
    .dword  store_rodata,    store_rodata_text
    .dword  jump_null,       jump_null_text
    .dword  jump_stack,      jump_stack_text
    .dword  jump_data,       jump_data_text
    .dword  illegal,         illegal_text
    .dword  breakpoint,      breakpoint_text
    .dword  endless_stack,   endless_stack_text
    .dword  misaligned,      misaligned_text
    .dword  deep_stack,      deep_stack_text
    .dword  0
load_null_text:       .asciz "load from address 0"
store_null_text:      .asciz "store to address 0"
load_wild_text:       .asciz "load from nowhere"
load_impossible_text: .asciz "load from an impossible address"
store_text_text:      .asciz "store to .text"
store_rodata_text:    .asciz "store to .rodata"
jump_null_text:       .asciz "jump to address 0"
jump_stack_text:      .asciz "jump into the stack"
jump_data_text:       .asciz "jump into .data"
illegal_text:         .asciz "an illegal instruction"
breakpoint_text:      .asciz "ebreak"
endless_stack_text:   .asciz "recursion without end"
misaligned_text:      .asciz "load from an odd address"
deep_stack_text:      .asciz "store far down the stack"
line:                 .asciz "%-32s %s\n"
survived:             .asciz "fine"
call_line:            .asciz "write with a null pointer        fails with %s\n"
fork_name:            .asciz "fork"
