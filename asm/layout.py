"""The layout of a section: how many bytes each open place (Point) needs, found by trying until nothing changes.

Source: GNU as manual, 4 Sections and Relocation; RISC-V: a conditional branch that may not reach its target becomes the
opposite branch over a `j`, as GNU as writes it (its target must be known, and near, for the short form).
"""

from __future__ import annotations

from asm.errors import Diagnostics, Statement, StatementError
from asm.expressions import Linear, linear
from asm.sections import Section
from asm.symbols import WEAK, Symbol, Value

NOP = b"\x13\x00\x00\x00"  # addi x0, x0, 0
BRANCH_REACH = 1 << 12  # a conditional branch reaches from -4096 to 4094
MAX_SIZE = 1 << 28  # bytes of a program, all together: 256 MiB
MAX_ROOM = 1 << 40  # bytes of a section that takes no room in the file
_MAX_ROUNDS = 200


class Point:
    """A place in a section's data (before data[offset]) where `size` more bytes come in."""

    def __init__(self, section: Section, statement: Statement) -> None:
        self.section = section
        self.offset = section.here
        self.index = len(section.points)
        self.statement = statement
        self.size = 0

    def start(self) -> int:
        """Where the additional bytes begin, by the sizes known so far."""
        return self.section.address(self.offset, self.index)

    def measure(self) -> int:
        """The size it needs, by the sizes known so far. Raises StatementError."""
        raise AssertionError

    def content(self) -> bytes:
        """The additional bytes, in the end."""
        return bytes(self.size)


class Align(Point):
    """.align behind an open place: to a multiple of `boundary`, unless that takes more than `most` bytes."""

    def __init__(self, section: Section, statement: Statement, boundary: int, pattern: bytes | None, most: int) -> None:
        super().__init__(section, statement)
        self.boundary, self.pattern, self.most = boundary, pattern, most

    def measure(self) -> int:
        """See Point."""
        return padding(self.start(), self.boundary, self.most)

    def content(self) -> bytes:
        """See Point."""
        return padding_bytes(self.size, self.pattern)


class Branch(Point):
    """A conditional branch, whose four bytes stand before this place; four more if its target is not near."""

    def __init__(self, section: Section, statement: Statement, target: Value, relax: bool) -> None:
        super().__init__(section, statement)
        self.target, self.relax = target, relax

    def measure(self) -> int:
        """See Point."""
        if self.size:
            return self.size  # it only grows, so that this ends
        target = linear(self.target, distance)
        symbol = target.plus
        if symbol is None or symbol.section is not self.section or symbol.binding == WEAK:
            return 4
        away = symbol.section.address(symbol.offset, symbol.points) + target.number - (self.start() - 4)
        return 0 if -BRANCH_REACH <= away < BRANCH_REACH else 4


class Fill(Point):
    """.fill, .skip and their like with a count that is only known in the end."""

    def __init__(self, section: Section, statement: Statement, count: Value, unit: bytes) -> None:
        super().__init__(section, statement)
        self.count, self.unit = count, unit

    def measure(self) -> int:
        """See Point."""
        return len(self.unit) * checked_count(constant_in_the_end(self.count), len(self.unit))

    def content(self) -> bytes:
        """See Point."""
        return self.unit * (self.size // len(self.unit))


class Org(Point):
    """.org: up to an offset of the section."""

    def __init__(self, section: Section, statement: Statement, target: Value, fill: int) -> None:
        super().__init__(section, statement)
        self.target, self.fill = target, fill

    def measure(self) -> int:
        """See Point."""
        return org_size(self.section, linear(self.target, distance), self.start())

    def content(self) -> bytes:
        """See Point."""
        return bytes([self.fill]) * self.size


def org_size(section: Section, target: Linear, here: int) -> int:
    """How far it is from `here` to .org's target. Raises StatementError."""
    if target.minus or (target.plus and target.plus.section is not section):
        raise StatementError("`.org` takes a number or a label of this section")
    wanted = target.number
    if target.plus is not None:
        wanted += section.address(target.plus.offset, target.plus.points)
    if wanted < here:
        raise StatementError(f"`.org` can't go back: this is already offset {here}, and {wanted} is asked for")
    if wanted - here > MAX_ROOM:
        raise StatementError(f"{wanted - here} bytes are more than any program can have")
    return wanted - here


def checked_count(count: int, unit: int) -> int:
    """A count of .fill and its like. Raises StatementError if it is negative or makes too much."""
    if count < 0:
        raise StatementError(f"a negative count: {count}")
    if count * unit > MAX_ROOM:
        raise StatementError(f"{count * unit} bytes are more than any program can have")
    return count


def padding(here: int, boundary: int, most: int) -> int:
    """How many bytes to the next multiple of boundary; 0 if that is more than `most` (0: no limit)."""
    size = -here % boundary
    return 0 if most and size > most else size


def padding_bytes(size: int, pattern: bytes | None) -> bytes:
    """What an alignment is filled with: a pattern, or no-ops (None), as GNU as has them: an odd byte is 0, two are
    c.nop.
    """
    if pattern is None:
        return bytes(size % 2) + b"\x01\x00" * (size % 4 // 2) + NOP * (size // 4)
    if size % len(pattern):
        raise StatementError(f"the {size} bytes up to the alignment are no multiple of the fill's {len(pattern)}")
    return pattern * (size // len(pattern))


def distance(one: Symbol, other: Symbol) -> int | None:
    """one - other, if both are labels of one section."""
    if one.section is None or one.section is not other.section:
        return None
    section = one.section
    return section.address(one.offset, one.points) - section.address(other.offset, other.points)


def fixed_distance(one: Symbol, other: Symbol) -> int | None:
    """one - other, if both are labels of one section with no open place between them."""
    if one.section is None or one.section is not other.section or one.points != other.points:
        return None
    return one.offset - other.offset


def constant_in_the_end(value: Value) -> int:
    """The number that a value is, by the layout so far. Raises StatementError."""
    result = linear(value, distance)
    symbol = result.plus or result.minus
    if symbol is not None:
        raise StatementError(f"`{symbol.name}` must be a number here, or be subtracted from a label of its section")
    return result.number


def settle(sections: list[Section], diagnostics: Diagnostics) -> None:
    """Finds the sizes of all points; afterwards each section's `growth` is final. Reports what can't be laid out."""
    open_sections = [section for section in sections if section.points]
    failed: set[int] = set()
    for _ in range(_MAX_ROUNDS):
        changed = False
        for section in open_sections:
            changed |= _round(section, diagnostics, failed)
        if not changed:
            return
    last = open_sections[-1].points[-1]
    diagnostics.stop("sizes and addresses here depend on each other in a circle", last.statement)


def _round(section: Section, diagnostics: Diagnostics, failed: set[int]) -> bool:
    """Measures each point of a section once, by the sizes of the round before; says whether anything changed."""
    changed, total = False, 0
    growth = section.growth
    if len(growth) != len(section.points) + 1:
        section.growth = growth = [0] * (len(section.points) + 1)
    for point in section.points:
        growth[point.index] = total
        try:
            size = point.measure()
        except StatementError as problem:
            size = 0
            if id(point) not in failed:
                failed.add(id(point))
                diagnostics.error(problem, point.statement)
        changed |= size != point.size
        point.size = size
        total += size
    changed |= growth[-1] != total
    growth[-1] = total
    return changed


def finish(section: Section) -> bytearray:
    """The section's bytes with those of its points; call after settle."""
    if not any(point.size for point in section.points):
        return section.data
    data, taken = bytearray(), 0
    for point in section.points:
        data += section.data[taken : point.offset]
        data += point.content()
        taken = point.offset
    return data + section.data[taken:]
