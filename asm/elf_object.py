"""Relocatable ELF files: from an Object to bytes, and from bytes to an Object.

Source: gABI, 4 (sections, symbols, relocations, groups); psABI, 8.
"""

from __future__ import annotations

import struct

from asm import attributes, debug_lines
from asm.elf import (
    EM_RISCV,
    ET_REL,
    SHN_ABS,
    SHN_COMMON,
    SHN_UNDEF,
    SHT_GROUP,
    SHT_NOBITS,
    SHT_RELA,
    SHT_SYMTAB,
    ElfError,
    Section,
    Symbol,
    read,
)
from asm.lines import encode
from asm.objects import Object, ObjectSection, ObjectSymbol, Relocation

_RELA = struct.Struct("<QQq")
_SYMBOL = struct.Struct("<IBBHQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
_INFO_LINK = 0x40  # SHF_INFO_LINK
_RISCV_ATTRIBUTES = 0x70000003


class Strings:
    """A string table being made."""

    def __init__(self) -> None:
        self.data = bytearray(1)
        self._known: dict[str, int] = {"": 0}

    def add(self, text: str) -> int:
        """The offset of `text`, which is added if need be."""
        at = self._known.get(text)
        if at is None:
            at = self._known[text] = len(self.data)
            self.data += encode(text) + b"\0"
        return at


class Table:
    """The sections of an ELF file being made, with their headers."""

    def __init__(self, start: int) -> None:
        self.names = Strings()
        self.headers: list[bytes] = [bytes(_SECTION.size)]
        self.body = bytearray()
        self.start = start

    def add(self, name: str, type: int, data: bytes | bytearray, align: int = 1, **fields: int) -> int:
        """Adds a section (fields: flags, addr, size, link, info, entsize); returns its index."""
        self.body += bytes(-(self.start + len(self.body)) % max(1, align) if type != SHT_NOBITS else 0)
        size = fields.pop("size", len(data))
        self.header(name, type, self.start + len(self.body), size, align, **fields)
        self.body += data
        return len(self.headers) - 1

    def header(self, name: str, type: int, offset: int, size: int, align: int, **fields: int) -> None:
        """Adds a header for bytes that are somewhere in the file already."""
        get = fields.get
        values = (
            get("flags", 0),
            get("addr", 0),
            offset,
            size,
            get("link", 0),
            get("info", 0),
            align,
            get("entsize", 0),
        )
        self.headers.append(_SECTION.pack(self.names.add(name), type, *values))

    def finish(self) -> tuple[bytes, int]:
        """(all bytes behind the start, offset of the section headers); the names' table is the last section."""
        self.names.add(".shstrtab")
        self.add(".shstrtab", 3, self.names.data)
        self.body += bytes(-(self.start + len(self.body)) % 8)
        offset = self.start + len(self.body)
        return bytes(self.body) + b"".join(self.headers), offset


def header(type: int, entry: int, phoff: int, shoff: int, flags: int, phnum: int, shnum: int) -> bytes:
    """The ELF header."""
    sizes = (64, 56 if phnum else 0, phnum, 64, shnum, shnum - 1)
    return _HEADER.pack(IDENT, type, EM_RISCV, 1, entry, phoff, shoff, flags, *sizes)


def write(made: Object) -> bytes:
    """The relocatable file of an object, for any linker."""
    debug_sections, debug_symbols = debug_lines.relocatable(made)
    sections, symbols = [*made.sections, *debug_sections], [*debug_symbols, *made.symbols]  # local symbols come first
    table = Table(64)
    for index, section in enumerate(sections, 1):
        section.index = index
        fields = {"flags": section.flags, "size": section.size, "entsize": section.entsize}
        table.add(section.name, section.type, section.data, section.align, **fields)
    relocated = [section for section in sections if section.relocations]
    _add_relocations(table, relocated, symbols, len(sections) + len(relocated) + 2 + bool(made.comments))
    table.add(".riscv.attributes", _RISCV_ATTRIBUTES, attributes.encode(made.attributes))
    if made.comments:
        comments = b"\0" + b"".join(encode(comment) + b"\0" for comment in made.comments)
        table.add(".comment", 1, comments, 1, flags=0x30, entsize=1)
    data, strings, first_global = symbol_table([_entry(symbol) for symbol in symbols])
    link = len(table.headers) + 1
    table.add(".symtab", SHT_SYMTAB, data, 8, link=link, info=first_global, entsize=_SYMBOL.size)
    table.add(".strtab", 3, strings)
    body, shoff = table.finish()
    return header(ET_REL, 0, 0, shoff, made.flags, 0, len(table.headers)) + body


def _add_relocations(table: Table, sections: list[ObjectSection], symbols: list[ObjectSymbol], symtab: int) -> None:
    """A .rela section for each of `sections`; symtab is the index that the symbol table will have."""
    numbers = {id(symbol): number for number, symbol in enumerate(symbols, 1)}
    for section in sections:
        fields = {"flags": _INFO_LINK, "link": symtab, "info": section.index, "entsize": _RELA.size}
        table.add(".rela" + section.name, SHT_RELA, _rela(section, numbers), 8, **fields)


def _rela(section: ObjectSection, numbers: dict[int, int]) -> bytes:
    out = bytearray()
    for offset, type, symbol, addend, _ in section.relocations:
        number = 0 if symbol is None else numbers[id(symbol)]
        out += _RELA.pack(offset, number << 32 | type, addend)
    return bytes(out)


#: name, value, size, binding, type, visibility, section index
Entry = tuple[str, int, int, int, int, int, int]


def _entry(symbol: ObjectSymbol) -> Entry:
    special = {"undefined": SHN_UNDEF, "absolute": SHN_ABS, "common": SHN_COMMON}
    index = symbol.section.index if symbol.section else special.get(symbol.kind, SHN_ABS)
    return symbol.name, symbol.value, symbol.size, symbol.binding, symbol.type, symbol.visibility, index


def symbol_table(entries: list[Entry]) -> tuple[bytes, bytes, int]:
    """(.symtab, .strtab, index of the first global one); local entries must come first."""
    strings, out = Strings(), bytearray(_SYMBOL.size)
    locals = sum(entry[3] == 0 for entry in entries)
    for name, value, size, binding, type, visibility, index in entries:
        value &= (1 << 64) - 1
        out += _SYMBOL.pack(strings.add(name), binding << 4 | type, visibility, index, value, size & (1 << 64) - 1)
    return bytes(out), bytes(strings.data), locals + 1


# Reading --------------------------------------------------------------------------------------------------------------


def load(data: bytes, name: str) -> Object:
    """The object that a relocatable file holds. Raises ElfError."""
    elf = read(data)
    if elf.type != ET_REL:
        raise ElfError("this ELF file is no relocatable object (it is linked already)")
    made = Object(name, elf.flags)
    sections: dict[int, ObjectSection] = {}
    for index, section in enumerate(elf.sections):
        if section.type not in (0, SHT_SYMTAB, 3, SHT_RELA, SHT_GROUP, _RISCV_ATTRIBUTES):
            sections[index] = _section(section)
            made.sections.append(sections[index])
    symbols = [_symbol(symbol, sections) for symbol in elf.symbols]
    made.symbols = symbols[1:]
    for section in elf.sections:
        if section.type == SHT_RELA and section.info in sections:
            sections[section.info].relocations = _relocations(section, symbols, sections[section.info])
        elif section.type == SHT_GROUP:
            _group(made, section, elf.symbols, sections)
    return made


def _section(section: Section) -> ObjectSection:
    if section.type != SHT_NOBITS and len(section.data) != section.size:
        raise ElfError(f"section {section.name} lies outside the file")
    align = max(1, section.align)
    if align & align - 1 or align > 1 << 16:
        raise ElfError(f"section {section.name} asks for an alignment of {align}")
    if section.size > 1 << 30:
        raise ElfError(f"section {section.name} has more than 1 GiB")
    return ObjectSection(section.name, section.type, section.flags, align, section.data, section.size, section.entsize)


def _symbol(symbol: Symbol, sections: dict[int, ObjectSection]) -> ObjectSymbol:
    kind = {SHN_UNDEF: "undefined", SHN_ABS: "absolute", SHN_COMMON: "common"}.get(symbol.shndx, "section")
    made = ObjectSymbol(symbol.name, kind, sections.get(symbol.shndx), symbol.value)
    if kind == "section" and made.section is None:
        made.kind = "absolute"  # in a section that is not kept, such as a group's
    made.size, made.binding, made.type, made.visibility = symbol.size, symbol.bind, symbol.type, symbol.other & 3
    if made.type == 3 and made.section is not None:
        made.name = made.section.name
    return made


def _relocations(rela: Section, symbols: list[ObjectSymbol], target: ObjectSection) -> list[Relocation]:
    found = []
    for at in range(0, len(rela.data) - _RELA.size + 1, _RELA.size):
        offset, info, addend = _RELA.unpack_from(rela.data, at)
        number = info >> 32
        if number >= len(symbols) or offset > target.size:
            raise ElfError(f"a relocation of {target.name} lies outside it or names no symbol")
        found.append(Relocation(offset, info & 0xFFFFFFFF, symbols[number] if number else None, addend))
    found.sort(key=lambda relocation: relocation.offset)
    return found


def _group(made: Object, section: Section, symbols: list[Symbol], sections: dict[int, ObjectSection]) -> None:
    """A COMDAT group: of several with one signature, the linker keeps the first (gABI, Section Groups)."""
    words = [int.from_bytes(section.data[at : at + 4], "little") for at in range(0, len(section.data) - 3, 4)]
    if words and words[0] & 1 and section.info < len(symbols):
        members = [sections[word] for word in words[1:] if word in sections]
        made.groups.append((symbols[section.info].name, members))
