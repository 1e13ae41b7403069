"""Effects → Python source: the reference meaning of every instruction.

Two ways of rendering, from the same effects:

- *handler*: one function per instruction, its operands as parameters. Runs anything, one instruction at a time,
  through the Memory functions that check and trap. This is what runs cold code, tails of slices and traces.
- *block*: straight-line code with operands as constants and registers as Python locals, which accesses RAM through
  the TLB's maps. It does only what needs no help: anything else leaves the block *before* the instruction, with
  exact registers, pc and count, and the handler does it.

A 64-bit value is a Python int from 0 to 2**64 - 1, and a value of width w one from 0 to 2**w - 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from vm.hart import PC, RESERVATION
from vm.isa.expr import Effect, Jump, Let, Raise, Reserve, SetX, Store, Value, WriteCsr
from vm.isa.spec import Insn
from vm.memory import INSTRUCTION_ALIGNMENT

MASK64 = (1 << 64) - 1
#: An address's page and its misalignment for each access size: the key of the TLB's maps. Bit 64 is kept, so that
#: a sum that overflows or goes below zero finds no entry.
PAGE_KEY = {size: (1 << 65) - 1 & ~0xFFF | size - 1 for size in (1, 2, 4, 8)}
_SHIFT = {1: 0, 2: 1, 4: 2, 8: 3}

#: Renders a leaf that stands for an operand: field, xreg, pc, temp or reservation.
Leaf = Callable[[Value], str]


def _mask(width: int) -> str:
    return hex((1 << width) - 1)


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def signed(value: int, width: int) -> int:
    """The two's complement reading of a value of `width` bits."""
    return value - (1 << width) if value >> width - 1 else value


def expression(value: Value, leaf: Leaf) -> str:
    """A Python expression for `value`, whose result is within its width."""
    if value.op == "const":
        return str(value.attr)
    if not value.args:
        return leaf(value)
    args = [expression(arg, leaf) for arg in value.args]
    return _RENDER[value.op](value, *args)


def _wrap(symbol: str) -> Callable[[Value, str, str], str]:
    """An operator whose result may leave the width: masked, or computed now if both sides are numbers."""

    def render(value: Value, a: str, b: str) -> str:
        left, right = _number(a), _number(b)
        if left is not None and right is not None:
            total = {"+": left + right, "-": left - right, "*": left * right}[symbol]
            return str(total & (1 << value.width) - 1)
        if symbol == "+" and right is not None and right >> value.width - 1:
            return f"({a} - {(1 << value.width) - right} & {_mask(value.width)})"
        if symbol == "+" and 0 in (left, right):
            return a if right == 0 else b
        return f"({a} {symbol} {b} & {_mask(value.width)})"

    return render


def _bitwise(symbol: str) -> Callable[[Value, str, str], str]:
    def render(value: Value, a: str, b: str) -> str:
        left, right = _number(a), _number(b)
        if left is not None and right is not None:
            return str({"&": left & right, "|": left | right, "^": left ^ right}[symbol])
        if value.width == 1 and symbol == "^" and right == 1:
            return f"(not {a})"
        if symbol in "|^" and 0 in (left, right):
            return a if right == 0 else b
        return f"({a} {symbol} {b})"

    return render


def _compare(symbol: str) -> Callable[[Value, str, str], str]:
    return lambda value, a, b: f"({a} {symbol} {b})"


def _signed_less(value: Value, a: str, b: str) -> str:
    """Flip the sign bits and compare unsigned; against zero only the sign bit counts."""
    width = value.args[0].width
    half = 1 << width - 1
    if _number(b) == 0:
        return f"({a} >= {half})"

    def flip(text: str) -> str:
        number = _number(text)
        return f"({text} ^ {half})" if number is None else str(number ^ half)

    return f"({flip(a)} < {flip(b)})"


def _shl(value: Value, a: str, n: str) -> str:
    return f"({a} << {n} & {_mask(value.width)})"


def _sar(value: Value, a: str, n: str) -> str:
    half = 1 << value.width - 1
    return f"((({a} ^ {half}) - {half} >> {n}) & {_mask(value.width)})"


def _sext(value: Value, a: str) -> str:
    half = 1 << value.args[0].width - 1
    number = _number(a)
    if number is not None:
        return str((number ^ half) - half & (1 << value.width) - 1)
    return f"(({a} ^ {half}) - {half} & {_mask(value.width)})"


def _trunc(value: Value, a: str) -> str:
    number = _number(a)
    return f"({a} & {_mask(value.width)})" if number is None else str(number & (1 << value.width) - 1)


def _divide(name: str) -> Callable[[Value, str, str], str]:
    return lambda value, a, b: f"{name}({a}, {b}, {value.width})"


_RENDER: dict[str, Callable[..., str]] = {
    "add": _wrap("+"),
    "sub": _wrap("-"),
    "mul": _wrap("*"),
    "and": _bitwise("&"),
    "or": _bitwise("|"),
    "xor": _bitwise("^"),
    "eq": _compare("=="),
    "ne": _compare("!="),
    "ult": _compare("<"),
    "slt": _signed_less,
    "shl": _shl,
    "shr": lambda value, a, n: f"({a} >> {n})",
    "sar": _sar,
    "trunc": _trunc,
    "zext": lambda value, a: f"int({a})" if value.args[0].width == 1 else a,
    "sext": _sext,
    "select": lambda value, c, a, b: f"({a} if {c} else {b})",
    "divu": lambda value, a, b: f"({a} // {b} if {b} else 0)",
    "remu": lambda value, a, b: f"({a} % {b} if {b} else {a})",
    "divs": _divide("divs"),
    "rems": _divide("rems"),
}


def divs(a: int, b: int, width: int) -> int:
    """Signed quotient towards zero, modulo 2**width; 0 if b is 0."""
    left, right = signed(a, width), signed(b, width)
    if right == 0:
        return 0
    quotient = abs(left) // abs(right)
    return (quotient if (left < 0) == (right < 0) else -quotient) & (1 << width) - 1


def rems(a: int, b: int, width: int) -> int:
    """Signed remainder with the sign of a; a if b is 0."""
    left, right = signed(a, width), signed(b, width)
    if right == 0:
        return a
    remainder = abs(left) % abs(right)
    return (-remainder if left < 0 else remainder) & (1 << width) - 1


# --- handlers ---------------------------------------------------------------------------------------------------


def handler_source(insn: Insn) -> str:
    """A function of (x, m, pc, one parameter per field) that runs the instruction and returns the next pc.

    `x` is the hart's words and `m` the Memory. Immediates come in as 64-bit values. Raises HardwareFault with
    nothing changed.
    """
    effects = insn.effects
    jumps = any(isinstance(effect, Jump) for effect in effects)
    if jumps:  # a misaligned target faults before a register is written
        effects = tuple(sorted(effects, key=lambda effect: isinstance(effect, SetX)))
    lines = [line for effect in effects for line in _handler_effect(effect, insn)]
    if jumps:
        lines.append("return to")
    elif not any(isinstance(effect, Raise) for effect in effects):
        lines.append(f"return {_next_pc(insn)}")
    parameters = ", ".join(["x", "m", "pc", *insn.fields])
    return "\n    ".join([f"def handler({parameters}):", *lines])


def _next_pc(insn: Insn) -> str:
    return f"pc + {insn.length} & {MASK64}"


def address_source(insn: Insn) -> str:
    """A function with the handler's parameters that returns what the instruction will access: [(access, va, size)…]."""
    found = []
    for effect in insn.effects:
        if isinstance(effect, Let) and effect.value.op == "load":
            address = expression(effect.value.args[0], _handler_leaf)
            found.append(f'("load", {address}, {effect.value.width // 8})')
        elif isinstance(effect, Store):
            address = expression(effect.address, _handler_leaf)
            when = "" if effect.when is None else f" if {expression(effect.when, _handler_leaf)} else None"
            found.append(f'("store", {address}, {effect.value.width // 8}){when}')
    parameters = ", ".join(["x", "m", "pc", *insn.fields])
    return f"def addresses({parameters}):\n    return [{', '.join(found)}]"


def _handler_leaf(value: Value) -> str:
    match value.op:
        case "xreg":
            return f"x[{value.attr}]"
        case "temp":
            return f"t{value.attr}"
        case "reservation":
            return f"x[{RESERVATION}]"
        case _:
            return str(value.attr or value.op)


def _handler_effect(effect: Effect, insn: Insn) -> list[str]:
    def text(value: Value) -> str:
        return expression(value, _handler_leaf)

    match effect:
        case Let(temp, Value(op="load", args=(address,), attr=access, width=width)):
            return [f"t{temp} = m.{access}({text(address)}, {width // 8})"]
        case Let(temp, Value(op="csr", attr=unless)):
            guard = f" if {unless} else 0" if unless else ""
            return [f"t{temp} = m.read_csr(csr){guard}"]
        case Let(temp, value):
            return [f"t{temp} = {text(value)}"]
        case Store(address, value, access, when):
            checked = [f"m.align({text(address)}, {value.width // 8})"] if access == "amo" else []
            guard = f"if {text(when)}: " if when is not None else ""
            return [*checked, f"{guard}m.store({text(address)}, {value.width // 8}, {text(value)})"]
        case SetX(field, value):
            return [f"if {field}: x[{field}] = {text(value)}"]
        case Jump(target, when):
            otherwise = f" if {text(when)} else {_next_pc(insn)}" if when is not None else ""
            return [f"to = m.aim({text(target)}){otherwise}"]
        case Reserve(address):
            return [f"x[{RESERVATION}] = {text(address)}"]
        case WriteCsr(value, unless):
            guard = f"if {unless}: " if unless else ""
            return [f"{guard}m.write_csr(csr, {text(value)})"]
        case Raise(cause):
            return [f"m.trap({cause}, pc)"]


# --- blocks -----------------------------------------------------------------------------------------------------


class Op:
    """An instruction of a block: where it stands, what it is, its fields (immediates as 64-bit values)."""

    __slots__ = ("fields", "insn", "pc")

    def __init__(self, pc: int, insn: Insn, fields: dict[str, int]) -> None:
        self.pc, self.insn = pc, insn
        self.fields = {name: value & MASK64 for name, value in fields.items()}

    def jump(self) -> tuple[int | None, bool]:
        """Its target if that is known now, and whether it always jumps; (None, False) if it never does."""
        for effect in self.insn.effects:
            if isinstance(effect, Jump):
                known = _number(expression(effect.target, self._constant))
                return known, effect.when is None
        return None, False

    def calls(self) -> bool:
        """Whether it jumps and keeps the return address: what it calls comes back behind it, most likely."""
        writes = any(isinstance(effect, SetX) and self.fields[effect.field] for effect in self.insn.effects)
        return writes and any(isinstance(effect, Jump) for effect in self.insn.effects)

    def accesses(self) -> int:
        """How often it touches memory."""
        return sum(isinstance(e, Store) or (isinstance(e, Let) and e.value.op == "load") for e in self.insn.effects)

    def _constant(self, value: Value) -> str:
        if value.op == "pc":
            return str(self.pc)
        return str(self.fields[str(value.attr)]) if value.op == "field" else f"{value.op}{value.attr}"


#: Of the statements inside a block's loop.
INDENT = " " * 12


def can_inline(insn: Insn) -> bool:
    """Whether a block may hold it: CSRs, traps, reservations and conditional stores are the handler's."""
    for effect in insn.effects:
        if isinstance(effect, (Raise, WriteCsr, Reserve)):
            return False
        if isinstance(effect, Let) and effect.value.op == "csr":
            return False
    return True


class BlockRenderer:
    """Renders consecutive ops as one function of (x, R, W, n) that returns what is left of the budget n.

    R and W are the TLB's maps for loads and stores. `where` maps a line of the source to (pc, retired before
    it, memory accesses before it): where a KeyError, that is a miss, leaves the block. With `count`, every way
    out adds its accesses to m.accesses.
    """

    def __init__(self, entry: int, ops: list[Op], count: bool) -> None:
        self.entry, self.ops, self.count = entry, ops, count
        self.where: dict[int, tuple[int, int, int]] = {}
        self._lines: list[str] = []
        self._used: set[int] = set()
        self._written: set[int] = set()

    def source(self) -> str:
        """The Python source of the block."""
        inside = [line for index, op in enumerate(self.ops) for line in self._numbered(index, op)]
        if not self.ops[-1].jump()[1]:
            inside.append(INDENT + self._leave(self._after(), len(self.ops)))
        registers = sorted(self._used | self._written)
        head = [
            f"def block_{self.entry:x}(x, R, W, n):",
            "".join(f"    x{r} = x[{r}];" for r in registers).replace(";    ", "; ") or "    pass",
            "    try:",
            f"        while n >= {len(self.ops)}:",
        ]
        tail = [
            f"        else: pc = {self.entry}",
            "    except KeyError as miss:",
            "        pc, done, accesses = where[miss.__traceback__.tb_lineno]",
            "        n -= done; m.missed = True" + ("; m.accesses += accesses" if self.count else ""),
            *(f"    x[{r}] = x{r}" for r in sorted(self._written)),
            f"    x[{PC}] = pc",
            "    return n",
        ]
        self.where = {line + len(head): place for line, place in self.where.items()}
        return "\n".join([*head, *inside, *tail]) + "\n"

    def _after(self) -> int:
        last = self.ops[-1]
        return last.pc + last.insn.length & MASK64

    def _leave(self, target: int | str, retired: int) -> str:
        return f"{self._retire(retired)}; pc = {target}; break"

    def _retire(self, retired: int) -> str:
        return f"n -= {retired}" + (f"; m.accesses += {self._accesses(retired)}" if self.count else "")

    def _accesses(self, retired: int) -> int:
        """Loads and stores in the first `retired` instructions."""
        return sum(op.accesses() for op in self.ops[:retired])

    def _numbered(self, index: int, op: Op) -> list[str]:
        """The lines of one instruction; each is noted in `where` as leaving before it."""
        lines = self._op(index, op)
        start = len(self._lines)
        self._lines += lines
        for offset in range(len(lines)):
            self.where[start + offset + 1] = (op.pc, index, self._accesses(index))
        return lines

    def _op(self, index: int, op: Op) -> list[str]:
        uses = _temp_uses(op.insn)
        inlined: dict[int, Value] = {}
        lines: list[str] = []
        for effect in op.insn.effects:
            if _is_plain_load(effect) and uses.get(effect.temp) == 1:
                inlined[effect.temp] = effect.value
            else:
                lines += self._effect(index, op, effect, inlined)
        return [INDENT + line for line in lines]

    def _leaf(self, op: Op, inlined: dict[int, Value]) -> Leaf:
        def leaf(value: Value) -> str:
            match value.op:
                case "xreg":
                    number = op.fields[str(value.attr)]
                    if number:
                        self._used.add(number)
                    return f"x{number}" if number else "0"
                case "temp":
                    load = inlined.get(int(value.attr or 0))
                    return self._load(load, leaf) if load is not None else f"t{value.attr}"
                case "pc":
                    return str(op.pc)
                case _:
                    return str(op.fields[str(value.attr)])

        return leaf

    def _load(self, load: Value, leaf: Leaf, signed_view: bool = False) -> str:
        """Index RAM's view of the right width; the walrus keeps the address for the TLB's key and the index."""
        size = load.width // 8
        view = f"{'s' if signed_view else 'u'}{load.width}"
        return f"{view}[{_place('R', _address(load.args[0], leaf), size)}]"

    def _value(self, value: Value, op: Op, inlined: dict[int, Value]) -> str:
        """An expression, with a sign-extended load read through a signed view."""
        leaf = self._leaf(op, inlined)
        if value.op == "sext" and value.args[0].op == "temp":
            load = inlined.get(int(value.args[0].attr or 0))
            if load is not None:
                return f"{self._load(load, leaf, True)} & {_mask(value.width)}"
        return expression(value, leaf)

    def _effect(self, index: int, op: Op, effect: Effect, inlined: dict[int, Value]) -> list[str]:
        match effect:
            case Let(temp, Value(op="load") as load):
                table = "W" if load.attr == "amo" else "R"
                place = _place(table, _address(load.args[0], self._leaf(op, inlined)), load.width // 8)
                return [f"t{temp} = u{load.width}[{place}]"]
            case Let(temp, value):  # a jump's target, computed before rd is written: see Trace.finish
                leave = self._leave(op.pc, index)
                text = self._value(value, op, inlined)
                return [f"t{temp} = {text}", f"if t{temp} & {INSTRUCTION_ALIGNMENT - 1}: {leave}"]
            case Store(address, value, _, _):
                place = _place("W", _address(address, self._leaf(op, inlined)), value.width // 8)
                return [f"u{value.width}[{place}] = {self._value(value, op, inlined)}"]
            case SetX(field, value):
                return self._set(op.fields[field], self._value(value, op, inlined))
            case Jump(target, when):
                return self._jump(index, op, target, when, inlined)
            case _:
                raise AssertionError(f"{op.insn.name} has {effect}: can_inline must refuse it")

    def _set(self, number: int, text: str) -> list[str]:
        """Write a register; for x0 only a load is left to do, since it may fault."""
        if number:
            self._written.add(number)
            return [f"x{number} = {text}"]
        return [text] if "[" in text else []

    def _jump(self, index: int, op: Op, target: Value, when: Value | None, inlined: dict[int, Value]) -> list[str]:
        where = self._value(target, op, inlined)
        condition = self._value(when, op, inlined) if when is not None else None
        retired = index + 1
        if condition is None and index + 1 < len(self.ops) and _number(where) == self.ops[index + 1].pc:
            return []
        guard = f"if {condition}: " if condition else ""
        if _number(where) == self.entry:
            return [f"{guard}{self._retire(retired)}; continue"]
        return [guard + self._leave(where, retired)]


def _address(value: Value, leaf: Leaf) -> str:
    """An address as register plus signed offset, not masked: an overflow finds no entry in the TLB's maps."""
    if value.op == "add" and value.args[1].op == "field":
        base, offset = leaf(value.args[0]), signed(int(leaf(value.args[1])), 64)
        if offset == 0:
            return base
        return f"{base} + {offset}" if offset > 0 else f"{base} - {-offset}"
    return expression(value, leaf)


def _place(table: str, address: str, size: int) -> str:
    shift = f" >> {_SHIFT[size]}" if size > 1 else ""
    simple = address.isalnum()
    first, again = (address, address) if simple else (f"(a := {address})", "a")
    return f"({first} + {table}[{again} & {PAGE_KEY[size]:#x}]){shift}"


def _is_plain_load(effect: Effect) -> TypeGuard[Let]:
    """A load that may move to where its value is used: nothing of its instruction is stored before."""
    return isinstance(effect, Let) and effect.value.op == "load" and effect.value.attr == "load"


def _temp_uses(insn: Insn) -> dict[int, int]:
    """How often the effects of an instruction use each temp."""
    uses: dict[int, int] = {}

    def count(value: Value) -> None:
        if value.op == "temp":
            number = int(value.attr or 0)
            uses[number] = uses.get(number, 0) + 1
        for arg in value.args:
            count(arg)

    for effect in insn.effects:
        for part in effect:
            if isinstance(part, Value):
                count(part)
    return uses
