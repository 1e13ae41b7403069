"""Conditional assembly: which statements count.

Source: GNU as manual, 7.56 .if and its family. A condition must be a number that is known when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from asm import macros
from asm.errors import Statement, StatementError
from asm.parse import Node, parse
from asm.strings import string

if TYPE_CHECKING:
    from asm.assemble import Assembler


class _Open:
    """An .if that has no .endif yet. outer: the text around it counts; active: so would its statements now; done: a
    branch of it has counted already."""

    __slots__ = ("statement", "outer", "active", "done", "had_else")

    def __init__(self, statement: Statement, outer: bool, active: bool, done: bool) -> None:
        self.outer = outer
        self.statement = statement
        self.active = active
        self.done = done
        self.had_else = False


class Conditionals:
    """The stack of open conditionals."""

    def __init__(self, asm: Assembler) -> None:
        self.asm = asm
        self.stack: list[_Open] = []
        self.active = True  # whether statements count at the moment

    @property
    def depth(self) -> int:
        """How many conditionals are open."""
        return len(self.stack)

    def close(self, depth: int) -> Iterator[Statement]:
        """Closes all but the outermost `depth` conditionals; gives the statements that opened them."""
        while len(self.stack) > depth:
            yield self.stack.pop().statement
            self._update()

    def run(self, name: str, operands: str, statement: Statement) -> None:
        """One of the directives, among statements that count."""
        if name in _ELSE:
            self._else(name, operands)
        else:
            try:
                holds = _TESTS[name](self, name, operands)
            except StatementError:
                self._open(statement, True)  # so that its .endif finds it
                raise
            self._open(statement, holds)

    def skip(self, statement: Statement) -> None:
        """Looks at a statement that does not count, for the directives that end this."""
        found = macros.name_at(statement.text)
        name, operands = found.lower(), statement.text[len(found) :].strip()
        if name in _TESTS:
            self.stack.append(_Open(statement, False, False, True))
        elif name in _ELSE:
            self._else(name, operands)

    def _open(self, statement: Statement, holds: bool) -> None:
        self.stack.append(_Open(statement, True, holds, holds))
        self._update()

    def _else(self, name: str, operands: str) -> None:
        if not self.stack:
            raise StatementError(f"`{name}` without `.if`")
        innermost = self.stack[-1]
        if name == ".endif":
            self.stack.pop()
        elif innermost.had_else:
            raise StatementError(f"`{name}` after `.else`")
        elif name == ".else":
            innermost.had_else = True
            innermost.active, innermost.done = not innermost.done, True
        else:
            innermost.active = False
            if not innermost.done:
                innermost.active = innermost.done = self.number(operands, name) != 0
        self._update()

    def _update(self) -> None:
        self.active = not self.stack or (self.stack[-1].outer and self.stack[-1].active)

    def number(self, operands: str, name: str) -> int:
        """The number that a directive's operand is. Raises StatementError if it is none that is known now."""
        parsed = parse(f"{name} {operands}")
        trees: tuple[Node, ...] = parsed.tree[2][1:] if parsed.tree[0] == "operation" else ()
        at = self.asm.statement.text.find(operands) if operands else 0
        if len(trees) != 1 or trees[0][0] != "value":
            raise StatementError(f"`{name}` takes one expression", at, max(1, len(operands)))
        value = self.asm.constant_or_value(self.asm.evaluate(parsed, trees[0][1]))
        if type(value) is not int:
            raise StatementError(f"`{name}` needs a number that is known here", at, len(operands))
        return value

    def _defined(self, operands: str) -> bool:
        symbol = self.asm.symbols.get(operands.strip('"'))
        return symbol is not None and symbol.is_defined


def is_conditional(name: str) -> bool:
    """Whether `name` (in lower case) is one of these directives."""
    return name in _TESTS or name in _ELSE


def _number_test(test: Callable[[int], bool]) -> Test:
    return lambda conditionals, name, operands: test(conditionals.number(operands, name))


def _same(operands: str) -> bool:
    """.ifc: two strings, in single quotes or none; blanks around them don't count."""
    first, rest = _piece(operands)
    second, _ = _piece(rest)
    return first == second


def _piece(text: str) -> tuple[str, str]:
    text = text.strip()
    if text.startswith("'"):
        end = text.find("'", 1)
        end = len(text) if end < 0 else end
        return text[1:end], text[end + 1 :].lstrip().removeprefix(",")
    first, _, rest = text.partition(",")
    return macros.squeeze(first), rest


def _same_strings(operands: str) -> bool:
    """.ifeqs: two strings in double quotes."""
    first, rest = macros.squeeze(operands), ""
    end = _string_end(first)
    first, rest = first[:end], first[end:].removeprefix(",")
    if not first or _string_end(rest) != len(rest) or not rest:
        raise StatementError('expected two strings, as in `.ifeqs "a", "b"`')
    return string(first) == string(rest)


def _string_end(text: str) -> int:
    at = 1
    while text.startswith('"') and at < len(text):
        if text[at] == '"':
            return at + 1
        at += 2 if text[at] == "\\" else 1
    return 0


Test = Callable[[Conditionals, str, str], bool]

_TESTS: dict[str, Test] = {
    ".if": _number_test(lambda n: n != 0),
    ".ifne": _number_test(lambda n: n != 0),
    ".ifeq": _number_test(lambda n: n == 0),
    ".ifgt": _number_test(lambda n: n > 0),
    ".ifge": _number_test(lambda n: n >= 0),
    ".iflt": _number_test(lambda n: n < 0),
    ".ifle": _number_test(lambda n: n <= 0),
    ".ifdef": lambda conditionals, _, operands: conditionals._defined(operands),
    ".ifndef": lambda conditionals, _, operands: not conditionals._defined(operands),
    ".ifnotdef": lambda conditionals, _, operands: not conditionals._defined(operands),
    ".ifb": lambda _, __, operands: not operands,
    ".ifnb": lambda _, __, operands: bool(operands),
    ".ifc": lambda _, __, operands: _same(operands),
    ".ifnc": lambda _, __, operands: not _same(operands),
    ".ifeqs": lambda _, __, operands: _same_strings(operands),
    ".ifnes": lambda _, __, operands: not _same_strings(operands),
}
_ELSE = (".elseif", ".else", ".endif")
