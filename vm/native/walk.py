"""The walk of a TLB miss in native code.

It does what vm/mmu.py says: sets A and D, opens the frame of a store, fills the TLB, and gives the addend. Of a
superpage it tells the TLB by the word SUPERPAGES. Whatever it changes lies in frames that hold no CODE (see ram.py),
and that are DIRTY and in RAM's log from then on. A misaligned access within a page is fine.

If it gives NO_ADDEND, nothing is changed but the word REASON, which says why an instruction with just this access
leaves: a page fault, with the address in FAULT, or ASSIST for a frame with translated code, an access across pages,
what lies outside RAM.
"""

from __future__ import annotations

from vm.isa.cause import Cause
from vm.mmu import PTE_A, PTE_D, PTE_R, PTE_RESERVED, PTE_U, PTE_V, PTE_W, PTE_X
from vm.native.layout import (
    ASSIST,
    DIRTIED,
    FAULT,
    FLAGS,
    GUEST,
    LOADS,
    MACHINE,
    NO_ADDEND,
    RAM_SIZE,
    RAM_START,
    REASON,
    REFILLS,
    ROOT,
    STORES,
    SUPERPAGES,
    TLB_ENTRIES,
    TRAP,
    WALKING,
)
from vm.ram import CODE, DIRTY, OPEN, RAM_BASE

#: The walkers' names; the cause of their faults; the bits that each needs in a leaf and those that it sets; the flag
#: that its frame must not have, and those that it gets.
WALKERS = {
    "walk_load": {
        "cause": Cause.LOAD_PAGE,
        "need": PTE_V | PTE_R | PTE_U,
        "marks": PTE_A,
        "table": LOADS,
        "bar": 0,
        "opens": 0,
        "dirties": 0,
    },
    "walk_store": {
        "cause": Cause.STORE_PAGE,
        "need": PTE_V | PTE_W | PTE_U,
        "marks": PTE_A | PTE_D,
        "table": STORES,
        "bar": CODE,
        "opens": OPEN,
        "dirties": DIRTY,
    },
}
#: As Ram.mark_dirty, for a frame that is not DIRTY.
_NOTE = f"""
define internal {WALKING} void @note_dirty(ptr %m, i64 %frame) noinline {{
  %flagsp = getelementptr i8, ptr %m, i64 {FLAGS}
  %flags = load ptr, ptr %flagsp{MACHINE}
  %flagp = getelementptr i8, ptr %flags, i64 %frame
  %flag0 = load i8, ptr %flagp{MACHINE}
  %flag1 = or i8 %flag0, {DIRTY}
  store i8 %flag1, ptr %flagp{MACHINE}
  %logp = getelementptr i8, ptr %m, i64 {DIRTIED}
  %log = load ptr, ptr %logp{MACHINE}
  %count0 = load i32, ptr %log{MACHINE}
  %count1 = add i32 %count0, 1
  store i32 %count1, ptr %log{MACHINE}
  %place = getelementptr i32, ptr %log, i32 %count1
  %number = trunc i64 %frame to i32
  store i32 %number, ptr %place{MACHINE}
  ret void
}}
"""
#: Lines of walks, here and in runs.py: whether an address is canonical, and its root table; where RAM is and how large;
#: the entry that a level's bits of the address choose; the physical address that an entry has, and its offset in RAM.
BEGIN = f"""\
  %up = ashr i64 %va, 38
  %up1 = add i64 %up, 1
  %fine = icmp ult i64 %up1, 2
  %rootp = getelementptr i8, ptr %m, i64 {ROOT}
  %root = load i64, ptr %rootp{MACHINE}
"""
AT_RAM = f"""\
  %ramp = getelementptr i8, ptr %m, i64 {RAM_START}
  %ram = load i64, ptr %ramp{MACHINE}
  %sizep = getelementptr i8, ptr %m, i64 {RAM_SIZE}
  %size = load i64, ptr %sizep{MACHINE}
"""
ENTRY = """\
  %vpn = lshr i64 %va, %shift
  %index = and i64 %vpn, 511
  %offset = shl i64 %index, 3
  %at = add i64 %table, %offset
  %inside = icmp ult i64 %at, %size
"""
LEADS = f"""\
  %ppn0 = shl i64 %pte, 10
  %ppn1 = lshr i64 %ppn0, 20
  %pa = shl i64 %ppn1, 12
  %below = sub i64 %pa, {RAM_BASE}
"""
_WALK = f"""
define {WALKING} i64 @{{name}}(ptr %m, i64 %address, i64 %bytes) noinline {{{{
entry:
  %va = and i64 %address, -4096
  %low = and i64 %address, 4095
  %end = add i64 %low, %bytes
  %within = icmp ule i64 %end, 4096
  %tablep = getelementptr i8, ptr %m, i64 {{table}}
  %tlb = load ptr, ptr %tablep{MACHINE}
  %where = lshr i64 %va, 8
  %place = and i64 %where, {(TLB_ENTRIES - 1) * 16}
  %tagp = getelementptr i8, ptr %tlb, i64 %place
  %addendp = getelementptr i8, ptr %tagp, i64 8
  br i1 %within, label %probe, label %help
probe:
  %tag = load i64, ptr %tagp{MACHINE}
  %known = icmp eq i64 %tag, %va
  br i1 %known, label %hit, label %miss
hit:
  %held = load i64, ptr %addendp{MACHINE}
  ret i64 %held
miss:
{BEGIN}{AT_RAM}  br i1 %fine, label %level, label %help
level:
  %table = phi i64 [%root, %miss], [%below, %inner]
  %shift = phi i64 [30, %miss], [%nextshift, %inner]
{ENTRY}  br i1 %inside, label %read, label %help
read:
  %host = add i64 %ram, %at
  %hostp = inttoptr i64 %host to ptr
  %pte = load i64, ptr %hostp{GUEST}
{LEADS}  %kind = and i64 %pte, {PTE_RESERVED | PTE_V | PTE_R | PTE_W | PTE_X}
  %pointer = icmp eq i64 %kind, {PTE_V}
  br i1 %pointer, label %inner, label %leaf
inner:
  %nextshift = sub i64 %shift, 9
  %odd = and i64 %pte, {PTE_U | PTE_A | PTE_D}
  %plain = icmp eq i64 %odd, 0
  %more = icmp ne i64 %shift, 12
  %down = and i1 %plain, %more
  br i1 %down, label %level, label %help
leaf:
  %reserved = lshr i64 %pte, 54
  %unreserved = icmp eq i64 %reserved, 0
  %rights = and i64 %pte, {{need}}
  %allowed = icmp eq i64 %rights, {{need}}
  %rw = and i64 %pte, {PTE_R | PTE_W}
  %sane = icmp ne i64 %rw, {PTE_W}
  %span = shl i64 1, %shift
  %mask = sub i64 %span, 1
  %misplaced = and i64 %pa, %mask
  %placed = icmp eq i64 %misplaced, 0
  %inpage = and i64 %va, %mask
  %frame = add i64 %below, %inpage
  %inram = icmp ult i64 %frame, %size
  %c1 = and i1 %unreserved, %allowed
  %c2 = and i1 %sane, %placed
  %c3 = and i1 %c1, %c2
  br i1 %c3, label %reach, label %fault
reach:
  br i1 %inram, label %look, label %help
look:
  %flagsp = getelementptr i8, ptr %m, i64 {FLAGS}
  %flags = load ptr, ptr %flagsp{MACHINE}
  %number = lshr i64 %frame, 12
  %flagp = getelementptr i8, ptr %flags, i64 %number
  %flag = load i8, ptr %flagp{MACHINE}
  %barred = and i8 %flag, {{bar}}
  %ready = icmp eq i8 %barred, 0
  br i1 %ready, label %marks, label %help
marks:
  %marked = or i64 %pte, {{marks}}
  %same = icmp eq i64 %marked, %pte
  br i1 %same, label %open, label %tableflag
tableflag:
  %tablenumber = lshr i64 %at, 12
  %tableflagp = getelementptr i8, ptr %flags, i64 %tablenumber
  %tableflags = load i8, ptr %tableflagp{MACHINE}
  %tablecode = and i8 %tableflags, {CODE}
  %writable = icmp eq i8 %tablecode, 0
  br i1 %writable, label %mark, label %help
mark:
  store i64 %marked, ptr %hostp{GUEST}
  %tabledirty = and i8 %tableflags, {DIRTY}
  %tableclean = icmp eq i8 %tabledirty, 0
  br i1 %tableclean, label %notetable, label %open
notetable:
  call {WALKING} void @note_dirty(ptr %m, i64 %tablenumber)
  br label %open
open:
  %flag0 = load i8, ptr %flagp{MACHINE}
  %flag1 = or i8 %flag0, {{opens}}
  store i8 %flag1, ptr %flagp{MACHINE}
  %dirty = and i8 %flag0, {{dirties}}
  %clean = icmp ne i8 %dirty, {{dirties}}
  br i1 %clean, label %note, label %fill
note:
  call {WALKING} void @note_dirty(ptr %m, i64 %number)
  br label %fill
fill:
  %superp = getelementptr i8, ptr %m, i64 {SUPERPAGES}
  %super0 = load i64, ptr %superp{MACHINE}
  %big = icmp ne i64 %shift, 12
  %bigword = zext i1 %big to i64
  %super1 = or i64 %super0, %bigword
  store i64 %super1, ptr %superp{MACHINE}
  %countp = getelementptr i8, ptr %m, i64 {REFILLS}
  %count0 = load i64, ptr %countp{MACHINE}
  %count1 = add i64 %count0, 1
  store i64 %count1, ptr %countp{MACHINE}
  store i64 %va, ptr %tagp{MACHINE}
  %hostframe = add i64 %ram, %frame
  %addend = sub i64 %hostframe, %va
  store i64 %addend, ptr %addendp{MACHINE}
  ret i64 %addend
fault:
  %faultp = getelementptr i8, ptr %m, i64 {FAULT}
  store i64 %address, ptr %faultp{MACHINE}
  br label %help
help:
  %reason = phi i64 [{ASSIST}, %entry], [{ASSIST}, %miss], [{ASSIST}, %level], [{ASSIST}, %inner], [{ASSIST}, %reach],
    [{ASSIST}, %look], [{ASSIST}, %tableflag], [{{trap}}, %fault]
  %reasonp = getelementptr i8, ptr %m, i64 {REASON}
  store i64 %reason, ptr %reasonp{MACHINE}
  ret i64 {NO_ADDEND}
}}}}
"""

#: The IR of both walkers, and how others declare them.
WALK = [_NOTE, *(_WALK.format(name=name, trap=TRAP + kind["cause"], **kind) for name, kind in WALKERS.items())]
DECLARED = "\n".join(f"declare {WALKING} i64 @{name}(ptr, i64, i64)" for name in WALKERS)
