"""A region → LLVM IR: one function that stands in the place of its first instruction's handler.

Registers are LLVM values inside, and lie in the hart's block before and after. Where a loop begins, it first makes sure
that the budget lets all run until such a place comes again, so that a slice ends after exactly its last instruction.
Whatever needs help goes back to the record of the instruction, with every register and count exact: its handler does
it, and goes on.
"""

from __future__ import annotations

from vm.isa.expr import SetX, Value
from vm.memory import INSTRUCTION_ALIGNMENT
from vm.native.flow import Flow
from vm.native.layout import (
    CALLING,
    CHECK,
    COUNTER_AT,
    EPOCH,
    GUARD_WORDS,
    HART,
    HEAD,
    LOADS,
    MACHINE,
    RECORD,
    REFUSED,
    SIGNATURE,
    STORES,
)
from vm.native.regions import Block, Region
from vm.native.slots import SlotWriter
from vm.native.walk import DECLARED
from vm.ram import PAGE


class RegionWriter(SlotWriter):
    """Writes the IR of one region as function "region"; calls the entry's own handler as "plain"."""

    def __init__(self, region: Region, count: bool) -> None:
        super().__init__(region, count)
        self.region, self.flow = region, Flow(region)
        self._used: set[int] = set()
        self._written: set[int] = set()
        self._exits: list[tuple[str, str, str]] = []
        self._selves: list[tuple[str, str]] = []
        self._fars: list[tuple[str, str, str]] = []
        self._here = "entry"

    def module(self) -> str:
        """The whole module."""
        for block in self.region.blocks.values():
            self._block(block)
        self._ways_out()
        body, self.lines = self.lines, []
        self._head()
        plain = f"declare {CALLING} void @plain(ptr, ptr, i64, ptr)\n@guard = external global [{GUARD_WORDS} x i64]"
        start = f"define {CALLING} void @region({SIGNATURE}) {{"
        return "\n".join([HEAD, plain, DECLARED, self._declarations(), start, *self.lines, *body, "}"]) + "\n"

    def _head(self) -> None:
        """Load every register that the region uses, and where the TLB lies."""
        registers = sorted(self._used | self._written)
        self._start("entry")
        for variable in ("%leftv", *(f"%x{number}" for number in registers), *self._variables()):
            self._line(f"{variable} = alloca i64")  # here, or LLVM makes no values of them
        if len(self.region.spans) > 1:
            self._guard()
        for name, word in (("loads", LOADS), ("stores", STORES)):
            self._line(f"%{name}p = getelementptr i8, ptr %m, i64 {word}")
            self._line(f"%{name} = load ptr, ptr %{name}p{MACHINE}")
        self._line("store i64 %left, ptr %leftv")
        for number in registers:
            value = self._emit(f"load i64, ptr {self._at('%st', 8 * number)}{HART}")
            self._line(f"store i64 {value}, ptr %x{number}")
        self._empty_slots()
        self._line(f"br label %b{self.region.entry:x}")

    def _guard(self) -> None:
        """Only on: where this address space's pages are those that the region was made from. Python knows: CHECK."""
        epoch = self._emit(f"load i64, ptr {self._at('%m', EPOCH)}{MACHINE}")
        offset = self._emit(f"shl i64 {self._emit(f'and i64 {epoch}, {GUARD_WORDS - 1}')}, 3")
        known = self._emit(f"load i64, ptr {self._at('@guard', offset)}{MACHINE}")
        go = self._unlikely(self._emit(f"icmp eq i64 {known}, {epoch}"))
        refused = self._emit(f"icmp eq i64 {known}, {self._emit(f'or i64 {epoch}, {REFUSED}')}")
        ask = self._label("ask")
        self._line(f"br i1 {refused}, label %refused, label %{ask}")
        self._start(ask)
        self._leave(str(self.region.entry), "%left", CHECK)
        self._start("refused")
        self._call("@plain", "%op", "%left")
        self._start(go)

    # blocks

    def _start(self, label: str) -> None:
        super()._start(label)
        self._here = label

    def _block(self, block: Block) -> None:
        """All of the block, after a check of the budget if it is the place for one."""
        self._start(f"b{block.pc:x}")
        left = self._emit("load i64, ptr %leftv")
        room = self.flow.room.get(block.pc)
        if room is not None:
            go = self._unlikely(self._emit(f"icmp ugt i64 {left}, {room}"))
            self._back_to(block.pc, left)
            self._start(go)
        self._begin_accesses(block)
        ended = False
        for index, op in enumerate(block.ops):
            self._op, self._left = op, (left, index)
            self._temps = {}
            for effect in op.insn.effects:
                ended = self._effect(effect)
        if not ended:
            self._retire(len(block.ops))
            self._go_on(block.after())

    def _retire(self, count: int) -> str:
        left = self._emit(f"sub i64 {self._left[0]}, {count}")
        self._line(f"store i64 {left}, ptr %leftv")
        return left

    def _now(self) -> str:
        """What is left of the budget before the current instruction."""
        left, index = self._left
        return self._emit(f"sub i64 {left}, {index}") if index else left

    def _leave_unless(self, condition: str) -> None:
        go = self._unlikely(condition)
        self._back_to(self._op.pc, self._now())
        self._start(go)

    # memory

    def _table(self, access: str) -> str:
        return "%loads" if access in ("load", "lr") else "%stores"

    # operands

    def _leaf(self, value: Value) -> str:
        if value.op == "pc":
            return str(self._op.pc)
        number = self._op.fields[str(value.attr)]
        if value.op == "field" or not number:
            return str(number)
        self._used.add(number)
        return self._emit(f"load i64, ptr %x{number}")

    def _read_csr(self) -> str:
        at = self._at("%m", COUNTER_AT[self._op.fields["csr"]])
        return self._emit(f"sub i64 {self._emit(f'load i64, ptr {at}{MACHINE}')}, {self._now()}")

    def _set(self, effect: SetX) -> None:
        number = self._op.fields[effect.field]
        result = self.value(effect.value)
        if number:
            self._written.add(number)
            self._line(f"store i64 {result}, ptr %x{number}")

    # going on

    def _jump(self, target: Value, when: Value | None) -> None:
        known, _ = self._op.jump()
        condition = self.value(when) if when is not None else None
        where = self.value(target) if known is None else ""
        self._retire(self._left[1] + 1)
        if condition is not None:
            taken, other = self._label("taken"), self._label("other")
            self._line(f"br i1 {condition}, label %{taken}, label %{other}")
            self._start(other)
            self._go_on(self._op.pc + INSTRUCTION_ALIGNMENT)
            self._start(taken)
        if known is not None:
            self._go_on(known)
        else:
            self._dispatch(where)

    def _go_on(self, pc: int) -> None:
        """To a block of the region, or out."""
        if pc in self.region.blocks:
            self._line(f"br label %b{pc:x}")
            return
        left = self._emit("load i64, ptr %leftv")
        if pc ^ self.region.entry < PAGE:
            self._back_to(pc, left)
        else:
            self._fars.append((self._here, str(pc), left))
            self._line("br label %far")

    def _dispatch(self, target: str) -> None:
        """An indirect jump: to one of the targets that are known, or out. Close numbers make a jump table of it."""
        out, targets = self._label("out"), self.region.targets[self._op.pc]
        lowest = min(targets, default=0)
        number = self._emit(f"lshr exact i64 {self._emit(f'sub i64 {target}, {lowest}')}, 2")
        cases = " ".join(f"i64 {pc - lowest >> 2}, label %b{pc:x}" for pc in targets)
        self._line(f"switch i64 {number}, label %{out} [{cases}]")
        self._start(out)
        self._note_jump(str(self._op.pc), target)
        left = self._emit("load i64, ptr %leftv")
        self._fars.append((self._here, target, left))
        self._line("br label %far")

    def _back_to(self, pc: int, left: str) -> None:
        """Go on at the record of `pc`."""
        if pc == self.region.entry:
            self._selves.append((self._here, left))
            self._line("br label %self")
        elif pc ^ self.region.entry < PAGE:
            record = self._at("%op", (pc - self.region.entry) // INSTRUCTION_ALIGNMENT * RECORD)
            self._exits.append((self._here, record, left))
            self._line("br label %exit")
        else:
            self._fars.append((self._here, str(pc), left))
            self._line("br label %far")

    def _ways_out(self) -> None:
        """The three ends: to a record of this page, to the entry's own handler, to any address."""
        if self._exits:
            self._start("exit")
            record = self._phi("ptr", [(where, record) for where, record, _ in self._exits])
            left = self._phi("i64", [(where, left) for where, _, left in self._exits])
            self._spill()
            self._tail(record, left)
        if self._selves:
            self._start("self")
            left = self._phi("i64", self._selves)
            self._spill()
            self._call("@plain", "%op", left)
        if self._fars:
            self._start("far")
            target = self._phi("i64", [(where, target) for where, target, _ in self._fars])
            left = self._phi("i64", [(where, left) for where, _, left in self._fars])
            self._spill()
            self._far(target, left)

    def _phi(self, kind: str, pairs: list[tuple[str, str]]) -> str:
        return self._emit(f"phi {kind} " + ", ".join(f"[{value}, %{where}]" for where, value in pairs))

    def _spill(self) -> None:
        for number in sorted(self._written):
            value = self._emit(f"load i64, ptr %x{number}")
            self._line(f"store i64 {value}, ptr {self._at('%st', 8 * number)}{HART}")
