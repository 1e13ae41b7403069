"""What an executable says of its addresses: symbol, section, source line, for messages and traces.

Built from the ELF's symbol table and .debug_line; an executable without them simply knows less.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from asm.elf import Elf, ElfError, Section, read

PF_X = 1
_PT_LOAD = 1
_STT_SECTION, _STT_FILE = 3, 4
_SHF_ALLOC = 2


class Line(NamedTuple):
    """A place in a source file; lines count from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


class Symbols:
    """One executable's names, or those of one section of an object, by its index: there each begins at address 0.

    Everything is looked up on first use: most runs never ask.
    """

    def __init__(self, data: bytes, section: int | None = None) -> None:
        self._data = data
        self._section = section
        self._elf: Elf | None = None
        self._names: tuple[list[int], list[str]] | None = None
        self._lines: tuple[list[int], list[Line | None]] | None = None

    def name(self, address: int) -> str | None:
        """`symbol` or `symbol+0x10` for an address within a loaded segment; None if no symbol is before it."""
        starts, names = self._symbols()
        at = bisect_right(starts, address) - 1
        if at < 0 or not self.inside(address):
            return None
        offset = address - starts[at]
        return f"{names[at]}+{offset:#x}" if offset else names[at]

    def exact(self, address: int) -> str | None:
        """The symbol at exactly this address."""
        starts, names = self._symbols()
        at = bisect_right(starts, address) - 1
        return names[at] if at >= 0 and starts[at] == address else None

    def line(self, address: int) -> Line | None:
        """The source line that the instruction at `address` was assembled from."""
        starts, lines = self._line_table()
        at = bisect_right(starts, address) - 1
        return lines[at] if at >= 0 else None

    def begins_line(self, address: int) -> bool:
        """Whether the code of a source line begins at just this address."""
        starts, _ = self._line_table()
        at = bisect_right(starts, address) - 1
        return at >= 0 and starts[at] == address

    def section(self, address: int) -> str | None:
        """The name of the section that holds `address`, such as .rodata."""
        for section in self._sections():
            if section.addr <= address < section.addr + section.size:
                return section.name
        return None

    def inside(self, address: int) -> bool:
        """Whether a loaded segment holds the address."""
        elf = self._read()
        if elf is None or self._section is not None:
            return elf is not None
        return any(s.vaddr <= address < s.vaddr + s.memsz for s in elf.segments if s.type == _PT_LOAD)

    def code_end(self, address: int) -> int | None:
        """Where the machine code before `address` ends; None if there is none on this page or the one before."""
        elf = self._read()
        ends = [s.vaddr + s.filesz for s in elf.segments if s.type == _PT_LOAD and s.flags & PF_X] if elf else []
        near = [end for end in ends if end <= address < (end | 4095) + 4097]
        return max(near) if near else None

    def word(self, address: int) -> int | None:
        """The 32-bit word that the file has at `address`."""
        elf = self._read()
        for s in elf.segments if elf else ():
            if s.type == _PT_LOAD and s.vaddr <= address and address + 4 <= s.vaddr + s.filesz:
                at = s.offset + address - s.vaddr
                return int.from_bytes(self._data[at : at + 4], "little")
        return None

    def function(self, name: str) -> range:
        """The addresses from the symbol `name` to the next one, or the end of the code; empty without it."""
        starts, names = self._symbols()
        if name not in names:
            return range(0)
        at = names.index(name)
        elf = self._read()
        ends = [s.vaddr + s.filesz for s in elf.segments if s.type == _PT_LOAD and s.flags & PF_X] if elf else []
        limits = [a for a in starts[at + 1 :] + ends if a > starts[at]]
        return range(starts[at], min(limits, default=starts[at]), 4)

    @property
    def entry(self) -> int | None:
        """Where execution begins."""
        elf = self._read()
        return elf.entry if elf else None

    def _read(self) -> Elf | None:
        if self._elf is None and self._data:
            try:
                self._elf = read(self._data)
            except ElfError:
                self._data = b""
        return self._elf

    def _sections(self) -> list[Section]:
        elf = self._read()
        try:
            return [s for s in elf.sections if s.flags & _SHF_ALLOC and s.size] if elf else []
        except ElfError:
            return []

    def _symbols(self) -> tuple[list[int], list[str]]:
        if self._names is None:
            pairs = sorted(_labels(self._read(), self._section))
            self._names = [address for address, _ in pairs], [name for _, name in pairs]
        return self._names

    def _line_table(self) -> tuple[list[int], list[Line | None]]:
        if self._lines is None:
            from asm.dwarf import line_table

            elf = self._read()
            rows = line_table(elf) if elf else []
            self._lines = [row[0] for row in rows], [Line(row[1], row[2]) for row in rows]
        return self._lines


def _labels(elf: Elf | None, section: int | None) -> list[tuple[int, str]]:
    """The symbols that name a place: no files, sections, numbers, mapping symbols ($x) or local labels (.L)."""
    try:
        symbols = elf.symbols if elf else []
    except ElfError:
        return []
    places: dict[int, str] = {}
    for symbol in symbols:
        named = symbol.name and symbol.name[0] not in "$" and not symbol.name.startswith(".L")
        there = 0 < symbol.shndx < 0xFF00 if section is None else symbol.shndx == section
        if named and there and symbol.type not in (_STT_SECTION, _STT_FILE):
            places.setdefault(symbol.value, symbol.name)
    return list(places.items())
