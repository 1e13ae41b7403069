"""The tokens of one statement, for the grammar in grammar.lark (whose %declare line names the same kinds).

Source: GNU as manual, 3.3 to 3.6 (symbols, constants), 5.3 (local labels), RISC-V: %hi() and its like.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from asm.errors import StatementError

#: Functions that stand for one part of an address (psABI, Relocations; GNU as manual, RISC-V-Modifiers).
FUNCTIONS = (
    *("hi", "lo", "pcrel_hi", "pcrel_lo", "got_pcrel_hi"),
    *("tprel_hi", "tprel_lo", "tprel_add", "tls_ie_pcrel_hi", "tls_gd_pcrel_hi"),
)

# A name is made of letters, digits, `_`, `.`, `$` and everything beyond ASCII. Said by what is not in it: `re`
# compiles that fifty times faster than a range up to the last character there is.
NAME = r"[^\x00-#%-\-/-@\[-^`{-\x7f][^\x00-#%-\-/:-@\[-^`{-\x7f]*"

_TOKEN = re.compile(
    rf"""
    (?P<NAME>(?!\.\d+(?:[eE][-+]?\d+)?(?![A-Za-z0-9_.$])){NAME})
  | (?P<LOCAL>\d+[fb](?![0-9A-Za-z_.$]))
  | (?P<FLOAT>\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.\d+(?:[eE][-+]?\d+)?|0[fFdD][-+]?[0-9.]+(?:[eE][-+]?\d+)?)
  | (?P<NUMBER>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)
  | (?P<STRING>"(?:[^"\\]|\\.)*")
  | (?P<CHARACTER>'(?:\\.|[^\\])'?)
  | (?P<FUNCTION>%(?:{"|".join(FUNCTIONS)})(?=\s*\())
  | (?P<TYPE>@[A-Za-z_]+|%[A-Za-z_]+(?=\s*(?:,|$)))
  | (?P<OP><<|>>|<>|==|!=|<=|>=|&&|\|\||[-+*/%<>|&^!~=(),@:])
  | (?P<BLANK>\s+)
  | (?P<ERROR>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """kind is a name of the grammar's terminals (an operator's kind is its text); at is its place in the statement."""

    kind: str
    text: str
    at: int


def tokens(text: str, start: int = 0) -> list[Token]:
    """The tokens of text[start:]; raises StatementError at a character that begins none."""
    found = []
    for match in _TOKEN.finditer(text, start):
        kind = match.lastgroup
        if kind == "OP":
            found.append(Token(match[0], match[0], match.start()))
        elif kind == "ERROR":
            raise unexpected(match[0], match.start())
        elif kind != "BLANK":
            found.append(Token(kind or "", match[0], match.start()))
    return found


def shape(text: str, start: int = 0) -> tuple[str, list[str]]:
    """The kinds of the tokens as one string, and their texts: what `tokens` says without the places, faster."""
    kinds: list[str] = []
    texts: list[str] = []
    for match in _TOKEN.finditer(text, start):  # hot: once per statement
        kind = match.lastgroup
        if kind == "BLANK":
            continue
        piece = match[0]
        if kind == "ERROR":
            raise unexpected(piece, match.start())
        kinds.append(piece if kind == "OP" else kind)  # type: ignore[arg-type]  # one group always matches
        texts.append(piece)
    return " ".join(kinds), texts


def unexpected(character: str, at: int) -> StatementError:
    """The error for a character that no token begins with."""
    shown = f"`{character}`" if character.isprintable() else f"character 0x{ord(character):02x}"
    hint = "immediate values are written without a sign like that" if character == "$" else ""
    return StatementError(f"unexpected {shown}", at, 1, hint)
