"""Directives that make data: numbers, strings, and room.

Source: GNU as manual, 7: .byte .2byte .4byte .8byte .half .short .hword .word .long .int .dword .quad .octa .ascii
.asciz .string .fill .skip .space .zero .float .double .uleb128 .sleb128 .incbin.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from asm import leb128
from asm.layout import MAX_SIZE, Fill, checked_count
from asm.symbols import Value

if TYPE_CHECKING:
    from asm.arguments import Arguments
    from asm.assemble import Assembler


def _numbers(size: int):  # type: ignore[no-untyped-def]
    """.byte and its like: each operand as a number of `size` bytes."""

    def directive(asm: Assembler, args: Arguments) -> None:
        for index in range(len(args)):
            put(asm, args.value(index), size)

    return directive


def put(asm: Assembler, value: Value, size: int) -> None:
    """Appends a number of `size` bytes, or leaves room for a value that is not known yet."""
    if type(value) is int:
        bits = 8 * size
        if not -(1 << bits - 1) <= value < 1 << bits and not (size == 8 and value < 1 << 64):
            asm.diagnostics.warning(f"{value:#x} is cut to {size} bytes", asm.statement)
        asm.emit((value & (1 << bits) - 1).to_bytes(size, "little"))
    else:
        asm.fix(f"D{size}", value)
        asm.zeros(size)


def _strings(terminator: bytes, width: int = 1):  # type: ignore[no-untyped-def]
    """.ascii and its like; `width` is the bytes of a character (.string16 and so on)."""

    def directive(asm: Assembler, args: Arguments) -> None:
        for index in range(len(args)):
            text = args.string(index) + terminator
            asm.emit(text if width == 1 else b"".join(bytes([byte]).ljust(width, b"\0") for byte in text))

    return directive


def _space(asm: Assembler, args: Arguments) -> None:
    """.skip, .space, .zero: count bytes, 0 or the given one."""
    args.limit(1, 2, "count, fill")
    fill(asm, args, args.value(0), bytes([args.number(1, 0) & 0xFF]))


def _fill(asm: Assembler, args: Arguments) -> None:
    """.fill count, size, value: `value` is a number of 4 bytes; a size over 8 is 8."""
    args.limit(1, 3, "repeat, size, value")
    size = args.number(1, 1)
    if size < 0:
        raise args.error(f"a negative size: {size}", args.nodes[1])
    size = min(size, 8)
    if size:
        unit = (args.number(2, 0) & 0xFFFFFFFF).to_bytes(8, "little")[:size]
        fill(asm, args, args.value(0), unit)


def fill(asm: Assembler, args: Arguments, count: Value, unit: bytes) -> None:
    """Appends `unit` count times; a count that depends on what follows is settled in the end."""
    count = asm.constant_or_value(count)
    if type(count) is not int:
        asm.section.points.append(Fill(asm.section, asm.statement, count, unit))
    elif any(unit):
        if checked_count(count, len(unit)) * len(unit) > MAX_SIZE:
            raise args.error(f"more than {MAX_SIZE >> 20} MiB")
        asm.emit(unit * count)
    else:
        asm.zeros(checked_count(count, len(unit)) * len(unit))


def _floats(code: str):  # type: ignore[no-untyped-def]
    """.float and .double: IEEE 754 numbers, written as decimal fractions."""

    def directive(asm: Assembler, args: Arguments) -> None:
        text = args.parsed.text[args.parsed.start + len(args.name) :]
        for piece in text.split(","):
            word = piece.strip().lower().removeprefix("0f").removeprefix("0d")
            try:
                asm.emit(struct.pack(code, float(word)))
            except (ValueError, OverflowError):
                raise args.error(f"`{piece.strip()}` is no floating-point number that fits") from None

    return directive


def _uleb(asm: Assembler, args: Arguments) -> None:
    for index in range(len(args)):
        asm.emit(leb128.unsigned(args.number(index) & (1 << 64) - 1))


def _sleb(asm: Assembler, args: Arguments) -> None:
    for index in range(len(args)):
        asm.emit(leb128.signed(args.number(index)))


def _incbin(asm: Assembler, args: Arguments) -> None:
    """.incbin "file", skip, count"""
    args.limit(1, 3, '"file", skip, count')
    path = asm.preprocessor.file_name('"' + args.string(0).decode("utf-8", "surrogateescape") + '"')
    data = asm.preprocessor.read(path)[max(0, args.number(1, 0)) :]
    asm.emit(data[: max(0, args.number(2))] if args.has(2) else data)


TABLE = {
    ".byte": _numbers(1),
    ".2byte": _numbers(2),
    ".half": _numbers(2),
    ".hword": _numbers(2),
    ".short": _numbers(2),
    ".4byte": _numbers(4),
    ".word": _numbers(4),
    ".long": _numbers(4),
    ".int": _numbers(4),
    ".8byte": _numbers(8),
    ".dword": _numbers(8),
    ".quad": _numbers(8),
    ".octa": _numbers(16),
    ".ascii": _strings(b""),
    ".asciz": _strings(b"\0"),
    ".string": _strings(b"\0"),
    ".string8": _strings(b"\0"),
    ".string16": _strings(b"\0", 2),
    ".string32": _strings(b"\0", 4),
    ".string64": _strings(b"\0", 8),
    ".skip": _space,
    ".space": _space,
    ".zero": _space,
    ".fill": _fill,
    ".float": _floats("<f"),
    ".single": _floats("<f"),
    ".double": _floats("<d"),
    ".uleb128": _uleb,
    ".sleb128": _sleb,
    ".incbin": _incbin,
}
