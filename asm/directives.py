"""All directives that are not the preprocessor's, by name. An unknown one is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asm import data_directives, other_directives, section_directives, symbol_directives
from asm.arguments import Arguments
from asm.errors import StatementError, did_you_mean
from asm.parse import Parsed, parse

if TYPE_CHECKING:
    from asm.assemble import Assembler

Directive = Callable[["Assembler", Arguments], None]

TABLE: dict[str, Directive] = {
    **data_directives.TABLE,
    **section_directives.TABLE,
    **symbol_directives.TABLE,
    **other_directives.TABLE,
}

#: Directives that make bytes: these lines stand in listings, and in messages about relocations.
_EMITTING = frozenset((*data_directives.TABLE, ".align", ".p2align", ".balign", ".org"))


def run(asm: Assembler, name: str, text: str, start: int) -> None:
    """Carries out the directive `name` of the statement text[start:]. Raises StatementError."""
    directive = TABLE.get(name) or TABLE.get(name.lower())
    if directive is None:
        from asm.preprocess import NAMES

        hint = did_you_mean(name.lower(), (*TABLE, *NAMES))
        raise StatementError(f"unknown directive `{name}`", start, len(name), hint)
    parsed = parse(text, start)
    if parsed.tree[0] != "operation":
        assign(asm, parsed)
        return
    if name.lower() in _EMITTING:
        asm.row()
    directive(asm, Arguments(asm, parsed))


def assign(asm: Assembler, parsed: Parsed) -> None:
    """`name = expression`, `name == expression` (once only), and `. = expression`, which is .org."""
    name = parsed.texts[parsed.tree[1]]
    value = asm.evaluate(parsed, parsed.tree[2])
    if name == ".":
        section_directives.advance(asm, value, 0)
        return
    symbol_directives.equate(asm, name, value, again=parsed.tree[0] == "assign")
