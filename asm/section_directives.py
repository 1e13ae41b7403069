"""Directives that choose a section or a place in it.

Source: GNU as manual, 7: .section .text .data .bss .pushsection .popsection .previous .align .p2align .balign .org;
psABI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm import sections
from asm.expressions import linear
from asm.layout import MAX_SIZE, NOP, Align, Org, fixed_distance, org_size, padding, padding_bytes
from asm.sections import ALLOC, EXEC, NOBITS, PROGBITS, THREAD, WRITE, Section
from asm.symbols import Value

if TYPE_CHECKING:
    from asm.arguments import Arguments
    from asm.assemble import Assembler

_MAX_ALIGN = 16  # as a power of two: 64 KiB, far beyond a page

_FLAGS = {
    "a": ALLOC,
    "w": WRITE,
    "x": EXEC,
    "M": sections.MERGE,
    "S": sections.STRINGS,
    "G": sections.GROUP,
    "T": THREAD,
}
_TYPES = {
    "progbits": PROGBITS,
    "nobits": NOBITS,
    "note": sections.NOTE,
    "init_array": sections.INIT_ARRAY,
    "fini_array": sections.FINI_ARRAY,
    "preinit_array": sections.PREINIT_ARRAY,
}
#: What a section is by its name, unless flags are given (gABI, Special Sections): (beginning of the name, type, flags).
_KNOWN = (
    (".text", PROGBITS, ALLOC | EXEC),
    (".data", PROGBITS, ALLOC | WRITE),
    (".bss", NOBITS, ALLOC | WRITE),
    (".rodata", PROGBITS, ALLOC),
    (".sdata", PROGBITS, ALLOC | WRITE),
    (".sbss", NOBITS, ALLOC | WRITE),
    (".tdata", PROGBITS, ALLOC | WRITE | THREAD),
    (".tbss", NOBITS, ALLOC | WRITE | THREAD),
    (".init_array", sections.INIT_ARRAY, ALLOC | WRITE),
    (".fini_array", sections.FINI_ARRAY, ALLOC | WRITE),
    (".preinit_array", sections.PREINIT_ARRAY, ALLOC | WRITE),
    (".init", PROGBITS, ALLOC | EXEC),
    (".fini", PROGBITS, ALLOC | EXEC),
    (".note", sections.NOTE, 0),
)


def known(name: str) -> tuple[int, int]:
    """(type, flags) of a section by its name: `.text.f` is like `.text`."""
    for prefix, type, flags in _KNOWN:
        if name == prefix or name.startswith(prefix + "."):
            return type, flags
    return PROGBITS, 0


def _plain(name: str):  # type: ignore[no-untyped-def]
    """.text, .data, .bss, .rodata."""

    def directive(asm: Assembler, args: Arguments) -> None:
        if len(args):
            raise args.error("subsections are not supported", args.nodes[0], "give the section a name of its own")
        asm.switch(asm.enter(name, *known(name)))

    return directive


def _section(asm: Assembler, args: Arguments) -> None:
    asm.switch(named(asm, args))


def named(asm: Assembler, args: Arguments) -> Section:
    """The section of `name, "flags", @type, entsize`."""
    args.limit(1, 6, 'name, "flags", @type')
    name = section_name(args)
    type, flags = known(name)
    entsize = 0
    if args.has(1):
        flags = _flags(args)
    if args.has(2):
        type = _type(args)
    if flags & sections.MERGE:
        entsize = args.number(3, 1)
    section = asm.sections.get(name)
    if section is not None and args.has(1) and section.flags != flags and section.here:
        raise args.error(f"section `{name}` had other flags before", args.nodes[1])
    made = asm.enter(name, type, flags & ~sections.GROUP, entsize)
    if section is not None and args.has(1) and not section.here:
        made.type, made.flags, made.entsize = type, flags & ~sections.GROUP, entsize
    return made


def section_name(args: Arguments) -> str:
    """A section's name: .text.f, .note.GNU-stack (with a `-`, which no symbol has), or in quotes."""
    text = args.parsed.text[args.parsed.start + len(args.name) :].strip()
    if text.startswith('"'):
        return args.word(0)
    name = text.partition(",")[0].strip()
    if not name or any(character in ' \t"()*' for character in name):
        raise args.error("expected the name of a section", args.nodes[0] if args.has(0) else None)
    return name


def _flags(args: Arguments) -> int:
    flags = 0
    for letter in args.string(1).decode("latin-1"):
        if letter not in _FLAGS:
            raise args.error(f"unknown flag `{letter}` of a section", args.nodes[1], "known are a, w, x, M, S, T")
        flags |= _FLAGS[letter]
    return flags


def _type(args: Arguments) -> int:
    type = _TYPES.get(args.type(2).lower())
    if type is None:
        raise args.error("unknown type of section", args.nodes[2], "known are @progbits, @nobits, @note, @init_array")
    return type


def _push(asm: Assembler, args: Arguments) -> None:
    section = named(asm, args)
    asm.section_stack.append((asm.section, asm.previous))
    asm.switch(section)


def _pop(asm: Assembler, args: Arguments) -> None:
    args.limit(0, 0, "")
    if not asm.section_stack:
        raise args.error("`.popsection` without `.pushsection`")
    asm.section, asm.previous = asm.section_stack.pop()


def _previous(asm: Assembler, args: Arguments) -> None:
    args.limit(0, 0, "")
    if asm.previous is None:
        raise args.error("there is no section before this one")
    asm.switch(asm.previous)


def _align(power: bool, width: int = 1):  # type: ignore[no-untyped-def]
    """.align and .p2align take a power of two's exponent, .balign the power itself; width is the fill's bytes."""

    def directive(asm: Assembler, args: Arguments) -> None:
        args.limit(1, 3, "alignment, fill, most")
        wanted = args.number(0)
        exponent = wanted if power else wanted.bit_length() - 1
        if wanted < 0 or (not power and wanted & (wanted - 1)):
            raise args.error(f"an alignment is a power of two, not {wanted}", args.nodes[0])
        if exponent > _MAX_ALIGN:
            hint = f"`{args.name} {wanted}` means 2 to the power of {wanted}" if power else ""
            raise args.error(f"an alignment of more than {1 << _MAX_ALIGN}", args.nodes[0], hint)
        fill = args.number(1) & (1 << 8 * width) - 1 if args.has(1) else None
        pattern = None if fill is None else fill.to_bytes(width, "little")
        align(asm, 1 << max(0, exponent), pattern, args.number(2, 0))

    return directive


def align(asm: Assembler, boundary: int, pattern: bytes | None, most: int) -> None:
    """Moves to a multiple of `boundary`. In code without a fill these are no-ops, and if the linker may move code
    (relax), as many as could ever be needed, with a relocation that tells it to take out what is too much (psABI,
    R_RISCV_ALIGN).
    """
    section = asm.section
    section.align = max(section.align, boundary)
    if section.is_code and pattern is None:
        if boundary <= 4:
            return  # instructions are aligned, as GNU as sees it
        if asm.options.relax:
            asm.fix("ALIGN", boundary - 4)
            asm.emit(NOP * (boundary // 4 - 1))
            return
    elif pattern is None:
        pattern = b"\0"
    if section.points:
        section.points.append(Align(section, asm.statement, boundary, pattern, most))
    else:
        asm.emit(padding_bytes(padding(section.here, boundary, most), pattern))


def _org(asm: Assembler, args: Arguments) -> None:
    """.org offset, fill"""
    args.limit(1, 2, "offset, fill")
    advance(asm, args.value(0), args.number(1, 0) & 0xFF)


def advance(asm: Assembler, target: Value, fill: int) -> None:
    """Moves on to an offset of the section."""
    section = asm.section
    if section.points:
        section.points.append(Org(section, asm.statement, target, fill))
        return
    place = linear(target, fixed_distance)
    if place.plus is not None and place.plus.section is None:
        section.points.append(Org(section, asm.statement, target, fill))
        return
    size = org_size(section, place, section.here)
    if fill and size <= MAX_SIZE:
        asm.emit(bytes([fill]) * size)
    else:
        asm.zeros(size)


TABLE = {
    ".text": _plain(".text"),
    ".data": _plain(".data"),
    ".bss": _plain(".bss"),
    ".rodata": _plain(".rodata"),
    ".section": _section,
    ".pushsection": _push,
    ".popsection": _pop,
    ".previous": _previous,
    ".align": _align(True),
    ".p2align": _align(True),
    ".p2alignw": _align(True, 2),
    ".p2alignl": _align(True, 4),
    ".balign": _align(False),
    ".balignw": _align(False, 2),
    ".balignl": _align(False, 4),
    ".org": _org,
}
