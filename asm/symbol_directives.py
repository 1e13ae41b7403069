"""Directives about symbols. Source: GNU as manual, 7: .globl .local .weak .hidden .equ .set .equiv .type .size
.comm .lcomm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm import symbols
from asm.errors import StatementError
from asm.layout import MAX_ROOM
from asm.symbols import Symbol, Value

if TYPE_CHECKING:
    from asm.arguments import Arguments
    from asm.assemble import Assembler


def _binding(binding: int):  # type: ignore[no-untyped-def]
    def directive(asm: Assembler, args: Arguments) -> None:
        args.limit(1, 10_000, "symbol, …")
        for index in range(len(args)):
            symbol = args.symbol(index)
            if not (binding == symbols.GLOBAL and symbol.binding == symbols.WEAK):
                symbol.binding = binding
            symbol.declared_local = binding == symbols.LOCAL
            if symbol.declared_local and symbol.common is not None:
                size, align = symbol.common
                symbol.common = None
                reserve(asm, symbol, size, align)

    return directive


def _visibility(visibility: int):  # type: ignore[no-untyped-def]
    def directive(asm: Assembler, args: Arguments) -> None:
        args.limit(1, 10_000, "symbol, …")
        for index in range(len(args)):
            args.symbol(index).visibility = visibility

    return directive


def equate(asm: Assembler, name: str, value: Value, again: bool) -> None:
    """Gives `name` a value. `again` allows it to replace an earlier one."""
    value = asm.simplified(value)
    symbol = asm.symbols.get(name)
    if symbol is not None and symbol.is_defined:
        if not again or not symbol.equated:
            raise StatementError(f"`{name}` is defined already")
        fresh = Symbol(name)  # what was said of the old value stays as it was
        fresh.binding, fresh.type, fresh.visibility = symbol.binding, symbol.type, symbol.visibility
        asm.symbols[name] = symbol = fresh
    symbol = asm.define(name)
    symbol.equated = again
    symbol.value = value


def _set(again: bool):  # type: ignore[no-untyped-def]
    def directive(asm: Assembler, args: Arguments) -> None:
        args.limit(2, 2, "symbol, expression")
        name = args.word(0)
        if name == ".":
            raise args.error("`.` can't be set here: use `.org`", args.nodes[0])
        equate(asm, name, args.value(1), again)

    return directive


_TYPES = {
    "function": symbols.FUNC,
    "stt_func": symbols.FUNC,
    "object": symbols.OBJECT,
    "stt_object": symbols.OBJECT,
    "tls_object": symbols.TLS,
    "stt_tls": symbols.TLS,
    "notype": symbols.NOTYPE,
    "stt_notype": symbols.NOTYPE,
    "common": symbols.COMMON,
    "stt_common": symbols.COMMON,
    "gnu_indirect_function": symbols.GNU_IFUNC,
}


def _type(asm: Assembler, args: Arguments) -> None:
    """.type symbol, @function (or @object, @tls_object, @notype, @common)"""
    args.limit(2, 2, "symbol, @function")
    kind = _TYPES.get(args.type(1).lower())
    if kind is None:
        raise args.error("unknown type of symbol", args.nodes[1], "known are @function, @object, @tls_object, @notype")
    args.symbol(0).type = kind


def _size(asm: Assembler, args: Arguments) -> None:
    """.size symbol, expression"""
    args.limit(2, 2, "symbol, expression")
    args.symbol(0).size = args.value(1)


def _common(asm: Assembler, args: Arguments) -> None:
    """.comm symbol, size, alignment: room that the linker makes, one for all files that ask for it."""
    args.limit(2, 3, "symbol, size, alignment")
    size = _room(args)
    align = args.number(2, min(16, 1 << max(0, size - 1).bit_length()))
    if align < 1 or align & align - 1 or align > 1 << 16:
        raise args.error(f"an alignment is a power of two, not {align}", args.nodes[2])
    symbol = asm.define(args.word(0))
    symbol.type = symbols.OBJECT
    if symbol.declared_local:
        reserve(asm, symbol, size, align)
    else:
        symbol.common = (size, align)


def _local_common(asm: Assembler, args: Arguments) -> None:
    """.lcomm symbol, size: room in .bss."""
    args.limit(2, 2, "symbol, size")
    size = _room(args)
    symbol = asm.define(args.word(0))
    symbol.type = symbols.OBJECT
    reserve(asm, symbol, size, min(8, 1 << max(0, size.bit_length() - 1)))


def _room(args: Arguments) -> int:
    size = args.number(1)
    if not 0 <= size <= MAX_ROOM:
        raise args.error(f"{size} is no size that a variable can have", args.nodes[1])
    return size


def reserve(asm: Assembler, symbol: Symbol, size: int, align: int) -> None:
    """Makes room for a symbol in .bss."""
    section = asm.sections[".bss"]
    section.align = max(section.align, align)
    section.zeros(-section.here % align)
    symbol.place(section)
    symbol.size = size
    section.zeros(size)


TABLE = {
    ".globl": _binding(symbols.GLOBAL),
    ".global": _binding(symbols.GLOBAL),
    ".weak": _binding(symbols.WEAK),
    ".local": _binding(symbols.LOCAL),
    ".hidden": _visibility(symbols.HIDDEN),
    ".internal": _visibility(symbols.INTERNAL),
    ".protected": _visibility(symbols.PROTECTED),
    ".equ": _set(True),
    ".set": _set(True),
    ".equiv": _set(False),
    ".type": _type,
    ".size": _size,
    ".comm": _common,
    ".common": _common,
    ".lcomm": _local_common,
}
