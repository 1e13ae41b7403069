"""What the linker says is wrong, and where: the source line with a caret, if the assembler has just read it."""

from __future__ import annotations

from collections.abc import Sequence

from asm.errors import AssemblyError, Statement, printable
from asm.objects import Object, ObjectSection, ObjectSymbol, Relocation


class LinkErrors(Exception):
    """All that is wrong with a link, one message per line of str()."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(messages)
        self.messages = [printable(message, 4000) for message in messages]

    def __str__(self) -> str:
        return "\n".join(self.messages)


def at_symbol(message: str, made: Object, symbol: ObjectSymbol, hint: str = "") -> str:
    """An error at the definition of a symbol."""
    return _said(message, symbol.statement, symbol.name, place(made, symbol), hint)


def at_relocation(
    message: str, made: Object, section: ObjectSection, relocation: Relocation, name: str, hint: str = ""
) -> str:
    """An error at the use of an address; the caret goes under `name`."""
    return _said(message, relocation.statement, name, where(made, section, relocation.offset), hint)


def _said(message: str, statement: Statement | None, name: str, place: str, hint: str) -> str:
    if statement is None:
        return f"{place}: error: {message}" + (f"\n  {hint}" if hint else "")
    at, length = _find(statement.text, name)
    return str(AssemblyError(message, statement, at, length, hint))


def _find(text: str, name: str) -> tuple[int, int]:
    """Where a name stands in a statement, and its length; the beginning if it does not."""
    import re  # here, since most links have no errors

    found = re.search(rf"(?<![\w.$]){re.escape(name)}(?![\w.$])", text) if name else None
    return (found.start(), len(name)) if found else (0, 1)


def place(made: Object, symbol: ObjectSymbol) -> str:
    """Where a symbol is defined: file and line if known, else the object."""
    if symbol.statement is not None:
        return f"{symbol.statement.source.name}:{symbol.statement.line}"
    return where(made, symbol.section, symbol.value) if symbol.section else made.name


def where(made: Object, section: ObjectSection, offset: int) -> str:
    """The source line that a byte of a section comes from, as `file:line`, or the object and section."""
    best = None
    for row in section.rows:
        if row[0] > offset:
            break
        best = row
    return f"{best[1]}:{best[2]}" if best else f"{made.name}({section.name}+{offset:#x})"
