"""The LALR tables that Lark makes of grammar.lark, kept in the user's cache directory.

Importing Lark takes four times as long as assembling a small program. So Lark is only asked when the grammar has
changed (or there is no cache): what it computes, a table of plain numbers and strings, is kept, and parse.py runs
it. A cache that is read-only, damaged, of another version or missing changes nothing but the time.
"""

from __future__ import annotations

import marshal
import os
import sys
from typing import Any, NamedTuple


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


#: Raised when what the cache holds changes its form.
_FORM = b"forkyard grammar 1"


def load() -> Tables:
    """The tables of grammar.lark, from the cache where possible."""
    with open(os.path.join(os.path.dirname(__file__), "grammar.lark"), encoding="utf-8") as file:
        grammar = file.read()
    path = _cache_path()
    cached = _read(path, grammar) if path else None
    if cached is not None:
        return cached
    tables = compile_grammar(grammar)
    if path:
        _write(path, grammar, tables)
    return tables


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
    numbers: dict[int, int] = {}
    rules: list[Rule] = []
    for key, entry in memo.items():
        if entry["__type__"] == "Rule":
            numbers[key] = len(rules)
            rules.append(_rule(entry))
    states: list[dict[str, int]] = [{} for _ in range(max(table["states"]) + 1)]
    for state, actions in table["states"].items():
        for symbol, (reduce, target) in actions.items():
            states[state][names[symbol]] = -1 - numbers[target["@"]] if reduce else target
    return Tables(states, rules, table["start_states"]["start"])


def _rule(entry: dict[str, Any]) -> Rule:
    keep = tuple(not part.get("filter_out", False) for part in entry["expansion"])
    passes = entry["options"]["expand1"] and not entry["alias"] and sum(keep) == 1
    return Rule(entry["origin"]["name"], "" if passes else entry["alias"] or entry["origin"]["name"], keep)


def _cache_path() -> str | None:
    """The file that keeps the tables; FORKYARD_CACHE names another directory, or none if it is empty."""
    folder = os.environ.get("FORKYARD_CACHE")
    if folder is None and sys.platform.startswith("linux"):  # as platformdirs says, without the cost of asking it
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
        folder = os.path.join(base, "forkyard") if os.path.isabs(base) else None
    elif folder is None:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("forkyard", appauthor=False)
    return os.path.join(folder, "grammar") if folder else None


def _key(grammar: str) -> bytes:
    import zlib

    return b"%s %s %08x" % (_FORM, sys.version.encode(), zlib.crc32(grammar.encode()))


def _read(path: str, grammar: str) -> Tables | None:
    import zlib

    try:
        with open(path, "rb") as file:
            data = file.read()
        key = _key(grammar)
        body = data[len(key) + 4 :]
        if data[: len(key)] != key or data[len(key) : len(key) + 4] != zlib.crc32(body).to_bytes(4, "little"):
            return None
        states, rules, start = marshal.loads(body)
        return Tables(states, [Rule(*rule) for rule in rules], start)
    except (OSError, ValueError, EOFError, TypeError):
        return None


def _write(path: str, grammar: str, tables: Tables) -> None:
    """Keeps the tables, whole or not at all: another process may be reading."""
    import zlib

    body = marshal.dumps((tables.states, [tuple(rule) for rule in tables.rules], tables.start))
    scratch = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(scratch, "wb") as file:
            file.write(_key(grammar) + zlib.crc32(body).to_bytes(4, "little") + body)
        os.replace(scratch, path)
    except OSError:
        return
