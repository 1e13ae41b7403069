"""LEB128 numbers: 7 bits to a byte, low ones first (DWARF 5, 7.6)."""

from __future__ import annotations


def unsigned(value: int) -> bytes:
    """An unsigned number (value >= 0)."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def signed(value: int) -> bytes:
    """A signed number."""
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value & 0x7F])


def read_unsigned(data: bytes, at: int) -> tuple[int, int]:
    """(the number at data[at:], where it ends). Raises IndexError at the end of the data, ValueError over 128 bits."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 128:
            raise ValueError("a LEB128 number that does not end")


def read_signed(data: bytes, at: int) -> tuple[int, int]:
    """As read_unsigned, for a signed number."""
    value, end = read_unsigned(data, at)
    bits = 7 * (end - at)
    return value - (1 << bits) if value >> bits - 1 else value, end
