"""Symbols, and the values that expressions have before addresses are known.

A value is an int, a Symbol, or an Op of two values. A label's place is (section, offset, points): `points` counts
the places before it in its section whose size is still open (see sections.py), so two labels with the same count
have a fixed distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asm.errors import Statement
    from asm.sections import Section

LOCAL, GLOBAL, WEAK = 0, 1, 2  # bindings (gABI, Symbol Table)
NOTYPE, OBJECT, FUNC, SECTION, FILE, COMMON, TLS, GNU_IFUNC = 0, 1, 2, 3, 4, 5, 6, 10  # types
DEFAULT, INTERNAL, HIDDEN, PROTECTED = 0, 1, 2, 3  # visibilities


class Symbol:
    """A name for a place or a value. Undefined while it has neither section, value nor common size."""

    __slots__ = (
        *("name", "section", "offset", "points", "value", "common", "binding", "type", "visibility", "size"),
        *("defined", "used", "equated", "temporary", "declared_local"),
    )

    def __init__(self, name: str, temporary: bool = False) -> None:
        self.name = name
        self.section: Section | None = None
        self.offset = 0
        self.points = 0
        self.value: Value | None = None  # of .equ
        self.common: tuple[int, int] | None = None  # size and alignment of .comm
        self.binding = LOCAL
        self.type = NOTYPE
        self.visibility = DEFAULT
        self.size: Value | None = None
        self.defined: Statement | None = None
        self.used: Statement | None = None  # where it was first named
        self.equated = False  # by .equ or .set, which may say something else later
        self.declared_local = False  # by .local
        self.temporary = temporary  # kept out of the symbol table unless a relocation needs it

    @property
    def is_defined(self) -> bool:
        """Whether it has a place, a value or a common size."""
        return self.section is not None or self.value is not None or self.common is not None

    def place(self, section: Section) -> None:
        """Makes it the label of the place that `section` has reached."""
        self.section = section
        self.offset = section.here
        self.points = len(section.points)


class Op:
    """An operator and its operands, where at least one is not known yet. `op` is a node name of the grammar; part is
    also one: left is then the name of the function (`%lo`) and right its argument."""

    __slots__ = ("op", "left", "right")

    def __init__(self, op: str, left: Value | str, right: Value) -> None:
        self.op = op
        self.left = left
        self.right = right


Value = int | Symbol | Op
