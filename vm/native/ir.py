"""Effects → LLVM IR: what handlers and regions have in common.

Like a block of the python engine, native code does only what needs no help. Anything else leaves *before* the
instruction, with exact registers, pc and count: a subclass says how, and where operands come from.
"""

from __future__ import annotations

from vm.hart import PC, RESERVATION
from vm.isa.cause import Cause
from vm.isa.expr import Effect, Jump, Let, Raise, Reserve, SetX, Store, Value, WriteCsr
from vm.isa.spec import Insn
from vm.memory import INSTRUCTION_ALIGNMENT
from vm.native.layout import (
    ACCESSES,
    ARGUMENTS,
    CALLING,
    COUNTER_AT,
    CURSOR,
    FAR,
    FETCH_ENTRIES,
    FETCHES,
    GUEST,
    HART,
    LEFT,
    LOADS,
    MACHINE,
    NO_ADDEND,
    PC_AT,
    REASON,
    RECORD,
    RING,
    RING_SIZE,
    STORES,
    TLB_ENTRIES,
    WALKING,
)

_BINARY = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "and": "and",
    "or": "or",
    "xor": "xor",
    "shl": "shl",
    "shr": "lshr",
    "sar": "ashr",
    "eq": "icmp eq",
    "ne": "icmp ne",
    "ult": "icmp ult",
    "slt": "icmp slt",
}
#: Accesses that need not be aligned.
PLAIN = ("load", "store")
_RESIZING = ("trunc", "zext", "sext")
#: What else a value can be; memory and CSRs are read by the Let that they are in.
_OTHER = frozenset((*_RESIZING, "select", "const", "field", "pc", "reservation", "temp", "xreg", "load", "csr"))
_DIVISION = {"divu": "udiv", "remu": "urem", "divs": "sdiv", "rems": "srem"}


def walker_of(access: str) -> str:
    """The function that finds what the TLB does not hold."""
    return "walk_load" if access in ("load", "lr") else "walk_store"


class Writer:
    """Writes the IR of a function, line by line; each value gets a name of its own. `count`: loads and stores count."""

    def __init__(self, count: bool) -> None:
        self.count = count
        self.lines: list[str] = []
        self._count = 0
        self._temps: dict[int, str] = {}

    # lines

    def _emit(self, text: str) -> str:
        """Compute something; the name of the result."""
        self._count += 1
        self.lines.append(f"  %v{self._count} = {text}")
        return f"%v{self._count}"

    def _line(self, text: str) -> None:
        self.lines.append("  " + text)

    def _start(self, label: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{label}:")

    def _label(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def _at(self, base: str, offset: int | str) -> str:
        return self._emit(f"getelementptr i8, ptr {base}, i64 {offset}")

    def _unlikely(self, condition: str, go: str = "") -> str:
        """Begin what is done if the condition does not hold; the label of the rest."""
        go, out = go or self._label("go"), self._label("out")
        self._line(f"br i1 {condition}, label %{go}, label %{out}, !prof !0")
        self._start(out)
        return go

    # what a subclass says

    def _leaf(self, value: Value) -> str:
        """IR for an operand: field, xreg or pc."""
        raise AssertionError(value)

    def _set(self, effect: SetX) -> None:
        """Write a register."""
        raise AssertionError(effect)

    def _jump(self, target: Value, when: Value | None) -> None:
        """End the instruction with a jump."""
        raise AssertionError(target)

    def _trap(self, cause: int) -> None:
        """End the instruction with a trap."""
        raise AssertionError(cause)

    def _read_csr(self) -> str:
        """The CSR that the instruction names."""
        raise AssertionError

    def _leave_unless(self, condition: str) -> None:
        """If the condition does not hold, let the python handler run the instruction."""
        raise AssertionError(condition)

    def _leave_unless_walked(self, condition: str) -> None:
        """The same if a walk gave no addend. The walker has said why; who cannot tell lets python find out."""
        self._leave_unless(condition)

    # effects

    def _effect(self, effect: Effect) -> bool:
        """Write one effect; True if it ended the instruction."""
        match effect:
            case Let(temp, Value(op="load", args=(address,), attr=access, width=width)):
                place = self._place(self.value(address), width // 8, str(access))
                self._temps[temp] = self._emit(f"load i{width}, ptr {place}, align 1{GUEST}")
            case Let(temp, Value(op="csr")):
                self._temps[temp] = self._read_csr()
            case Let(temp, value):  # a jump's target, computed before rd is written: see Trace.finish
                target = self._temps[temp] = self.value(value)
                low = self._emit(f"and i64 {target}, {INSTRUCTION_ALIGNMENT - 1}")
                self._leave_unless(self._emit(f"icmp eq i64 {low}, 0"))
            case Store(address, value, access, when):
                self._store(address, value, access, when)
            case SetX():
                self._set(effect)
            case Reserve(address):
                self._line(f"store i64 {self.value(address)}, ptr {self._at('%st', RESERVATION * 8)}{HART}")
            case WriteCsr(unless_zero=None):  # all CSRs are read-only
                self._trap(Cause.ILLEGAL)
                return True
            case WriteCsr():
                pass  # such a record has the handler "illegal" if it would write
            case Jump(target, when):
                self._jump(target, when)
            case Raise(cause):
                self._trap(cause)
        return isinstance(effect, (Jump, Raise))

    # values

    def value(self, value: Value) -> str:
        """IR for a value: a number, or the name of what holds it."""
        match value.op:
            case "const":
                return str(value.attr)
            case "temp":
                return self._temps[int(value.attr or 0)]
            case "reservation":
                return self._emit(f"load i64, ptr {self._at('%st', RESERVATION * 8)}{HART}")
        if not value.args:
            return self._leaf(value)
        return self._operator(value, [self.value(arg) for arg in value.args])

    def _operator(self, value: Value, args: list[str]) -> str:
        operand = value.args[0].width
        if value.op in _RESIZING:
            return self._emit(f"{value.op} i{operand} {args[0]} to i{value.width}")
        if value.op == "select":
            return self._emit(f"select i1 {args[0]}, i{value.width} {args[1]}, i{value.width} {args[2]}")
        if value.op in _DIVISION:
            return self._divide(value, *args)
        if value.op in ("shl", "shr", "sar"):
            args[1] = self._resize(args[1], value.args[1].width, value.width)
        return self._emit(f"{_BINARY[value.op]} i{operand} {args[0]}, {args[1]}")

    def _resize(self, text: str, width: int, wanted: int) -> str:
        if width == wanted or text.isdigit():
            return text
        return self._emit(f"{'trunc' if width > wanted else 'zext'} i{width} {text} to i{wanted}")

    def _divide(self, value: Value, a: str, b: str) -> str:
        """Total division: the divisor becomes 1 where LLVM's is undefined, and the result is mended after."""
        kind = f"i{value.width}"
        zero = bad = self._emit(f"icmp eq {kind} {b}, 0")
        if value.op in ("divs", "rems"):
            least = self._emit(f"icmp eq {kind} {a}, {-(1 << value.width - 1)}")
            minus = self._emit(f"icmp eq {kind} {b}, -1")
            bad = self._emit(f"or i1 {zero}, {self._emit(f'and i1 {least}, {minus}')}")
        safe = self._emit(f"select i1 {bad}, {kind} 1, {kind} {b}")
        result = self._emit(f"{_DIVISION[value.op]} {kind} {a}, {safe}")
        return self._emit(f"select i1 {zero}, {kind} {a if value.op in ('remu', 'rems') else 0}, {kind} {result}")

    # memory

    def _place(self, address: str, size: int, access: str) -> str:
        """The host address of an access, through the TLB; the walker serves a miss, and what is misaligned."""
        if access not in PLAIN and size > 1:
            low = self._emit(f"and i64 {address}, {size - 1}")
            self._leave_unless(self._emit(f"icmp eq i64 {low}, 0"))
        addend = self._addend(address, size, access)
        if self.count:
            counter = self._at("%m", ACCESSES)
            more = self._emit(f"add i64 {self._emit(f'load i64, ptr {counter}{MACHINE}')}, 1")
            self._line(f"store i64 {more}, ptr {counter}{MACHINE}")
        return self._emit(f"inttoptr i64 {self._emit(f'add i64 {address}, {addend}')} to ptr")

    def _addend(self, address: str, size: int, access: str) -> str:
        """Host address - virtual address for an access."""
        entry = self._entry(self._table(access), address, TLB_ENTRIES)
        tag = self._emit(f"load i64, ptr {entry}{MACHINE}")
        wanted = self._emit(f"and i64 {address}, {-4096 | size - 1}")
        hit, walked, go = self._label("hit"), self._label("walked"), self._label("go")
        miss = self._unlikely(self._emit(f"icmp eq i64 {tag}, {wanted}"), hit)
        made = self._emit(f"call {WALKING} i64 @{walker_of(access)}(ptr %m, i64 {address}, i64 {size})")
        self._leave_unless_walked(self._emit(f"icmp ne i64 {made}, {NO_ADDEND}"))
        self._line(f"br label %{walked}")
        self._start(walked)
        self._line(f"br label %{go}")
        self._start(miss)
        found = self._emit(f"load i64, ptr {self._at(entry, 8)}{MACHINE}")
        self._line(f"br label %{go}")
        self._start(go)
        return self._emit(f"phi i64 [{made}, %{walked}], [{found}, %{hit}]")

    def _table(self, access: str) -> str:
        """Where the TLB's entries for an access begin."""
        return self._emit(f"load ptr, ptr {self._at('%m', LOADS if access in ('load', 'lr') else STORES)}{MACHINE}")

    def _entry(self, table: str, address: str, entries: int) -> str:
        """The one place of a direct-mapped table where the page of `address` can be."""
        index = self._emit(f"and i64 {self._emit(f'lshr i64 {address}, 8')}, {(entries - 1) * 16}")
        return self._at(table, index)

    def _store(self, address: Value, value: Value, access: str, when: Value | None) -> None:
        where = self.value(address)
        if when is None:
            self._store_at(where, value, access)
            return
        low = self._emit(f"and i64 {where}, {value.width // 8 - 1}")
        self._leave_unless(self._emit(f"icmp eq i64 {low}, 0"))
        do, done = self._label("do"), self._label("done")
        self._line(f"br i1 {self.value(when)}, label %{do}, label %{done}")
        self._start(do)
        self._store_at(where, value, access)
        self._line(f"br label %{done}")
        self._start(done)

    def _store_at(self, where: str, value: Value, access: str) -> None:
        place = self._place(where, value.width // 8, access)
        self._line(f"store i{value.width} {self.value(value)}, ptr {place}, align 1{GUEST}")

    # going on

    def _leave(self, pc: str, left: str, reason: int | None) -> None:
        """Return to python, for a reason that may have been written already (None)."""
        self._line(f"store i64 {pc}, ptr {self._at('%st', PC * 8)}{HART}")
        self._line(f"store i64 {left}, ptr {self._at('%m', LEFT)}{MACHINE}")
        if reason is not None:
            self._line(f"store i64 {reason}, ptr {self._at('%m', REASON)}{MACHINE}")
        self._line("ret void")

    def _tail(self, record: str, left: str) -> None:
        """Go on with the handler of a record."""
        handler = self._emit(f"load ptr, ptr {record}{MACHINE}")
        self._call(handler, record, left)

    def _call(self, handler: str, record: str, left: str) -> None:
        self._line(f"musttail call {CALLING} void {handler}({ARGUMENTS.format(record, left)})")
        self._line("ret void")

    def _far(self, target: str, left: str) -> None:
        """Go on at an address on any page, if the budget allows and the fetch TLB knows its records."""
        table = self._emit(f"load ptr, ptr {self._at('%m', FETCHES)}{MACHINE}")
        entry = self._entry(table, target, FETCH_ENTRIES)
        tag = self._emit(f"load i64, ptr {entry}{MACHINE}")
        wanted = self._emit(f"and i64 {target}, {-4096 | INSTRUCTION_ALIGNMENT - 1}")
        known = self._emit(f"icmp eq i64 {tag}, {wanted}")
        some = self._emit(f"icmp ne i64 {left}, 0")
        go = self._unlikely(self._emit(f"and i1 {known}, {some}"))
        self._leave(target, left, FAR)
        self._start(go)
        records = self._emit(f"load ptr, ptr {self._at(entry, 8)}{MACHINE}")
        step = RECORD // INSTRUCTION_ALIGNMENT
        offset = self._emit(f"mul i64 {self._emit(f'and i64 {target}, 4095')}, {step}")
        self._tail(self._at(records, offset), left)

    def _note_jump(self, pc: str, target: str) -> None:
        """Note an indirect jump, for regions that are made later."""
        cursor = self._emit(f"load i64, ptr {self._at('%m', CURSOR)}{MACHINE}")
        place = self._at("%m", self._emit(f"add i64 {cursor}, {RING}"))
        self._line(f"store i64 {pc}, ptr {place}{MACHINE}")
        self._line(f"store i64 {target}, ptr {self._at(place, 8)}{MACHINE}")
        following = self._emit(f"and i64 {self._emit(f'add i64 {cursor}, 16')}, {RING_SIZE - 1}")
        self._line(f"store i64 {following}, ptr {self._at('%m', CURSOR)}{MACHINE}")

    def _pc_of(self, record: str) -> str:
        return self._emit(f"load i64, ptr {self._at(record, PC_AT)}{MACHINE}")


def can_render(insn: Insn) -> bool:
    """Whether there is native code for it: for every effect and operator of its definition."""
    return all(_knows(part) for effect in insn.effects for part in effect if isinstance(part, Value))


def _knows(value: Value) -> bool:
    """Whether native code can compute it."""
    op = value.op
    return (op in _BINARY or op in _DIVISION or op in _OTHER) and all(map(_knows, value.args))


def reads_counter(insn: Insn, fields: dict[str, int]) -> bool:
    """Whether an instruction, if it names a CSR, only reads one that there is: anything else traps."""
    if "csr" not in fields:
        return True
    guards = [effect.unless_zero for effect in insn.effects if isinstance(effect, WriteCsr)]
    return fields["csr"] in COUNTER_AT and not any(guard is None or fields[guard] for guard in guards)
