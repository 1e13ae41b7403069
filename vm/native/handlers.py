"""The threaded interpreter: for each instruction a handler whose operands lie in a record (see layout.py)."""

from __future__ import annotations

from vm.hart import PC
from vm.isa.cause import Cause
from vm.isa.expr import Jump, Reserve, SetX, Store, Value
from vm.isa.spec import Insn
from vm.memory import INSTRUCTION_ALIGNMENT
from vm.native import layout
from vm.native.ir import PLAIN, Writer
from vm.native.layout import (
    ASSIST,
    BUDGET,
    CALLING,
    COUNT_AT,
    DECODE,
    FALLBACK,
    FAR,
    HART,
    HEAD,
    HOT,
    IMMEDIATE_AT,
    LEFT,
    MACHINE,
    PC_AT,
    REASON,
    RECORD,
    REGISTER_AT,
    SIGNATURE,
    TRAP,
)
from vm.native.runs import REACH, REACHERS
from vm.native.walk import DECLARED, WALK, WALKERS


class HandlerWriter(Writer):
    """Writes the IR of one handler. `near`: a jump's target is on the same page, displaced by the immediate."""

    def __init__(self, insn: Insn, near: bool, count: bool) -> None:
        super().__init__(count)
        self.insn, self.near = insn, near

    def function(self, name: str) -> str:
        """The function, called `name`."""
        if not self.near:
            self._check_target()
        if not any(self._effect(effect) for effect in self.insn.effects):
            self._next()
        body = "\n".join(self.lines)
        return f"define {CALLING} void @{name}({SIGNATURE}) {{\n{body}\n}}\n"

    def _check_target(self) -> None:
        """A jump to pc + imm faults, if it is taken, where no instruction can be; near ones have been checked."""
        for effect in self.insn.effects:
            if isinstance(effect, Jump) and effect.target.op == "add":
                low = self._emit(f"and i64 {self.value(effect.target)}, {INSTRUCTION_ALIGNMENT - 1}")
                fine = self._emit(f"icmp eq i64 {low}, 0")
                if effect.when is not None:
                    fine = self._emit(f"or i1 {fine}, {self._emit(f'xor i1 {self.value(effect.when)}, true')}")
                self._leave_unless(fine)

    # operands

    def _field(self, offset: int, kind: str) -> str:
        return self._emit(f"load {kind}, ptr {self._at('%op', offset)}{MACHINE}")

    def _register(self, field: str) -> str:
        offset = self._emit(f"zext i16 {self._field(REGISTER_AT[field], 'i16')} to i64")
        return self._at("%st", offset)

    def _leaf(self, value: Value) -> str:
        if value.op == "xreg":
            return self._emit(f"load i64, ptr {self._register(str(value.attr))}{HART}")
        return self._field(PC_AT if value.op == "pc" else IMMEDIATE_AT, "i64")

    def _set(self, effect: SetX) -> None:
        result = self.value(effect.value)
        self._line(f"store i64 {result}, ptr {self._register(effect.field)}{HART}")

    def _read_csr(self) -> str:
        """The immediate says which word has what the counter will be at the budget's end."""
        end = self._emit(f"load i64, ptr {self._at('%m', self._field(IMMEDIATE_AT, 'i64'))}{MACHINE}")
        return self._emit(f"sub i64 {end}, %left")

    # leaving and going on

    def _leave_unless(self, condition: str) -> None:
        go = self._unlikely(condition)
        self._leave(self._pc_of("%op"), "%left", ASSIST)
        self._start(go)

    def _leave_unless_walked(self, condition: str) -> None:
        go = self._unlikely(condition)
        self._leave(self._pc_of("%op"), "%left", None)
        self._start(go)

    def _trap(self, cause: int) -> None:
        self._leave(self._pc_of("%op"), "%left", TRAP + cause)

    def _next(self) -> None:
        self._go_to(self._at("%op", RECORD))

    def _go_to(self, record: str) -> None:
        """Run the instruction of another record, if the budget allows."""
        left = self._emit("sub i64 %left, 1")
        go = self._unlikely(self._emit(f"icmp ne i64 {left}, 0"))
        self._leave(self._pc_of(record), left, BUDGET)
        self._start(go)
        self._tail(record, left)

    def _jump(self, target: Value, when: Value | None) -> None:
        if when is not None:
            taken, other = self._label("taken"), self._label("other")
            self._line(f"br i1 {self.value(when)}, label %{taken}, label %{other}")
            self._start(other)
            self._next()
            self._start(taken)
        self._count_jump(target)
        if self.near:
            step = self._emit(f"mul i64 {self._field(IMMEDIATE_AT, 'i64')}, {RECORD // INSTRUCTION_ALIGNMENT}")
            self._go_to(self._at("%op", step))
        else:
            if target.op != "add":
                self._note_jump(self._field(PC_AT, "i64"), self.value(target))
            self._far(self.value(target), self._emit("sub i64 %left, 1"))

    def _count_jump(self, target: Value) -> None:
        """Count how often this jump is taken; when it has become hot, say so."""
        place = self._at("%op", COUNT_AT)
        count = self._emit(f"add i16 {self._emit(f'load i16, ptr {place}{MACHINE}')}, 1")
        self._line(f"store i16 {count}, ptr {place}{MACHINE}")
        go = self._unlikely(self._emit(f"icmp ne i16 {count}, {layout.HOT_JUMPS}"))
        self._leave(self.value(target), self._emit("sub i64 %left, 1"), HOT)
        self._start(go)


def module(insns: list[Insn], count: bool) -> tuple[str, list[str]]:
    """The IR of handlers, the walkers and `go`, and their names; see handler_name."""
    text, names = _handlers(insns, count)
    leaves = [_LEAVE.format(name=name, reason=reason) for name, reason in _LEAVES]
    names = ["go", *(name for name, _ in _LEAVES), *WALKERS, *names]
    return "".join([HEAD, _GO, *leaves, *WALK, text]), names


def module_of_more(insns: list[Insn], count: bool) -> tuple[str, list[str]]:
    """The IR of more handlers, and their names: the walkers are those of the first module."""
    text, names = _handlers(insns, count)
    return "".join([HEAD, DECLARED, "\n", text]), names


def module_of_runs() -> tuple[str, list[str]]:
    """The IR of what finds runs for regions, and the names."""
    return "".join([HEAD, DECLARED, "\n", *REACH]), list(REACHERS)


def is_rare(insn: Insn) -> bool:
    """Whether most programs do without it: atomic accesses to memory."""
    return any(
        isinstance(effect, Reserve) or (isinstance(effect, Store) and effect.access not in PLAIN)
        for effect in insn.effects
    )


def _handlers(insns: list[Insn], count: bool) -> tuple[str, list[str]]:
    names, parts = [], []
    for insn in insns:
        for near in (False, True) if has_near(insn) else (False,):
            names.append(handler_name(insn, near))
            parts.append(HandlerWriter(insn, near, count).function(f'"{names[-1]}"'))
    return "".join(parts), names


def handler_name(insn: Insn, near: bool) -> str:
    """The symbol of an instruction's handler."""
    return insn.name + (".near" if near else "")


def has_near(insn: Insn) -> bool:
    """Whether a near variant exists: it jumps to pc + imm."""
    return any(isinstance(effect, Jump) and effect.target.op == "add" for effect in insn.effects)


_GO = f"""
define void @go(ptr %st, ptr %op, i64 %left, ptr %m) {{
  %h = load ptr, ptr %op
  call {CALLING} void %h(ptr %st, ptr %op, i64 %left, ptr %m)
  ret void
}}
"""

#: Handlers that only leave: for what has no native handler, what is no instruction, what lies past the page's end, what
#: is not decoded.
_LEAVES = (("fallback", FALLBACK), ("illegal", TRAP + Cause.ILLEGAL), ("far", FAR), ("decode", DECODE))
_LEAVE = f"""
define {CALLING} void @{{name}}({SIGNATURE}) {{{{
  %pcp = getelementptr i8, ptr %op, i64 {PC_AT}
  %pc = load i64, ptr %pcp{MACHINE}
  %sp = getelementptr i8, ptr %st, i64 {PC * 8}
  store i64 %pc, ptr %sp{HART}
  %lp = getelementptr i8, ptr %m, i64 {LEFT}
  store i64 %left, ptr %lp{MACHINE}
  %rp = getelementptr i8, ptr %m, i64 {REASON}
  store i64 {{reason}}, ptr %rp{MACHINE}
  ret void
}}}}
"""
