"""The .riscv.attributes section: what an object says of the machine it is for. Source: psABI, 9 Attributes."""

from __future__ import annotations

from asm.leb128 import unsigned

ARCH = 5
_DEFAULT_ARCH = "rv64i2p1_m2p0_a2p1_zicsr2p0_zifencei2p0"


def encode(attributes: dict[int, int | str]) -> bytes:
    """The section's bytes: format version 'A', then one vendor's subsection with one for the whole file."""
    tags = {ARCH: _DEFAULT_ARCH, **attributes}
    content = bytearray()
    for tag, value in sorted(tags.items()):
        content += unsigned(tag)
        content += unsigned(value) if isinstance(value, int) else value.encode("utf-8", "replace") + b"\0"
    file = b"\x01" + (len(content) + 5).to_bytes(4, "little") + content
    vendor = b"riscv\0" + file
    return b"A" + (len(vendor) + 4).to_bytes(4, "little") + vendor
