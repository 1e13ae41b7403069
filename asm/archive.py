"""ar archives: their members and which symbols they define. Source: gABI, Archive File; GNU long names."""

from __future__ import annotations

from asm.elf import ElfError

MAGIC = b"!<arch>\n"


def members(data: bytes) -> list[tuple[str, bytes]]:
    """(name, content) of each member that is a file, in order. Raises ElfError."""
    if data[:8] != MAGIC:
        raise ElfError("this is no ar archive")
    found: list[tuple[str, bytes]] = []
    long_names, at = b"", 8
    while at + 60 <= len(data):
        raw, size_text, end = data[at : at + 16].rstrip(), data[at + 48 : at + 58].strip(), data[at + 58 : at + 60]
        if end != b"`\n" or not size_text.isdigit():
            raise ElfError(f"the archive is damaged at byte {at}")
        size = int(size_text)
        content = data[at + 60 : at + 60 + size]
        if len(content) != size:
            raise ElfError("the archive is cut off")
        if raw == b"//":
            long_names = content
        elif raw not in (b"/", b"/SYM64/"):
            found.append((_name(raw, long_names), content))
        at += 60 + size + size % 2
    return found


def _name(raw: bytes, long_names: bytes) -> str:
    """A member's name: `name/`, or `/offset` into the table of long names."""
    if raw[:1] == b"/" and raw[1:].isdigit():
        at = int(raw[1:])
        raw = long_names[at : at + 1000].split(b"\n")[0]
    return raw.removesuffix(b"/").decode("utf-8", "replace")
