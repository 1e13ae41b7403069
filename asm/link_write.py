"""Writes a linked program as an ELF executable. Source: gABI, 4 and 5."""

from __future__ import annotations

import struct

from asm import attributes, debug_lines
from asm.elf import ET_EXEC, PT_LOAD, SHN_ABS, SHT_NOBITS, SHT_SYMTAB
from asm.elf_object import Entry, Table, header, symbol_table
from asm.link_errors import LinkErrors
from asm.link_layout import PAGE, Image, Placed
from asm.symbols import HIDDEN, INTERNAL, LOCAL, TLS

_SEGMENT = struct.Struct("<IIQQQQQQ")
_TYPES = {"PT_LOAD": 1, "PT_TLS": 7, "PT_GNU_STACK": 0x6474E551}
_MAX_FILE = 1 << 30


def write(image: Image) -> bytes:
    """The executable file."""
    body = _lay_out(image)
    segments = _segments(image)
    start = 64 + len(segments)
    loaded = [placed for placed in image.sections if placed.loaded]
    if loaded and min(placed.offset for placed in loaded if placed.size) < start:
        raise LinkErrors(["error: the linker script leaves no room for the headers"])
    body[64:start] = segments
    table = Table(len(body))
    for placed in loaded:
        fields = {"flags": placed.flags, "addr": placed.address, "entsize": placed.entsize}
        table.header(placed.name, placed.type, placed.offset, placed.size, placed.align, **fields)
    _other_sections(image, table)
    tail, shoff = table.finish()
    flags = 0
    for made in image.resolver.objects:
        flags |= made.flags
    head = header(ET_EXEC, image.entry, 64, shoff, flags, len(segments) // _SEGMENT.size, len(table.headers))
    return head + bytes(body[64:]) + tail


def _lay_out(image: Image) -> bytearray:
    """The loaded sections' bytes at their offsets in the file: equal to the address, modulo a page (gABI, p_align)."""
    body = bytearray(64)
    base = None
    for placed in image.sections:
        if not placed.loaded:
            continue
        if base is None:
            base = placed.address // PAGE * PAGE  # the headers' page
        if placed.type == SHT_NOBITS:
            placed.offset = len(body)
            continue
        gap = (placed.address - len(body)) % PAGE if len(body) > 64 else placed.address - base
        placed.offset = len(body) + gap if len(body) > 64 else gap
        if placed.offset + len(placed.data) > _MAX_FILE:
            raise LinkErrors(["error: the program has more than 1 GiB"])
        body += bytes(placed.offset - len(body)) + placed.data
    return body


def _segments(image: Image) -> bytes:
    """The program headers; segments without content are left out."""
    out = b""
    for described in image.script.headers:
        parts = [placed for placed in image.sections if described.name in placed.segments and placed.size]
        type = _TYPES[described.type]
        if parts or type not in (PT_LOAD, _TYPES["PT_TLS"]):
            out += _segment(type, described.flags, described.headers, parts)
    return out


def _segment(type: int, flags: int, headers: bool, parts: list[Placed]) -> bytes:
    if not parts:
        return _SEGMENT.pack(type, flags, 0, 0, 0, 0, 0, 8)
    offset, address = parts[0].offset, parts[0].address
    if headers:
        address -= offset
        offset = 0
    if type == PT_LOAD:  # thread-local zeros are made for each thread, and have no place of their own
        parts = [placed for placed in parts if not placed.thread_zeros]
    stored = [placed for placed in parts if placed.type != SHT_NOBITS]
    filesz = stored[-1].address + stored[-1].size - address if stored else 0
    memsz = parts[-1].address + parts[-1].size - address if parts else 0
    align = PAGE if type == PT_LOAD else max(placed.align for placed in parts)
    return _SEGMENT.pack(type, flags, offset, address, address, filesz, memsz, align)


def _other_sections(image: Image, table: Table) -> None:
    """What is not loaded: comments, debug information, the symbol table."""
    debug_lines.add_linked(image)
    for placed in image.sections:
        if not placed.loaded:
            table.add(placed.name, placed.type, placed.data, placed.align, flags=placed.flags, entsize=placed.entsize)
    said: dict[int, int | str] = {}
    for made in image.resolver.objects:
        said.update(made.attributes)
    table.add(".riscv.attributes", 0x70000003, attributes.encode(said))
    entries = _symbols(image)
    symbols, strings, first_global = symbol_table(entries)
    link = len(table.headers) + 1
    table.add(".symtab", SHT_SYMTAB, symbols, 8, link=link, info=first_global, entsize=24)
    table.add(".strtab", 3, strings)


def _symbols(image: Image) -> list[Entry]:
    """The symbol table: local symbols of each object, then the global ones, each with its address."""
    numbers = {id(placed): n for n, placed in enumerate((p for p in image.sections if p.loaded), 1)}
    locals_: list[Entry] = []
    globals_: list[Entry] = []
    for made in image.resolver.objects:
        for symbol in made.symbols:
            if symbol.type in (3, 4) or (symbol.binding == LOCAL and symbol.name.startswith((".L", "$"))):
                continue
            if image.resolver.definition(symbol) is not symbol or symbol.kind == "undefined":
                continue
            address = image.address(symbol)
            if address is None or not symbol.name:
                continue
            if symbol.type == TLS:
                address -= image.thread_base
            index = SHN_ABS
            room = image.common[id(symbol)][0] if symbol.kind == "common" else symbol.section
            found = image.where.get(id(room)) if room else None
            if found is not None:
                index = numbers.get(id(found[0]), SHN_ABS)
            local = symbol.binding == LOCAL or symbol.visibility in (HIDDEN, INTERNAL)
            binding = LOCAL if local else symbol.binding
            entry = (symbol.name, address, symbol.size, binding, symbol.type, symbol.visibility, index)
            (locals_ if local else globals_).append(entry)
    for name, address in image.provided.items():
        if name in image.resolver.globals:
            globals_.append((name, address, 0, 1, 0, 0, SHN_ABS))
    return locals_ + globals_
