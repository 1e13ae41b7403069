"""Reads line tables: which source line an address comes from, in our programs and in those of GNU as, gcc and clang.

Source: DWARF 5, 6.2 Line Number Information, and versions 2 to 4 of it. The bytes are not trusted: what can't be
read is left out, and no input makes it hang.
"""

from __future__ import annotations

from asm.elf import Elf, ElfError, string_at
from asm.leb128 import read_signed, read_unsigned

#: (address, file, line), by address; line 0 ends what the rows before say.
Row = tuple[int, str, int]

_MAX_ROWS = 2_000_000


def line_table(elf: Elf) -> list[Row]:
    """All rows of an ELF file, in the order of their addresses; an empty list if it has none."""
    try:
        sections = {section.name: section.data for section in elf.sections if section.name.startswith(".debug_")}
    except ElfError:
        return []
    data = sections.get(".debug_line", b"")
    rows: list[Row] = []
    at = 0
    while at + 4 < len(data) and len(rows) < _MAX_ROWS:
        length = int.from_bytes(data[at : at + 4], "little")
        if length >= 0xFFFFFFF0:
            break  # 64-bit DWARF: nobody writes it for RISC-V
        try:
            _Unit(data[at + 4 : at + 4 + length], sections).run(rows)
        except (IndexError, ValueError):
            pass  # a damaged unit: the next one may be sound
        at += 4 + length
    rows.sort(key=lambda row: (row[0], row[2] != 0))
    return rows


def locate(rows: list[Row], address: int) -> tuple[str, int] | None:
    """(file, line) of an address, or None."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle][0] <= address:
            low = middle + 1
        else:
            high = middle
    if low and rows[low - 1][2]:
        return rows[low - 1][1], rows[low - 1][2]
    return None


class _Unit:
    """One unit of .debug_line: its header, then its program."""

    def __init__(self, data: bytes, sections: dict[str, bytes]) -> None:
        self.data = data
        self.sections = sections
        self.at = 0
        self.files: list[str] = []
        self.folders: list[str] = []

    def run(self, rows: list[Row]) -> None:
        version = self._fixed(2)
        if not 2 <= version <= 5:
            return
        if version == 5:
            self._fixed(2)  # sizes of addresses and segment selectors
        head = self._fixed(4)
        program = self.at + head
        self.minimum = self._fixed(1)
        if version >= 4:
            self._fixed(1)  # operations per instruction
        self._fixed(1)  # default_is_stmt
        self.line_base = (self._fixed(1) ^ 0x80) - 0x80
        self.line_range = self._fixed(1) or 1
        self.opcode_base = self._fixed(1)
        self.lengths = [self._fixed(1) for _ in range(self.opcode_base - 1)]
        if version == 5:
            self.folders = self._entries()
            self.files = self._entries()
        else:
            self._old_tables()
        self.at = program
        self._program(rows)

    def _fixed(self, size: int) -> int:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise IndexError("cut off")
        self.at += size
        return int.from_bytes(piece, "little")

    def _leb(self) -> int:
        value, self.at = read_unsigned(self.data, self.at)
        return value

    def _string(self) -> str:
        text = string_at(self.data, self.at)
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise IndexError("cut off")
        self.at = end + 1
        return text

    def _old_tables(self) -> None:
        """Versions 2 to 4: lists of strings; folder 0 is the compilation's own, files count from 1."""
        self.folders = [""]
        while folder := self._string():
            self.folders.append(folder)
        self.files = [""]
        while name := self._string():
            folder_number = self._leb()
            self._leb()
            self._leb()
            self.files.append(self._join(folder_number, name))

    def _join(self, folder: int, name: str) -> str:
        base = self.folders[folder] if folder < len(self.folders) else ""
        return f"{base}/{name}" if base and not name.startswith("/") else name

    def _entries(self) -> list[str]:
        """Version 5: a description of each entry's fields, then the entries."""
        formats = [(self._leb(), self._leb()) for _ in range(self._fixed(1))]
        count = self._leb()
        found = []
        for _ in range(min(count, len(self.data))):
            name, folder = "", 0
            for content, form in formats:
                value = self._form(form)
                if content == 1:
                    name = str(value)
                elif content == 2:
                    folder = int(value)
            found.append(self._join(folder, name) if formats and len(formats) > 1 and folder else name)
        return found

    def _form(self, form: int) -> str | int:
        """One field (DWARF 5, 7.5.6): strings in place or in another section, numbers, blocks that are passed over."""
        if form == 0x08:
            return self._string()
        if form in (0x0E, 0x1F):
            name = ".debug_str" if form == 0x0E else ".debug_line_str"
            return string_at(self.sections.get(name, b""), self._fixed(4))
        if form == 0x0F:
            return self._leb()
        sizes = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}
        if form == 0x09:
            self._fixed(self._leb())
            return 0
        return self._fixed(sizes[form]) if form in sizes else _unknown()

    def _program(self, rows: list[Row]) -> None:
        """Runs the line number program (6.2.5)."""
        address, file, line = 0, 1, 1
        end = len(self.data)
        while self.at < end and len(rows) < _MAX_ROWS:
            opcode = self._fixed(1)
            if opcode >= self.opcode_base:
                adjusted = opcode - self.opcode_base
                address += adjusted // self.line_range * self.minimum
                line += self.line_base + adjusted % self.line_range
                rows.append((address, self._file(file), line))
            elif opcode == 0:
                length = self._leb()
                following = self.at + length
                kind = self._fixed(1)
                if kind == 1:
                    rows.append((address, "", 0))
                    address, file, line = 0, 1, 1
                elif kind == 2:
                    address = self._fixed(min(length - 1, 8))
                self.at = following
            elif opcode == 1:
                rows.append((address, self._file(file), line))
            elif opcode == 2:
                address += self._leb() * self.minimum
            elif opcode == 3:
                value, self.at = read_signed(self.data, self.at)
                line += value
            elif opcode == 4:
                file = self._leb()
            elif opcode == 8:
                address += (255 - self.opcode_base) // self.line_range * self.minimum
            elif opcode == 9:
                address += self._fixed(2)
            else:
                for _ in range(self.lengths[opcode - 1]):
                    self._leb()

    def _file(self, number: int) -> str:
        return self.files[number] if number < len(self.files) else ""


def _unknown() -> int:
    raise ValueError("an unknown form")
