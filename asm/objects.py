"""A relocatable object in memory: what the assembler makes, what an ELF .o file says, what the linker takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asm.errors import Statement


class ObjectSection:
    """A section of an object. `data` is empty for NOBITS, `size` counts always."""

    __slots__ = ("name", "type", "flags", "align", "entsize", "data", "size", "relocations", "rows", "index")

    def __init__(
        self, name: str, type: int, flags: int, align: int, data: bytes | bytearray, size: int, entsize: int = 0
    ) -> None:
        self.name = name
        self.type = type
        self.flags = flags
        self.align = align
        self.entsize = entsize
        self.data = data
        self.size = size
        self.relocations: list[Relocation] = []
        self.rows: list[tuple[int, str, int]] = []  # (offset, file, line): what becomes .debug_line
        self.index = 0  # in an ELF file


class ObjectSymbol:
    """A symbol of an object. kind: undefined, absolute, common (value is its alignment), section (a place in one)."""

    __slots__ = ("name", "kind", "section", "value", "size", "binding", "type", "visibility", "statement")

    def __init__(self, name: str, kind: str, section: ObjectSection | None = None, value: int = 0) -> None:
        self.name = name
        self.kind = kind
        self.section = section
        self.value = value
        self.size = 0
        self.binding = 0
        self.type = 0
        self.visibility = 0
        self.statement: Statement | None = None  # that defines it, if it was assembled here


class Relocation(NamedTuple):
    """symbol is None for a plain number (symbol 0 of the file); statement is what wants it, if assembled here."""

    offset: int
    type: int
    symbol: ObjectSymbol | None
    addend: int
    statement: Statement | None = None


class Object:
    """One relocatable object; `name` is what messages call it."""

    def __init__(self, name: str, flags: int = 0) -> None:
        self.name = name
        self.flags = flags  # e_flags
        self.sections: list[ObjectSection] = []
        self.symbols: list[ObjectSymbol] = []
        self.comments: list[str] = []  # of .ident
        self.sources: list[tuple[str, str]] = []  # (name, text) of each source, for listings
        self.attributes: dict[int, int | str] = {}  # of .attribute
        self.groups: list[tuple[str, list[ObjectSection]]] = []  # COMDAT groups: signature, members

    def section(self, name: str) -> ObjectSection | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)
