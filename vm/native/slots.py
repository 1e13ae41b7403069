"""The memory check of regions: each group of accesses has a slot, with the run of pages that served it last (runs.py).

Inside of the run one comparison serves the group; outside the TLB does, and after a while the slot gets another run.
A group that neither serves, since its bytes lie in two runs, or one needs help, leaves the region at its first access.
"""

from __future__ import annotations

from typing import NamedTuple

from vm.native import runs
from vm.native.groups import Group, groups, plain_access
from vm.native.ir import PLAIN, Writer
from vm.native.layout import (
    GENERATION,
    MACHINE,
    NO_ADDEND,
    SLOT,
    SLOT_ADDEND,
    SLOT_COUNT,
    SLOT_LIMIT,
    TLB_ENTRIES,
    WALKING,
)
from vm.native.regions import Block, Region
from vm.ram import PAGE
from vm.render_python import Op

#: A region with so many accesses has its slots in variables, which the processor's registers may hold.
FEW = 16
_RUN = {"low": 0, "limit": SLOT_LIMIT, "addend": SLOT_ADDEND}


class Wish(NamedTuple):
    """A group that is about to begin: its leader accesses `size` bytes at `address`; all are in `span` from `first`."""

    kind: str
    slot: int
    address: str
    size: int
    first: str
    span: int


class SlotWriter(Writer):
    """Writes the accesses of a region."""

    _op: Op

    def __init__(self, region: Region, count: bool) -> None:
        super().__init__(count)
        self._slots = 0
        self._few = sum(bool(plain_access(op)[1]) for block in region.blocks.values() for op in block.ops) <= FEW
        self._groups: dict[int, Group] = {}
        self._granted: dict[int, str] = {}

    def _begin_accesses(self, block: Block) -> None:
        """A block begins: nothing is granted yet."""
        self._groups, self._granted = groups(block), {}

    # the slots of the region

    def _declarations(self) -> str:
        """What the module needs besides the function."""
        return f"@slots = internal global [{SLOT * (1 + self._slots)} x i8] zeroinitializer, align 64\n{runs.DECLARED}"

    def _variables(self) -> list[str]:
        return [f"%{name}{slot}s" for slot in range(self._slots) for name in _RUN] if self._few else []

    def _empty_slots(self) -> None:
        """At the region's entry: slots of another generation hold nothing."""
        now, had = self._word("%m", GENERATION), self._word("@slots", 0)
        go = self._unlikely(self._emit(f"icmp eq i64 {now}, {had}"))
        self._line(f"store i64 {now}, ptr @slots{MACHINE}")
        for slot in range(self._slots):
            self._line(f"store i64 0, ptr {self._at('@slots', SLOT * (1 + slot) + SLOT_LIMIT)}{MACHINE}")
        self._line(f"br label %{go}")
        self._start(go)
        for slot in range(self._slots):
            self._read_slot(slot)

    def _read_slot(self, slot: int) -> None:
        """Into its variables, if it has any."""
        if self._few:
            for name, offset in _RUN.items():
                value = self._word("@slots", SLOT * (1 + slot) + offset)
                self._line(f"store i64 {value}, ptr %{name}{slot}s")

    def _run_of(self, slot: int, name: str) -> str:
        if self._few:
            return self._emit(f"load i64, ptr %{name}{slot}s")
        return self._word("@slots", SLOT * (1 + slot) + _RUN[name])

    def _word(self, base: str, offset: int) -> str:
        return self._emit(f"load i64, ptr {self._at(base, offset)}{MACHINE}")

    # an access

    def _addend(self, address: str, size: int, access: str) -> str:
        if access not in PLAIN:
            return super()._addend(address, size, access)
        group = self._groups[self._op.pc]
        if group.leader not in self._granted:
            first = self._emit(f"add i64 {address}, {group.low}") if group.low else address
            wish = Wish(access, self._slots, address, size, first, group.high - group.low)
            self._slots += 1
            self._granted[group.leader] = self._grant(wish)
        return self._granted[group.leader]

    def _grant(self, wish: Wish) -> str:
        """The addend for all of a group: its slot's, if that run has all bytes."""
        inside, go = self._label("in"), self._label("go")
        offset = self._emit(f"sub i64 {wish.first}, {self._run_of(wish.slot, 'low')}")
        self._unlikely(self._emit(f"icmp ult i64 {offset}, {self._run_of(wish.slot, 'limit')}"), inside)
        found = self._outside(wish, go)
        self._start(inside)
        found[inside] = self._run_of(wish.slot, "addend")
        self._line(f"br label %{go}")
        self._start(go)
        return self._emit("phi i64 " + ", ".join(f"[{value}, %{label}]" for label, value in found.items()))

    def _outside(self, wish: Wish, go: str) -> dict[str, str]:
        """Ask the TLB, or for another run, and go on: the addends by the blocks that they come from."""
        hit, reached = self._label("hit"), self._label("reached")
        entry = self._entry(self._table(wish.kind), wish.first, TLB_ENTRIES)
        known = self._on_page(wish, self._emit(f"load i64, ptr {entry}{MACHINE}"))
        self._unlikely(self._emit(f"and i1 {known}, {self._may_go_on(wish.slot)}"), hit)
        made = self._reach(wish)
        self._line(f"br label %{reached}")
        self._start(reached)
        self._line(f"br label %{go}")
        self._start(hit)
        cached = self._word(entry, 8)
        self._line(f"br label %{go}")
        return {reached: made, hit: cached}

    def _on_page(self, wish: Wish, tag: str) -> str:
        """Whether all bytes are on the page of a TLB entry's tag, which is no page's address if the entry is empty."""
        known = self._emit(f"icmp eq i64 {tag}, {self._emit(f'and i64 {wish.first}, {-PAGE}')}")
        if wish.span == 1:
            return known
        last = self._emit(f"add i64 {wish.first}, {wish.span - 1}")
        near = self._emit(f"icmp ult i64 {self._emit(f'xor i64 {last}, {wish.first}')}, {PAGE}")
        return self._emit(f"and i1 {known}, {near}")

    def _may_go_on(self, slot: int) -> str:
        """Count down how often the TLB serves a slot: whether it may do so now."""
        place = self._at("@slots", SLOT * (1 + slot) + SLOT_COUNT)
        count = self._emit(f"sub i64 {self._emit(f'load i64, ptr {place}{MACHINE}')}, 1")
        self._line(f"store i64 {count}, ptr {place}{MACHINE}")
        return self._emit(f"icmp sgt i64 {count}, 0")

    def _reach(self, wish: Wish) -> str:
        """The addend of another run, which is the slot's from now on."""
        place = self._at("@slots", SLOT * (1 + wish.slot))
        where = f"i64 {wish.address}, i64 {wish.size}, i64 {wish.first}, i64 {wish.span}"
        made = self._emit(f"call {WALKING} i64 @reach_{wish.kind}(ptr %m, ptr {place}, {where})")
        self._leave_unless_walked(self._emit(f"icmp ne i64 {made}, {NO_ADDEND}"))
        self._read_slot(wish.slot)
        return made
