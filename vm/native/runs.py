"""Runs: pages in a row whose frames lie in a row too, so that one addend serves them all.

Each access of a region has a slot, with the run that served it last. Where an access is outside of that run, the TLB
serves it; when that has happened often enough, `reach_load` or `reach_store` gives the slot another run: one of those
that the address space used last, or a new one, found by looking along the page tables to both sides.

A run grants what the TLB would for each of its pages: nothing is left to do there, neither a bit to set nor a frame to
open. It is forgotten with the generation of its address space, which ends whenever the TLB forgets anything.
"""

from __future__ import annotations

from vm.mmu import PTE_A, PTE_D, PTE_R, PTE_RESERVED, PTE_U, PTE_V, PTE_W, PTE_X
from vm.native.layout import (
    FLAGS,
    GENERATION,
    GUEST,
    LOADS,
    MACHINE,
    MOST_RUNS,
    NO_ADDEND,
    RUN,
    RUNS,
    SLOT_COUNT,
    STORES,
    WALKING,
)
from vm.native.walk import AT_RAM, BEGIN, ENTRY, LEADS
from vm.ram import OPEN

#: The functions' names; whom each asks for the first page; which runs; what it wants of a leaf and of its frame.
REACHERS = {
    "reach_load": {"walk": "walk_load", "tlb": LOADS, "need": PTE_V | PTE_R | PTE_U | PTE_A, "flag": 0},
    "reach_store": {
        "walk": "walk_store",
        "tlb": STORES,
        "need": PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D,
        "flag": OPEN,
    },
}
#: Entries that may be looked at: some more with each call and with each generation, up to a bound, so that looking
#: takes a small part of the time however the runs change. Nobody begins to look with less than a generation's.
EACH_CALL, EACH_GENERATION, MOST_LOOKS = 64, 512, 1 << 15
#: How often the TLB serves a slot before it gets another run.
PATIENCE = 256
_END = RUN * MOST_RUNS
_POINTER_BITS = PTE_RESERVED | PTE_V | PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D

#: The host address of a page's entry in the lowest table, or 0.
_LOWEST = f"""
define internal i64 @lowest(ptr %m, i64 %va) {{
{BEGIN}{AT_RAM}  br i1 %fine, label %level, label %none
level:
  %table = phi i64 [%root, %0], [%below, %inner]
  %shift = phi i64 [30, %0], [%nextshift, %inner]
{ENTRY}  br i1 %inside, label %look, label %none
look:
  %host = add i64 %ram, %at
  %last = icmp eq i64 %shift, 12
  br i1 %last, label %found, label %read
read:
  %hostp = inttoptr i64 %host to ptr
  %pte = load i64, ptr %hostp{GUEST}
{LEADS}  %kind = and i64 %pte, {_POINTER_BITS}
  %pointer = icmp eq i64 %kind, {PTE_V}
  br i1 %pointer, label %inner, label %none
inner:
  %nextshift = sub i64 %shift, 9
  br label %level
found:
  ret i64 %host
none:
  ret i64 0
}}
"""

#: Whether the entry at host address `%at` maps page `%va` with an addend, and grants the access with nothing to do.
_GRANTS = f"""
define internal i1 @grants_{{name}}(ptr %m, i64 %at, i64 %va, i64 %addend) {{{{
  %there = icmp ne i64 %at, 0
  br i1 %there, label %read, label %no
read:
  %ptep = inttoptr i64 %at to ptr
  %pte = load i64, ptr %ptep{GUEST}
  %rights = and i64 %pte, {{need}}
  %allowed = icmp eq i64 %rights, {{need}}
  %reserved = lshr i64 %pte, 54
  %unreserved = icmp eq i64 %reserved, 0
{AT_RAM}{LEADS}  %inram = icmp ult i64 %below, %size
  %host = add i64 %ram, %below
  %wanted = add i64 %va, %addend
  %same = icmp eq i64 %host, %wanted
  %c1 = and i1 %allowed, %unreserved
  %c2 = and i1 %inram, %same
  %c3 = and i1 %c1, %c2
  br i1 %c3, label %open, label %no
open:
  %flagsp = getelementptr i8, ptr %m, i64 {FLAGS}
  %flags = load ptr, ptr %flagsp{MACHINE}
  %number = lshr i64 %below, 12
  %flagp = getelementptr i8, ptr %flags, i64 %number
  %flag = load i8, ptr %flagp{MACHINE}
  %is = and i8 %flag, {{flag}}
  %ready = icmp eq i8 %is, {{flag}}
  ret i1 %ready
no:
  ret i1 false
}}}}
"""

#: The first page from `%va` on, in steps of one page up or down, that is not granted, or for which no look is left.
_EXTENT = """
define internal i64 @extent_{name}(ptr %m, i64 %va, i64 %step, i64 %addend, ptr %looks) {{
  %first = call i64 @lowest(ptr %m, i64 %va)
  %some = load i64, ptr %looks
  %next = ashr i64 %step, 9
  br label %page
page:
  %here = phi i64 [%va, %0], [%there, %yes]
  %at = phi i64 [%first, %0], [%there_at, %yes]
  %left = phi i64 [%some, %0], [%less, %yes]
  %less = sub i64 %left, 1
  %granted = call i1 @grants_{name}(ptr %m, i64 %at, i64 %here, i64 %addend)
  %more = icmp sgt i64 %less, 0
  %on = and i1 %granted, %more
  br i1 %on, label %yes, label %end
yes:
  %there = add i64 %here, %step
  %across = xor i64 %there, %here
  %other = icmp ugt i64 %across, 2097151
  %beside = add i64 %at, %next
  %there_at = call i64 @beside(ptr %m, i64 %there, i64 %beside, i1 %other)
  br label %page
end:
  store i64 %less, ptr %looks
  ret i64 %here
}}
"""
#: The entry beside the last one, or where that was the last of its table, in another table.
_BESIDE = """
define internal i64 @beside(ptr %m, i64 %va, i64 %beside, i1 %other) {
  br i1 %other, label %search, label %same
search:
  %found = call i64 @lowest(ptr %m, i64 %va)
  ret i64 %found
same:
  ret i64 %beside
}
"""

#: Take all runs with this addend that touch [%low, %high) out of the table, into that.
#: Where one was, or -1.
_MERGE = f"""
define internal i64 @merge(ptr %runs, ptr %low, ptr %high, i64 %addend) {{
  br label %next
next:
  %i = phi i64 [0, %0], [%j, %on]
  %place = phi i64 [-1, %0], [%place1, %on]
  %run = getelementptr i8, ptr %runs, i64 %i
  %hip = getelementptr i8, ptr %run, i64 8
  %addp = getelementptr i8, ptr %run, i64 16
  %lo = load i64, ptr %run{MACHINE}
  %hi = load i64, ptr %hip{MACHINE}
  %add = load i64, ptr %addp{MACHINE}
  %mylo = load i64, ptr %low
  %myhi = load i64, ptr %high
  %c1 = icmp eq i64 %add, %addend
  %c2 = icmp ule i64 %lo, %myhi
  %c3 = icmp ule i64 %mylo, %hi
  %c4 = icmp ne i64 %lo, %hi
  %c5 = and i1 %c1, %c2
  %c6 = and i1 %c3, %c4
  %touch = and i1 %c5, %c6
  br i1 %touch, label %take, label %on
take:
  %below = call i64 @llvm.umin.i64(i64 %lo, i64 %mylo)
  %above = call i64 @llvm.umax.i64(i64 %hi, i64 %myhi)
  store i64 %below, ptr %low
  store i64 %above, ptr %high
  store i64 0, ptr %run{MACHINE}
  store i64 0, ptr %hip{MACHINE}
  br label %on
on:
  %place1 = phi i64 [%place, %next], [%i, %take]
  %j = add i64 %i, {RUN}
  %more = icmp ne i64 %j, {_END}
  br i1 %more, label %next, label %end
end:
  ret i64 %place1
}}
declare i64 @llvm.umin.i64(i64, i64)
declare i64 @llvm.umax.i64(i64, i64)
"""

#: Give a run to a slot: one that has all `%bytes` bytes from `%first` on, which a group accesses. Its leader is next:
#: `%size` bytes at `%address`. The run's addend; or NO_ADDEND, which the last comparison makes sure of.
#:
#:     if the generation is another: forget all runs; looks += EACH_GENERATION
#:     looks += EACH_CALL
#:     for each run: if it has all bytes, fill the slot with it
#:     addend = walk(address, size), which alone sets bits and takes faults: NO_ADDEND, then nothing has changed
#:     low, high = the page, with the runs beside it (merge)
#:     if that is not all, and looks suffice: low, high = as far as entries grant the access, both ways (extent), merged
#:     keep it, in the place of a run that it was merged with, or of the one that is kept longest
#:     fill the slot with it
_REACH = f"""
define {WALKING} i64 @{{name}}(ptr %m, ptr %slot, i64 %address, i64 %size, i64 %first, i64 %bytes) noinline {{{{
entry:
  %low = alloca i64
  %high = alloca i64
  %looks = alloca i64
  %tlbp = getelementptr i8, ptr %m, i64 {{tlb}}
  %tlb = load ptr, ptr %tlbp{MACHINE}
  %head = getelementptr i8, ptr %tlb, i64 {RUNS}
  %looksp = getelementptr i8, ptr %head, i64 8
  %nextp = getelementptr i8, ptr %head, i64 16
  %runs = getelementptr i8, ptr %head, i64 {RUN}
  %nowp = getelementptr i8, ptr %m, i64 {GENERATION}
  %now = load i64, ptr %nowp{MACHINE}
  %then = load i64, ptr %head{MACHINE}
  %had = load i64, ptr %looksp{MACHINE}
  %page = and i64 %address, -4096
  %behind = add i64 %page, 4096
  %same = icmp eq i64 %now, %then
  br i1 %same, label %search, label %forget
forget:
  store i64 %now, ptr %head{MACHINE}
  %fresh = add i64 %had, {EACH_GENERATION}
  call void @llvm.memset.inline.p0.i64(ptr %runs, i8 0, i64 {_END}, i1 false)
  br label %search
search:
  %have = phi i64 [%had, %entry], [%fresh, %forget]
  %have1 = add i64 %have, {EACH_CALL}
  %have2 = call i64 @llvm.smin.i64(i64 %have1, i64 {MOST_LOOKS})
  store i64 %have2, ptr %looksp{MACHINE}
  br label %try
try:
  %i = phi i64 [0, %search], [%j, %other]
  %run = getelementptr i8, ptr %runs, i64 %i
  %lop = load i64, ptr %run{MACHINE}
  %hip = getelementptr i8, ptr %run, i64 8
  %hi0 = load i64, ptr %hip{MACHINE}
  %from = sub i64 %first, %lop
  %length = sub i64 %hi0, %lop
  %begins = icmp ult i64 %from, %length
  %to = add i64 %from, %bytes
  %ends = icmp ule i64 %to, %length
  %serves = and i1 %begins, %ends
  br i1 %serves, label %known, label %other
other:
  %j = add i64 %i, {RUN}
  %more = icmp ne i64 %j, {_END}
  br i1 %more, label %try, label %walk
known:
  %addp = getelementptr i8, ptr %run, i64 16
  %held = load i64, ptr %addp{MACHINE}
  store i64 %lop, ptr %low
  store i64 %hi0, ptr %high
  br label %fill
walk:
  %addend = call {WALKING} i64 @{{walk}}(ptr %m, i64 %address, i64 %size)
  store i64 %page, ptr %low
  store i64 %behind, ptr %high
  %can = icmp ne i64 %addend, {NO_ADDEND}
  br i1 %can, label %join, label %none
join:
  %joined = call i64 @merge(ptr %runs, ptr %low, ptr %high, i64 %addend)
  %isjoined = icmp sge i64 %joined, 0
  %upto = load i64, ptr %high
  %last = add i64 %first, %bytes
  %covers = icmp ule i64 %last, %upto
  %from0 = load i64, ptr %low
  %starts = icmp uge i64 %first, %from0
  %both = and i1 %covers, %starts
  %done = and i1 %isjoined, %both
  %may = icmp sge i64 %have2, {EACH_GENERATION}
  br i1 %done, label %keep, label %ask
ask:
  br i1 %may, label %look, label %poor
poor:
  br i1 %isjoined, label %keep, label %fill
look:
  store i64 %have2, ptr %looks
  %top = call i64 @extent_{{name}}(ptr %m, i64 %behind, i64 4096, i64 %addend, ptr %looks)
  %under = sub i64 %page, 4096
  %bottom = call i64 @extent_{{name}}(ptr %m, i64 %under, i64 -4096, i64 %addend, ptr %looks)
  %spent = load i64, ptr %looks
  store i64 %spent, ptr %looksp{MACHINE}
  %bottom1 = add i64 %bottom, 4096
  store i64 %bottom1, ptr %low
  store i64 %top, ptr %high
  %joined2 = call i64 @merge(ptr %runs, ptr %low, ptr %high, i64 %addend)
  br label %keep
keep:
  %old = phi i64 [%joined, %join], [%joined, %poor], [%joined2, %look]
  %isold = icmp sge i64 %old, 0
  %turn = load i64, ptr %nextp{MACHINE}
  %turn1 = add i64 %turn, {RUN}
  %turn2 = and i64 %turn1, {_END - 1}
  %turn3 = select i1 %isold, i64 %turn, i64 %turn2
  store i64 %turn3, ptr %nextp{MACHINE}
  %where = select i1 %isold, i64 %old, i64 %turn
  %kept = getelementptr i8, ptr %runs, i64 %where
  %keptlo = load i64, ptr %low
  %kepthi = load i64, ptr %high
  store i64 %keptlo, ptr %kept{MACHINE}
  %kept8 = getelementptr i8, ptr %kept, i64 8
  store i64 %kepthi, ptr %kept8{MACHINE}
  %kept16 = getelementptr i8, ptr %kept, i64 16
  store i64 %addend, ptr %kept16{MACHINE}
  br label %fill
fill:
  %a = phi i64 [%held, %known], [%addend, %poor], [%addend, %keep]
  %lo = load i64, ptr %low
  %hi = load i64, ptr %high
  %all = sub i64 %hi, %lo
  %enough = icmp uge i64 %all, %bytes
  %room = sub i64 %all, %bytes
  %room1 = add i64 %room, 1
  %limit = select i1 %enough, i64 %room1, i64 0
  store i64 %lo, ptr %slot{MACHINE}
  %slot8 = getelementptr i8, ptr %slot, i64 8
  store i64 %limit, ptr %slot8{MACHINE}
  %slot16 = getelementptr i8, ptr %slot, i64 16
  store i64 %a, ptr %slot16{MACHINE}
  %slot24 = getelementptr i8, ptr %slot, i64 {SLOT_COUNT}
  store i64 {PATIENCE}, ptr %slot24{MACHINE}
  %off = sub i64 %first, %lo
  %within = icmp ult i64 %off, %limit
  %result = select i1 %within, i64 %a, i64 {NO_ADDEND}
  ret i64 %result
none:
  ret i64 {NO_ADDEND}
}}}}
"""
_USED = """
declare void @llvm.memset.inline.p0.i64(ptr, i8, i64, i1)
declare i64 @llvm.smin.i64(i64, i64)
"""

#: The IR of both, and how regions declare them.
REACH = [_LOWEST, _BESIDE, _MERGE, _USED]
REACH += [(_GRANTS + _EXTENT + _REACH).format(name=name, **kind) for name, kind in REACHERS.items()]
DECLARED = "\n".join(f"declare {WALKING} i64 @{name}(ptr, ptr, i64, i64, i64, i64)" for name in REACHERS)
