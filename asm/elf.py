"""Reads ELF64 files, without trusting them: any bytes give an Elf or an ElfError, never another exception.

Source: System V gABI, chapters 4 and 5; RISC-V ELF psABI, 8. The kernel's exec uses this, so it imports next to
nothing.
"""

from __future__ import annotations

import struct

ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
EM_RISCV = 243
PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_TLS, PT_GNU_STACK = 0, 1, 2, 3, 4, 6, 7, 0x6474E551
PF_X, PF_W, PF_R = 1, 2, 4
SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_NOBITS, SHT_GROUP = 2, 3, 4, 8, 17
SHN_UNDEF, SHN_ABS, SHN_COMMON, SHN_XINDEX = 0, 0xFFF1, 0xFFF2, 0xFFFF
EF_RVC, EF_FLOAT_ABI = 1, 6  # bits of e_flags (psABI, 8.1)

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")

_MAX_TABLE = 1 << 20  # entries of a table: more can only be an attack


class ElfError(Exception):
    """The bytes are no ELF file that can be used here; str() says why."""

    def __str__(self) -> str:
        return str(self.args[0]).encode("unicode_escape").decode("ascii")


class Segment:
    """A program header."""

    __slots__ = ("type", "flags", "vaddr", "offset", "filesz", "memsz", "align")

    def __init__(self, type: int, flags: int, vaddr: int, offset: int, filesz: int, memsz: int, align: int) -> None:
        self.type = type
        self.flags = flags
        self.vaddr = vaddr
        self.offset = offset
        self.filesz = filesz
        self.memsz = memsz
        self.align = align


class Section:
    """A section header; `data` is the section's bytes, cut at the end of the file."""

    __slots__ = ("name", "type", "flags", "addr", "offset", "size", "link", "info", "align", "entsize", "data")

    def __init__(self, name: str, fields: tuple[int, ...], data: bytes) -> None:
        self.name = name
        _, self.type, self.flags, self.addr, self.offset, self.size, self.link, self.info, self.align, self.entsize = (
            fields
        )
        self.data = data


class Symbol:
    """An entry of the symbol table."""

    __slots__ = ("name", "value", "size", "info", "other", "shndx")

    def __init__(self, name: str, value: int, size: int, info: int, other: int, shndx: int) -> None:
        self.name = name
        self.value = value
        self.size = size
        self.info = info
        self.other = other
        self.shndx = shndx

    @property
    def bind(self) -> int:
        """STB_LOCAL 0, STB_GLOBAL 1, STB_WEAK 2."""
        return self.info >> 4

    @property
    def type(self) -> int:
        """STT_NOTYPE 0, STT_OBJECT 1, STT_FUNC 2, …"""
        return self.info & 15


class Elf:
    """An ELF file. Segments are read at once, sections and symbols when they are first asked for (may raise
    ElfError).
    """

    __slots__ = (
        *("data", "type", "machine", "entry", "flags", "segments"),
        *("phoff", "phentsize", "phnum", "_sections", "_symbols", "_shoff", "_shnum", "_shstrndx"),
    )

    def __init__(self, data: bytes, header: tuple[int, ...]) -> None:
        self.data = data
        _, self.type, self.machine, _, self.entry, self.phoff, self._shoff, self.flags = header[:8]
        _, self.phentsize, self.phnum, _, self._shnum, self._shstrndx = header[8:]
        self.segments = _segments(data, self.phoff, self.phnum, self.phentsize)
        self._sections: list[Section] | None = None
        self._symbols: list[Symbol] | None = None

    @property
    def sections(self) -> list[Section]:
        """The sections, the empty first one included."""
        if self._sections is None:
            self._sections = _sections(self.data, self._shoff, self._shnum, self._shstrndx)
        return self._sections

    @property
    def symbols(self) -> list[Symbol]:
        """The symbols of .symtab, the empty first one included."""
        if self._symbols is None:
            table = next((section for section in self.sections if section.type == SHT_SYMTAB), None)
            self._symbols = [] if table is None else _read_symbols(self.sections, table)
        return self._symbols

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        for section in self.sections:
            if section.name == name:
                return section
        return None


def read(data: bytes) -> Elf:
    """An ELF64 file for RISC-V, little-endian. Raises ElfError."""
    if data[:4] != b"\x7fELF":
        raise ElfError("this is no ELF file")
    if len(data) < _HEADER.size:
        raise ElfError("the ELF header is cut off")
    header = _HEADER.unpack_from(data)
    if data[4] != 2 or data[5] != 1:
        raise ElfError("this ELF file is not 64-bit little-endian")
    if header[2] != EM_RISCV:
        raise ElfError(f"this ELF file is for another machine (e_machine {header[2]}; RISC-V is {EM_RISCV})")
    return Elf(data, header)


def _segments(data: bytes, offset: int, count: int, entsize: int) -> list[Segment]:
    if count == 0:
        return []
    if entsize != _SEGMENT.size:
        raise ElfError(f"program headers of {entsize} bytes: they should have {_SEGMENT.size}")
    if offset + count * entsize > len(data):
        raise ElfError("the program headers lie outside the file")
    found = []
    for n in range(count):
        type, flags, at, vaddr, _, filesz, memsz, align = _SEGMENT.unpack_from(data, offset + n * entsize)
        found.append(Segment(type, flags, vaddr, at, filesz, memsz, align))
    return found


def _sections(data: bytes, offset: int, count: int, names: int) -> list[Section]:
    if offset == 0:
        return []
    if offset + _SECTION.size > len(data):
        raise ElfError("the section headers lie outside the file")
    first = _SECTION.unpack_from(data, offset)
    count = count or first[5]  # more than 65279 sections: gABI, e_shnum
    names = first[6] if names == SHN_XINDEX else names
    if count > _MAX_TABLE or offset + count * _SECTION.size > len(data):
        raise ElfError("the section headers lie outside the file")
    headers = [_SECTION.unpack_from(data, offset + n * _SECTION.size) for n in range(count)]
    strings = _content(data, headers[names]) if names < count else b""
    return [Section(string_at(strings, header[0]), header, _content(data, header)) for header in headers]


def _content(data: bytes, header: tuple[int, ...]) -> bytes:
    if header[1] in (0, SHT_NOBITS):
        return b""
    return data[header[4] : header[4] + header[5]]


def _read_symbols(sections: list[Section], table: Section) -> list[Symbol]:
    strings = sections[table.link].data if table.link < len(sections) else b""
    count = len(table.data) // _SYMBOL.size
    if count > _MAX_TABLE:
        raise ElfError(f"a symbol table with {count} entries")
    found = []
    for n in range(count):
        name, info, other, shndx, value, size = _SYMBOL.unpack_from(table.data, n * _SYMBOL.size)
        found.append(Symbol(string_at(strings, name), value, size, info, other, shndx))
    return found


def string_at(strings: bytes, at: int) -> str:
    """The string at an offset of a string table; what lies outside is empty, what is no UTF-8 is kept as surrogates."""
    if at >= len(strings):
        return ""
    end = strings.find(b"\0", at)
    return strings[at : len(strings) if end < 0 else end].decode("utf-8", "surrogateescape")
