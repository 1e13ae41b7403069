"""What lies where in the memory that native code and python share, and how they call each other.

A *handler* is a function of (st, op, left, m): the hart's block, the record of the instruction, what is left of the
budget (at least 1), and the machine's block. It runs its instruction and goes on with the next record's handler. A
record has RECORD bytes:

    0  the handler's address            8  rd, 10  rs1, 12  rs2: byte offsets of registers in the hart's block
    14 how often the jump was taken     16 the immediate, 64 bits           24 pc

x0 is read from word 0 of the hart's block, which is 0, and written to word hart.SINK.
"""

from __future__ import annotations

from vm.isa.registers import CYCLE, INSTRET, TIME

RECORD = 32
REGISTER_AT = {"rd": 8, "rs1": 10, "rs2": 12}
COUNT_AT, IMMEDIATE_AT, PC_AT = 14, 16, 24

#: Words of the machine's block (the argument %m), as byte offsets.
LEFT, REASON, LOADS, STORES, FETCHES, RAM_START, RAM_SIZE, FLAGS, ROOT, CYCLE_END, TIME_END = (8 * n for n in range(11))
#: Loads and stores, where they are counted, and walks that filled the TLB.
ACCESSES, REFILLS = 96, 104
#: Where the next indirect jump is noted: RING holds the last ones, 16 bytes each: pc, target.
CURSOR, RING, RING_SIZE = 112, 4096, 4096
#: What tells one state of one address space's code pages from all others.
EPOCH = 120
#: Not 0 once a superpage was mapped: see Tlb.superpages, whose word it is.
SUPERPAGES = 128
#: Where the log of dirty frames lies: see vm/ram.py.
DIRTIED = 136
#: The address of a page fault that a walker found.
FAULT = 144
#: What tells one state of one address space's translations from all others.
GENERATION = 152
MACHINE_SIZE = RING + RING_SIZE
#: Which word has what a counter will be at the end of the budget.
COUNTER_AT = {CYCLE: CYCLE_END, INSTRET: CYCLE_END, TIME: TIME_END}
#: ROOT when translation is off: no table lies there, so that the walker leaves all to the MMU.
NO_ROOT = 1 << 62
#: Why native code left: the budget is used up; the instruction at pc needs its python handler this time; it has no
#: translation; pc is on no page known; the instruction at pc is not decoded; it is hot; nobody has checked yet whether
#: the region at pc is one of this address space; the instruction at pc traps, with the cause added to TRAP.
BUDGET, ASSIST, FALLBACK, FAR, DECODE, HOT, CHECK, TRAP = range(8)
#: A region made from several pages has a guard: words, of which the one at the epoch modulo their number holds the
#: epoch if the region may run, and the epoch with this bit if not.
GUARD_WORDS, REFUSED = 64, 1 << 62
#: Times that a jump is taken before what it jumps to is translated.
HOT_JUMPS = 20000

#: A TLB entry is 16 bytes: tag (page address), addend (host address - virtual address). Direct-mapped.
TLB_ENTRIES = 4096
#: What a walker gives when it can give no addend: those are multiples of a page.
NO_ADDEND = 1
#: Entries of the fetch TLB: tag (page address), address of the page's records.
FETCH_ENTRIES = 256
#: The runs that an address space used last (runs.py) lie RUNS bytes behind the entries for loads, and as far behind
#: those for stores: a head of generation, looks that are left, and where the next run goes; then runs, each of low and
#: high address and addend. Head and runs have RUN bytes each.
MOST_RUNS, RUN = 8, 32
RUNS = (2 * TLB_ENTRIES + FETCH_ENTRIES) * 16
RUNS_SIZE = (1 + MOST_RUNS) * RUN
#: A region's slots: the first holds the generation, each other one belongs to an access: the run's low address, how far
#: above that the access may begin, the addend, how often the TLB may still serve it.
SLOT, SLOT_LIMIT, SLOT_ADDEND, SLOT_COUNT = 32, 8, 16, 24

#: The calling convention: almost all registers carry arguments or are free, so that a handler saves nothing.
CALLING = "preserve_nonecc"
#: And that of the walkers: they save almost everything, so that their callers, where a miss is rare, need not.
WALKING = "preserve_mostcc"
SIGNATURE = "ptr noalias %st, ptr %op, i64 %left, ptr noalias %m"
ARGUMENTS = "ptr %st, ptr {}, i64 {}, ptr %m"
#: Metadata: weights for what hardly happens, and which memory accesses cannot alias (hart, machine, guest).
HEAD = """
!0 = !{!"branch_weights", i32 1000000, i32 1}
!1 = !{!"forkyard"}
!2 = !{!"hart", !1}
!3 = !{!"machine", !1}
!4 = !{!"guest", !1}
!5 = !{!2, !2, i64 0}
!6 = !{!3, !3, i64 0}
!7 = !{!4, !4, i64 0}
"""
HART, MACHINE, GUEST = ", !tbaa !5", ", !tbaa !6", ", !tbaa !7"
