"""The operands of one directive, asked for by what they should be; a wrong one is an error with a caret under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asm.errors import StatementError
from asm.parse import Node, Parsed
from asm.strings import string
from asm.symbols import Symbol, Value

if TYPE_CHECKING:
    from asm.assemble import Assembler

_MISSING: Node = ("missing",)


class Arguments:
    """The operands of a directive, by index from 0."""

    def __init__(self, asm: Assembler, parsed: Parsed) -> None:
        self.asm = asm
        self.parsed = parsed
        self.name = parsed.texts[0].lower()
        nodes = parsed.tree[2][1:]
        self.nodes: tuple[Node, ...] = () if nodes == (_MISSING,) else nodes

    def __len__(self) -> int:
        return len(self.nodes)

    def limit(self, least: int, most: int, usage: str) -> None:
        """Raises StatementError unless there are from `least` to `most` operands."""
        if not least <= len(self.nodes) <= most:
            extra = self.nodes[most] if len(self.nodes) > most else None
            written = f"{self.name} {usage}".rstrip()
            raise self.error(f"`{self.name}` is written `{written}`", extra)

    def error(self, message: str, node: Node | None = None, hint: str = "") -> StatementError:
        """An error whose caret points at an operand, or at the directive's name."""
        if node is None or node == _MISSING:
            return StatementError(message, self.parsed.start, len(self.parsed.texts[0]), hint)
        return StatementError(message, *self.parsed.span(node), hint)

    def has(self, index: int) -> bool:
        """Whether that operand is there and not empty."""
        return index < len(self.nodes) and self.nodes[index] != _MISSING

    def value(self, index: int) -> Value:
        """An expression's value, as far as it is known."""
        node = self.nodes[index] if index < len(self.nodes) else _MISSING
        if node == _MISSING:
            return 0  # GNU as: "zero assumed for missing expression"
        if node[0] == "memory":
            raise self.error("expected `,` before `(`", node)
        if node[0] != "value":
            said = "expected `,` between operands" if node[0] == "words" else "expected an expression"
            raise self.error(said, node)
        return self.asm.evaluate(self.parsed, node[1])

    def number(self, index: int, otherwise: int | None = None) -> int:
        """A number that is known now; `otherwise` if the operand is left out."""
        if not self.has(index) and otherwise is not None:
            return otherwise
        value = self.asm.constant_or_value(self.value(index))
        if type(value) is not int:
            raise self.error("expected a number that is known here", self.nodes[index])
        return value

    def string(self, index: int) -> bytes:
        """A string; several behind each other are one."""
        if not self.has(index) or self.nodes[index][0] != "strings":
            raise self.error('expected a string in `"`', self.nodes[index] if self.has(index) else None)
        return b"".join(string(self.parsed.texts[leaf]) for leaf in self.nodes[index][1:])

    def word(self, index: int) -> str:
        """A plain name, or a string in its place."""
        if self.has(index):
            node = self.nodes[index]
            if node[0] == "value" and node[1][0] == "name":
                return str(self.parsed.texts[node[1][1]])
            if node[0] == "strings":
                return self.string(index).decode("utf-8", "surrogateescape")
        raise self.error("expected a name", self.nodes[index] if self.has(index) else None)

    def symbol(self, index: int) -> Symbol:
        """The symbol that an operand names."""
        name = self.word(index)
        if name == ".":
            raise self.error("`.` is no symbol's name", self.nodes[index])
        return self.asm.symbol(name)

    def type(self, index: int) -> str:
        """A type: `@function`, `%function`, "function" or the bare name."""
        if self.has(index) and self.nodes[index][0] == "type":
            return str(self.parsed.texts[self.nodes[index][1]][1:])
        return self.word(index)
