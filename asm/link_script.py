"""Reads link.ld: the part of GNU ld's linker script language that it uses.

Source: GNU ld manual, 3 Linker Scripts. Understood are PHDRS, ENTRY, OUTPUT_ARCH, and in SECTIONS: output sections
with input patterns, KEEP, PROVIDE, PROVIDE_HIDDEN, /DISCARD/, assignments, and expressions of numbers, `.`, + - *
and ALIGN.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"/\*.*?\*/|\s+|(/DISCARD/|[A-Za-z_.$*?][\w.$*?\-]*|0[xX][0-9a-fA-F]+|\d+|[{}();:=+\-,])", re.DOTALL
)

#: An expression: a number, "." or a symbol, or (operator, operands…).
Expression = int | str | tuple[str, "Expression", "Expression"]


class ScriptError(Exception):
    """The linker script says something that is not understood; str() says what and where."""


class Header(NamedTuple):
    """A program header of PHDRS. headers: it holds the ELF header and the program headers too."""

    name: str
    type: str
    headers: bool
    flags: int


class Input(NamedTuple):
    """*(pattern …): the input sections of these names, in the order of the files."""

    patterns: tuple[str, ...]


class Assign(NamedTuple):
    """name = expression; provide: only if the name is used and not defined."""

    name: str
    value: Expression
    provide: bool


class Output(NamedTuple):
    """An output section: its items and segments. address is 0 for what is not loaded, None for `.`."""

    name: str
    address: int | None
    items: tuple[Input | Assign, ...]
    segments: tuple[str, ...]


class Script(NamedTuple):
    """A whole linker script."""

    entry: str
    headers: tuple[Header, ...]
    statements: tuple[Output | Assign, ...]
    discarded: tuple[str, ...]


def parse(text: str) -> Script:
    """Parses a linker script. Raises ScriptError."""
    return _Parser(text).script()


class _Parser:
    """Recursive descent over the script's tokens."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.at = 0
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ScriptError(f"unexpected `{text[position]}` in line {text.count(chr(10), 0, position) + 1}")
            if match[1]:
                self.tokens.append(match[1])
            position = match.end()

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.peek(-1)

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ScriptError(
                f"expected `{token}`, not `{self.peek(-1)}`, after {' '.join(self.tokens[: self.at - 1][-4:])}"
            )

    def accept(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def script(self) -> Script:
        entry = "_start"
        headers: list[Header] = []
        statements: list[Output | Assign] = []
        discarded: list[str] = []
        while word := self.take():
            if word == "ENTRY":
                entry = self._argument()
            elif word == "OUTPUT_ARCH":
                self._argument()
            elif word == "PHDRS":
                headers = self._headers()
            elif word == "SECTIONS":
                statements, discarded = self._sections()
            else:
                raise ScriptError(f"`{word}` is not understood")
        return Script(entry, tuple(headers), tuple(statements), tuple(discarded))

    def _argument(self) -> str:
        self.expect("(")
        word = self.take()
        self.expect(")")
        return word

    def _headers(self) -> list[Header]:
        found = []
        self.expect("{")
        while not self.accept("}"):
            name, type, headers, flags = self.take(), self.take(), False, 0
            while not self.accept(";"):
                word = self.take()
                if word == "FLAGS":
                    flags = int(self._argument(), 0)
                elif word not in ("FILEHDR", "PHDRS"):
                    raise ScriptError(f"`{word}` in PHDRS is not understood")
                headers |= word != "FLAGS"
            found.append(Header(name, type, headers, flags))
        return found

    def _sections(self) -> tuple[list[Output | Assign], list[str]]:
        statements: list[Output | Assign] = []
        discarded: list[str] = []
        self.expect("{")
        while not self.accept("}"):
            if self.peek(1) == "=" or self.peek() in ("PROVIDE", "PROVIDE_HIDDEN"):
                statements.append(self._assign())
            else:
                output = self._output()
                if output.name == "/DISCARD/":
                    discarded += [name for item in output.items if isinstance(item, Input) for name in item.patterns]
                else:
                    statements.append(output)
        return statements, discarded

    def _assign(self) -> Assign:
        provide = self.peek() in ("PROVIDE", "PROVIDE_HIDDEN")
        if provide:
            self.take()
            self.expect("(")
        name = self.take()
        self.expect("=")
        value = self._expression()
        if provide:
            self.expect(")")
        self.expect(";")
        return Assign(name, value, provide)

    def _output(self) -> Output:
        name = self.take()
        address = None if self.peek() == ":" else int(self.take(), 0)
        self.expect(":")
        self.expect("{")
        items: list[Input | Assign] = []
        while not self.accept("}"):
            items.append(self._input() if self.peek() in ("*", "KEEP") else self._assign())
        segments = []
        while self.accept(":"):
            segments.append(self.take())
        return Output(name, address, tuple(items), tuple(segments))

    def _input(self) -> Input:
        keep = self.accept("KEEP")
        if keep:
            self.expect("(")
        self.expect("*")
        self.expect("(")
        patterns = []
        while not self.accept(")"):
            patterns.append(self.take())
        if keep:
            self.expect(")")
        return Input(tuple(patterns))

    def _expression(self) -> Expression:
        left = self._term()
        while self.peek() in ("+", "-"):
            left = (self.take(), left, self._term())
        return left

    def _term(self) -> Expression:
        word = self.take()
        if word == "(":
            inner = self._expression()
            self.expect(")")
            return inner
        if word == "ALIGN":
            self.expect("(")
            boundary = self._expression()
            self.expect(")")
            return ("align", ".", boundary)
        return int(word, 0) if word[:1].isdigit() else word


def matches(pattern: str, name: str) -> bool:
    """Whether a section's name fits a pattern: `*` stands for anything, at the end only (`.text.*`)."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
