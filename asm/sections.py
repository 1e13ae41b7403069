"""A section while it is being assembled: bytes, the places in it whose size is open, and what must be filled in later.

`data` holds every byte whose place is known relative to its neighbours. A Point is a place where more bytes may
come in: an alignment behind such a place, a branch that may turn out to be too far, a count that depends on later
symbols. A position is (offset in data, number of points before it); once the layout is done its address is offset +
growth[points].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asm.errors import Statement
    from asm.layout import Point
    from asm.symbols import Value

PROGBITS, NOTE, NOBITS, INIT_ARRAY, FINI_ARRAY, PREINIT_ARRAY = 1, 7, 8, 14, 15, 16  # gABI, sh_type
WRITE, ALLOC, EXEC, MERGE, STRINGS, GROUP, THREAD = 1, 2, 4, 0x10, 0x20, 0x200, 0x400  # gABI, sh_flags


class Fixup(NamedTuple):
    """Bytes at a position that depend on `value`: kind says how (relocate.py), relax whether ld may rewrite the
    code.
    """

    offset: int
    points: int
    kind: str
    value: Value
    relax: bool
    statement: Statement


class Section:
    """One section of the object being made."""

    def __init__(self, name: str, type: int, flags: int, entsize: int = 0) -> None:
        self.name = name
        self.type = type
        self.flags = flags
        self.entsize = 8 if type in (INIT_ARRAY, FINI_ARRAY, PREINIT_ARRAY) else entsize
        self.align = 1
        self.data = bytearray()
        self.empty = 0  # bytes of a NOBITS section, which has no data
        self.points: list[Point] = []
        self.growth: list[int] = [0]  # growth[n]: what the first n points add
        self.fixups: list[Fixup] = []
        self.rows: list[tuple[int, int, str, int]] = []  # (offset, points, file, line), for .debug_line
        self.relaxed = False  # it has code that ld may shorten

    @property
    def here(self) -> int:
        """The offset that it has reached, open places not counted."""
        return len(self.data) + self.empty

    @property
    def is_code(self) -> bool:
        """Whether it holds instructions."""
        return bool(self.flags & EXEC)

    def emit(self, data: bytes) -> None:
        """Appends bytes. A NOBITS section takes only zeros: ValueError otherwise."""
        if self.type != NOBITS:
            self.data += data
        elif data.count(0) == len(data):
            self.empty += len(data)
        else:
            raise ValueError(f"{self.name} holds zeros only: initialized data belongs in .data")

    def zeros(self, count: int) -> None:
        """Appends `count` zero bytes."""
        if self.type == NOBITS:
            self.empty += count
        else:
            self.data += bytes(count)

    def fix(self, kind: str, value: Value, statement: Statement, relax: bool = False) -> None:
        """Notes that the bytes appended next depend on `value`."""
        self.fixups.append(Fixup(self.here, len(self.points), kind, value, relax, statement))

    def address(self, offset: int, points: int) -> int:
        """The offset in the finished section of a position."""
        return offset + self.growth[points]
