"""Listings: each source line with the address and the bytes that it became."""

from __future__ import annotations

from collections.abc import Iterator

from asm.link_layout import Image
from asm.objects import Object, ObjectSection
from asm.sections import ALLOC, NOBITS

_BYTES = 8  # on a line
_MAX_LINES = 4  # of one statement: a long .fill is cut

#: Where a statement's bytes are: (address, bytes).
Piece = tuple[int, bytes]


def of_program(image: Image) -> str:
    """The listing of a linked program, after relocation; addresses are the program's."""
    pieces: dict[tuple[str, int], list[Piece]] = {}
    for placed in image.sections:
        for base, _, section in placed.parts:
            if placed.loaded:
                data = bytes(placed.data[base : base + section.size])
                _collect(pieces, section, placed.address + base, data)
    return "\n".join(_file(name, text, pieces) for name, text in _sources(image.resolver.objects))


def of_object(made: Object) -> str:
    """The listing of an object that is not linked; addresses are offsets in its sections."""
    pieces: dict[tuple[str, int], list[Piece]] = {}
    for section in made.sections:
        if section.flags & ALLOC:
            _collect(pieces, section, 0, bytes(section.data))
    return "\n".join(_file(name, text, pieces) for name, text in _sources([made]))


def _sources(objects: list[Object]) -> Iterator[tuple[str, str]]:
    """Each source text once, in the order of its first use."""
    seen: dict[str, str] = {}
    for made in objects:
        for name, text in made.sources:
            if name not in seen:
                seen[name] = text
                yield name, text


def _collect(pieces: dict[tuple[str, int], list[Piece]], section: ObjectSection, base: int, data: bytes) -> None:
    """Notes which bytes each line of a section made: those up to the next line's."""
    if not section.rows:
        return
    ends = [row[0] for row in section.rows[1:]] + [section.size]
    for (start, file, line), end in zip(section.rows, ends, strict=True):
        if end > start:
            held = data[start:end] if section.type != NOBITS else b""
            pieces.setdefault((file, line), []).append((base + start, held))


def _file(name: str, text: str, pieces: dict[tuple[str, int], list[Piece]]) -> str:
    lines = [f"{name}:"]
    for number, source in enumerate(text.split("\n"), 1):
        if number == text.count("\n") + 1 and not source:
            break
        columns = [column for piece in pieces.get((name, number), ()) for column in _columns(*piece)]
        shown = columns[:_MAX_LINES]
        if len(columns) > _MAX_LINES:
            shown[-1] = shown[-1].rstrip() + " …"
        first = shown[0] if shown else ""
        lines.append(f"{number:5}  {first:<27}  {source}".rstrip())
        lines += [f"       {column}" for column in shown[1:]]
    return "\n".join(lines) + "\n"


def _columns(address: int, data: bytes) -> list[str]:
    """The address and bytes of a piece, in lines of 8 bytes; 4 together where these are instructions or words."""
    if not data:
        return [f"{address:08x}"]
    return [f"{address + at:08x}  {data[at : at + _BYTES].hex(' ', -4)}" for at in range(0, len(data), _BYTES)]
