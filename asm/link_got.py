"""The global offset table: addresses that position-independent code loads instead of computing them.

Source: psABI, 8.4 (GOT_HI20, TLS_GOT_HI20, TLS_GD_HI20), 8.7 Thread Local Storage. The table is a reserved word,
the entries, and two words that dynamic linkers would use, as GNU ld lays it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from asm.objects import Object, ObjectSection, ObjectSymbol
from asm.relocate import NAMES
from asm.sections import ALLOC, PROGBITS, WRITE

#: Bytes of an entry for each relocation: an address; an offset from tp; a module's number and an offset in its block.
SIZES = {"GOT_HI20": 8, "TLS_GOT_HI20": 8, "TLS_GD_HI20": 16}
_MODULE = 1  # of the executable itself
_DTV_BIAS = 0x800  # offsets in a module's block are told less this (psABI, 8.7.3)


class Got:
    """The entries of a link, by (kind of relocation, symbol); `section` is None if there are none."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int], tuple[int, ObjectSymbol]] = {}  # by name and id(): offset, symbol
        self.size = 8
        self.section: ObjectSection | None = None

    def collect(self, objects: Iterable[Object], definition: Callable[[ObjectSymbol], ObjectSymbol]) -> None:
        """Makes an entry for each symbol that is asked for, in the order of the objects."""
        for made in objects:
            for section in made.sections:
                for relocation in section.relocations:
                    name = NAMES.get(relocation.type, "")
                    if name in SIZES and relocation.symbol is not None:
                        self._add(name, definition(relocation.symbol))
        if self.entries:
            data = bytes(self.size) + b"\xff" * 8 + bytes(8)
            self.section = ObjectSection(".got", PROGBITS, ALLOC | WRITE, 8, data, len(data), 8)

    def _add(self, name: str, symbol: ObjectSymbol) -> None:
        if (name, id(symbol)) not in self.entries:
            self.entries[name, id(symbol)] = (self.size, symbol)
            self.size += SIZES[name]

    def offset(self, name: str, symbol: ObjectSymbol) -> int:
        """Where in the table a symbol's entry is."""
        return self.entries[name, id(symbol)][0]

    def content(self, address: Callable[[ObjectSymbol], int | None], thread_base: int) -> dict[int, int]:
        """The words of the entries by their offsets."""
        words = {}
        for (name, _), (offset, symbol) in self.entries.items():
            value = address(symbol) or 0
            if name == "TLS_GD_HI20":
                words[offset], words[offset + 8] = _MODULE, value - thread_base - _DTV_BIAS
            else:
                words[offset] = value - (thread_base if name == "TLS_GOT_HI20" else 0)
        return words
