"""Strings and character constants: their escapes, as GNU as reads them.

Source: GNU as manual, 3.6.1.1 Strings, 3.6.1.2 Characters. \\xHH… takes any number of digits and keeps the last two.
"""

from __future__ import annotations

import re

from asm.lines import encode

_ESCAPE = re.compile(rb"\\(?:([0-9]{1,3})|[xX]([0-9a-fA-F]*)|(.))", re.DOTALL)
_SIMPLE = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\", b'"': b'"'}


def string(token: str) -> bytes:
    """The bytes of a string token, which stands in double quotes. An unknown escape gives its own letter."""
    raw = encode(token[1:-1])
    return _ESCAPE.sub(_unescape, raw) if b"\\" in raw else raw


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, other = match.groups()
    if octal is not None:
        value = 0
        for digit in octal:
            value = value * 8 + digit - 0x30
        return bytes([value & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal[-2:] or b"0", 16)])
    return _SIMPLE.get(other, other)


#: What GNU as makes of these letters behind a `\` in a character constant; any other stands for itself.
_LETTERS = {"b": 8, "f": 12, "n": 10, "r": 13, "t": 9}


def character(token: str) -> int:
    """The number of a character constant: 'a, 'a' or '\\n'. Of escapes there are those of one letter only."""
    if token[1] == "\\":
        return _LETTERS.get(token[2], encode(token[2])[0])
    return encode(token[1])[0]
