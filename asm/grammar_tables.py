"""The LALR tables that Lark makes of grammar.lark, kept beside it in grammar_made.py.

Importing Lark takes four times as long as assembling a small program. So Lark is only asked when the grammar has
changed: what it computes, a table of plain numbers and strings, is written down, and parse.py runs it. After an edit
of the grammar everything works as before, but slowly, until `python -m asm.grammar_tables` has written it anew (a
test says so).
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

_FOLDER = os.path.dirname(os.path.abspath(__file__))
MADE = os.path.join(_FOLDER, "grammar_made.py")


class Rule(NamedTuple):
    """One production: `name` is the node it makes ("" passes its only child on), `keep` says which children stay."""

    origin: str
    name: str
    keep: tuple[bool, ...]


class Tables(NamedTuple):
    """states[s][terminal or rule name] is a state to go to (>= 0), or -1 - r: reduce by rules[r]."""

    states: list[dict[str, int]]
    rules: list[Rule]
    start: int


def load() -> Tables:
    """The tables of grammar.lark: those written down, or, if the grammar has changed since, Lark's."""
    from asm import grammar_made as made

    grammar = _grammar()
    if _checksum(grammar) != made.GRAMMAR:
        return compile_grammar(grammar)
    return Tables(made.STATES, [Rule(*rule) for rule in made.RULES], made.START)


def compile_grammar(grammar: str) -> Tables:
    """Asks Lark for the tables. Raises lark.exceptions.GrammarError if the grammar is not LALR(1)."""
    import io
    import pickle

    import lark

    saved = io.BytesIO()
    lark.Lark(grammar, parser="lalr", lexer="basic").save(saved)
    content = pickle.loads(saved.getvalue())
    return _simplify(content["data"]["parser"]["parser"], content["memo"])


def _simplify(table: dict[str, Any], memo: dict[int, Any]) -> Tables:
    """Lark's serialised form as Tables, with each anonymous terminal named by its text."""
    texts = {entry["name"]: entry["pattern"]["value"] for entry in memo.values() if entry["__type__"] == "TerminalDef"}
    names = {number: texts.get(name, name) for number, name in table["tokens"].items()}
    known = {key: _rule(entry) for key, entry in memo.items() if entry["__type__"] == "Rule"}
    keys = sorted(known, key=lambda key: _written(memo[key]))
    numbers = {key: number for number, key in enumerate(keys)}
    states: dict[int, dict[str, int]] = {}
    for state, actions in table["states"].items():
        found = {
            names[symbol]: -1 - numbers[target["@"]] if reduce else target
            for symbol, (reduce, target) in actions.items()
        }
        states[state] = dict(sorted(found.items()))
    return Tables(_renumbered(states, table["start_states"]["start"]), [known[key] for key in keys], 0)


def _renumbered(states: dict[int, dict[str, int]], start: int) -> list[dict[str, int]]:
    """The states in the order in which they are reached: Lark's own numbers change with the hash seed."""
    order = [start]
    for state in order:
        order += [target for target in dict.fromkeys(states[state].values()) if target >= 0 and target not in order]
    new = {state: number for number, state in enumerate(order)}
    return [{symbol: new.get(to, to) for symbol, to in states[state].items()} for state in order]


def _written(entry: dict[str, Any]) -> str:
    """A rule as text, to sort by."""
    return f"{entry['origin']['name']} {entry['order']:4} {[part['name'] for part in entry['expansion']]}"


def _rule(entry: dict[str, Any]) -> Rule:
    keep = tuple(not part.get("filter_out", False) for part in entry["expansion"])
    passes = entry["options"]["expand1"] and not entry["alias"] and sum(keep) == 1
    return Rule(entry["origin"]["name"], "" if passes else entry["alias"] or entry["origin"]["name"], keep)


def _grammar() -> str:
    with open(os.path.join(_FOLDER, "grammar.lark"), encoding="utf-8") as file:
        return file.read()


def _checksum(grammar: str) -> int:
    import zlib

    return zlib.crc32(grammar.encode())


def source() -> str:
    """The text of grammar_made.py: for the grammar as it is now."""
    grammar = _grammar()
    tables = compile_grammar(grammar)
    lines = [
        '"""Made by `python -m asm.grammar_tables` from grammar.lark: see there, and change nothing here."""\n',
        "# fmt: off\n# ruff: noqa: E501\n",
        "from __future__ import annotations\n",
        f"GRAMMAR = {_checksum(grammar)}",
        f"START = {tables.start}",
        "STATES: list[dict[str, int]] = [",
        *(f"    {dict(sorted(state.items()))!r}," for state in tables.states),
        "]",
        "RULES: list[tuple[str, str, tuple[bool, ...]]] = [",
        *(f"    {tuple(rule)!r}," for rule in tables.rules),
        "]",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with open(MADE, "w", encoding="utf-8") as made_file:
        made_file.write(source())
