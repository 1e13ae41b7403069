"""Groups: accesses of one block whose addresses differ by known offsets, so that one check can serve them all."""

from __future__ import annotations

from vm.isa.expr import Let, SetX, Store, Value
from vm.native.ir import PLAIN
from vm.native.regions import Block
from vm.ram import PAGE
from vm.render_python import Op

_SIGN = 1 << 63


class Group:
    """Accesses of one kind. `leader`: the pc of the first. All bytes lie `low` to `high` from where its bytes begin."""

    __slots__ = ("high", "leader", "low", "origin")

    def __init__(self, leader: int, origin: int, size: int) -> None:
        self.leader, self.origin = leader, origin
        self.low, self.high = 0, size

    def takes(self, at: int, size: int) -> bool:
        """Take in `size` bytes at offset `at` of the base; not if they lie too far away."""
        low, high = min(self.low, at - self.origin), max(self.high, at - self.origin + size)
        if high - low > PAGE:
            return False
        self.low, self.high = low, high
        return True


class Bases:
    """For each register: of which value it is which offset; numbers stand for the values."""

    def __init__(self) -> None:
        self._known = {number: (number, 0) for number in range(32)}
        self._values = 32

    def of(self, op: Op) -> tuple[int, int]:
        """What `op` adds to which value: its rs1 and its immediate."""
        value, offset = self._known[op.fields["rs1"]]
        return value, offset + (op.fields["imm"] ^ _SIGN) - _SIGN

    def after(self, op: Op) -> None:
        """The op has run."""
        for effect in op.insn.effects:
            if isinstance(effect, SetX) and op.fields[effect.field]:
                self._values += 1
                self._known[op.fields[effect.field]] = self.of(op) if _adds(effect.value) else (self._values, 0)


def _adds(value: Value) -> bool:
    """Whether it is rs1 and the immediate."""
    return value.op == "add" and [(arg.op, arg.attr) for arg in value.args] == [("xreg", "rs1"), ("field", "imm")]


def groups(block: Block) -> dict[int, Group]:
    """The groups of a block, by the pc of each access. All of the block runs, or it traps."""
    bases, found = Bases(), {}
    open_groups: dict[tuple[int, str], Group] = {}
    for op in block.ops:
        kind, size = plain_access(op)
        if size:
            value, at = bases.of(op)
            group = open_groups.get((value, kind))
            if group is None or not group.takes(at, size):
                group = open_groups[value, kind] = Group(op.pc, at, size)
            found[op.pc] = group
        bases.after(op)
    return found


def plain_access(op: Op) -> tuple[str, int]:
    """What kind of access it makes, and of how many bytes: 0 if none, or none that may be misaligned."""
    for effect in op.insn.effects:
        match effect:
            case Let(_, value) if value.op == "load" and value.attr in PLAIN:
                return str(value.attr), value.width // 8
            case Store(_, value, access, None) if access in PLAIN:
                return access, value.width // 8
    return "", 0
