"""Line numbers for debuggers: .debug_line, and the .debug_info and .debug_abbrev that lead to it.

Source: DWARF 4, 6.2 Line Number Information, 7.5 (the form is the oldest that says all we have to say, so that
every tool reads it). There is one unit per section with code, so that each covers one range of addresses. The names
of sources stand as they were given: the working directory is no part of a program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm.leb128 import signed, unsigned
from asm.lines import encode
from asm.objects import Object, ObjectSection, ObjectSymbol, Relocation
from asm.relocate import NUMBERS
from asm.sections import EXEC, PROGBITS

if TYPE_CHECKING:
    from asm.link_layout import Image

_R64, _R32 = NUMBERS["64"], NUMBERS["32"]

# DWARF 4, 7.21: opcodes of the line number program; special opcodes begin at OPCODE_BASE.
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE = 1, 2, 3, 4
_LINE_BASE, _LINE_RANGE, _OPCODE_BASE = -5, 14, 13
_LENGTHS = bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))  # operands of the standard opcodes 1 to 12
_SET_ADDRESS = b"\x00\x09\x02"  # extended: the address follows
_END_SEQUENCE = b"\x00\x01\x01"
_MIN_INSN = 1  # addresses advance in bytes: data among code may have any length

# DWARF 4, 7.5.3: one abbreviation: a compile unit without children, its attributes and their forms.
_ABBREV = unsigned(1) + unsigned(0x11) + b"\x00" + b"".join(
    unsigned(attribute) + unsigned(form)
    for attribute, form in ((0x10, 0x17), (0x11, 0x01), (0x12, 0x01), (0x03, 0x08), (0x25, 0x08), (0x13, 0x05), (0, 0))
) + b"\x00"  # fmt: skip
_ASSEMBLER = (0x8001).to_bytes(2, "little")  # DW_LANG_Mips_Assembler, which all assemblers use

#: offset from the section's start (or address), file, line
Row = tuple[int, str, int]


class Unit:
    """The two pieces of one unit, and where addresses stand in them."""

    def __init__(self, rows: list[Row], size: int, line_offset: int, abbrev_offset: int) -> None:
        self.line, self.line_places = _line_program(rows, size)
        self.info = self._info(rows[0][1], line_offset, abbrev_offset)
        # in .debug_info: the abbreviations' offset, .debug_line's offset, first address, address behind the last

    INFO_ABBREV, INFO_LINE, INFO_LOW, INFO_HIGH = 6, 12, 16, 24

    def _info(self, name: str, line_offset: int, abbrev_offset: int) -> bytearray:
        body = (4).to_bytes(2, "little") + abbrev_offset.to_bytes(4, "little") + b"\x08"  # version, …, address size
        body += unsigned(1) + line_offset.to_bytes(4, "little") + bytes(16)
        body += encode(name) + b"\0" + b"forkyard\0" + _ASSEMBLER
        return bytearray(len(body).to_bytes(4, "little") + body)


def _line_program(rows: list[Row], size: int) -> tuple[bytearray, list[tuple[int, int]]]:
    """A line number program, in which each sequence's address is left open: (bytes, [(place of an address, its
    offset)]).
    """
    files: dict[str, int] = {}
    for _, file, _ in rows:
        files.setdefault(file, len(files) + 1)
    names = b"\0" + b"".join(encode(file) + b"\0\0\0\0" for file in files) + b"\0"
    head = bytes((_MIN_INSN, 1, 1, _LINE_BASE & 0xFF, _LINE_RANGE, _OPCODE_BASE)) + _LENGTHS + names
    start = 4 + 2 + 4 + len(head)
    program, places = bytearray(), []
    places.append((start + len(program) + 3, rows[0][0]))
    program += _SET_ADDRESS + bytes(8)
    at, last_file, last_line = rows[0][0], 1, 1
    for offset, file, line in rows:  # hot: once per instruction
        number = files[file]
        if number != last_file:
            program.append(_SET_FILE)
            program += unsigned(number)
            last_file = number
        program += _advance(line - last_line, offset - at)
        at, last_line = offset, line
    program.append(_ADVANCE_PC)
    program += unsigned(size - at) + _END_SEQUENCE
    body = (4).to_bytes(2, "little") + len(head).to_bytes(4, "little") + head + program
    return bytearray(len(body).to_bytes(4, "little") + body), places


def _advance(lines: int, addresses: int) -> bytes:
    """Moves on and makes a row: one special opcode where the steps are small (DWARF 4, 6.2.5.1)."""
    opcode = lines - _LINE_BASE + _LINE_RANGE * addresses + _OPCODE_BASE
    if _LINE_BASE <= lines < _LINE_BASE + _LINE_RANGE and opcode < 256:
        return bytes((opcode,))
    out = b""
    if addresses:
        out += bytes((_ADVANCE_PC,)) + unsigned(addresses)
    if lines:
        out += bytes((_ADVANCE_LINE,)) + signed(lines)
    return out + bytes((_COPY,))


# Linked ---------------------------------------------------------------------------------------------------------------


def add_linked(image: Image) -> None:
    """Adds the line numbers of every object that was assembled here to the program's debug sections."""
    units = []
    for placed in image.sections:
        for base, _, section in placed.parts:
            rows = _distinct(section.rows)
            if rows and placed.loaded and section.flags & EXEC:
                units.append((placed.address + base, section.size, rows))
    if not units:
        return
    line, info, abbrev = (image.unloaded(name) for name in (".debug_line", ".debug_info", ".debug_abbrev"))
    abbrev_offset = len(abbrev.data)
    abbrev.data += _ABBREV
    for address, size, rows in units:
        unit = Unit(rows, size, len(line.data), abbrev_offset)
        for place, offset in unit.line_places:
            unit.line[place : place + 8] = (address + offset).to_bytes(8, "little")
        for place, value in ((Unit.INFO_LOW, address), (Unit.INFO_HIGH, address + size)):
            unit.info[place : place + 8] = value.to_bytes(8, "little")
        line.data += unit.line
        info.data += unit.info


def _distinct(rows: list[Row]) -> list[Row]:
    """The rows without those that say what the one before says already, or that cover no byte."""
    kept: list[Row] = []
    for row in rows:
        if kept and kept[-1][0] == row[0]:
            kept.pop()
        if not kept or kept[-1][1:] != row[1:]:
            kept.append(row)
    return kept


# Relocatable ----------------------------------------------------------------------------------------------------------


def relocatable(made: Object) -> tuple[list[ObjectSection], list[ObjectSymbol]]:
    """(sections with the line numbers of an object, local symbols for them), for other linkers. Each row has a symbol,
    since a linker that relaxes moves symbols and nothing else.
    """
    line, info = (ObjectSection(name, PROGBITS, 0, 1, bytearray(), 0) for name in (".debug_line", ".debug_info"))
    abbrev = ObjectSection(".debug_abbrev", PROGBITS, 0, 1, _ABBREV, len(_ABBREV))
    starts = {id(section): _label(section, 0) for section in (line, abbrev)}
    symbols = list(starts.values())
    for section in made.sections:
        rows = _distinct(section.rows)
        if rows and section.flags & EXEC:
            _relocatable_unit(section, rows, line, info, starts, symbols)
    if not info.data:
        return [], []
    for section in (line, info, abbrev):
        section.size = len(section.data)
    return [line, info, abbrev], symbols


def _relocatable_unit(
    section: ObjectSection,
    rows: list[Row],
    line: ObjectSection,
    info: ObjectSection,
    starts: dict[int, ObjectSymbol],
    symbols: list[ObjectSymbol],
) -> None:
    ends = [_label(section, row[0]) for row in rows] + [_label(section, section.size)]
    first = _label(section, 0)
    symbols += [first, *ends]
    assert isinstance(line.data, bytearray)
    assert isinstance(info.data, bytearray)
    line_start, info_start = len(line.data), len(info.data)
    unit = Unit(rows, section.size, line_start, 0)
    program, places = _addressed_program(rows, unit.line)
    line.data += program
    line.relocations += [Relocation(line_start + at, _R64, ends[n], 0) for n, at in enumerate(places)]
    abbrev_symbol = list(starts.values())[1]
    info.relocations += [
        Relocation(info_start + Unit.INFO_ABBREV, _R32, abbrev_symbol, 0),
        Relocation(info_start + Unit.INFO_LINE, _R32, starts[id(line)], line_start),
        Relocation(info_start + Unit.INFO_LOW, _R64, first, 0),
        Relocation(info_start + Unit.INFO_HIGH, _R64, ends[-1], 0),
    ]
    info.data += unit.info


def _addressed_program(rows: list[Row], plain: bytearray) -> tuple[bytearray, list[int]]:
    """The program of a unit with an address for every row instead of steps: (bytes, places of the addresses)."""
    head = int.from_bytes(plain[6:10], "little")
    program, places = bytearray(plain[: 10 + head]), []
    files: dict[str, int] = {}
    for _, file, _ in rows:
        files.setdefault(file, len(files) + 1)
    last_line = 1
    for _, file, line in rows:
        program += bytes((_SET_FILE,)) + unsigned(files[file]) + _SET_ADDRESS
        places.append(len(program))
        program += bytes(8) + bytes((_ADVANCE_LINE,)) + signed(line - last_line) + bytes((_COPY,))
        last_line = line
    program += _SET_ADDRESS
    places.append(len(program))
    program += bytes(8) + _END_SEQUENCE
    program[:4] = (len(program) - 4).to_bytes(4, "little")
    return program, places


def _label(section: ObjectSection, offset: int) -> ObjectSymbol:
    return ObjectSymbol(".L0 ", "section", section, offset)
