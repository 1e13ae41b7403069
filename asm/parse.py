"""Parses one statement with the LALR tables of grammar.lark, memoised by the statement's *shape*.

The shape is the statement with every name, number and string replaced by its kind: `addi a0, a1, 5` and `slli t0,
t0, 3` are both NAME NAME , NAME , NUMBER, which is parsed once. So a program of 50,000 different lines is some
dozens of parses. A node of the tree is a tuple: its name (as in the grammar), then children; a leaf is the index of
a token.
"""

from __future__ import annotations

from typing import Any

from asm.errors import StatementError
from asm.grammar_tables import Rule, Tables, load
from asm.tokens import Token, shape, tokens

#: A tree: ("add", ("name", 2), ("number", 4)).
Node = tuple[Any, ...]

MAX_DEPTH = 200  # of an expression: far from what Python's stack allows
_MAX_MEMO = 20_000  # shapes; when full, it begins anew
_MAX_SHAPE = 2_000  # longer ones hardly come twice

_tables: Tables | None = None
_memo: dict[str, Node | _Failure] = {}


class Parsed:
    """A statement's tree and the texts of its tokens (a leaf of the tree is an index into them)."""

    __slots__ = ("text", "start", "tree", "texts")

    def __init__(self, text: str, start: int, tree: Node, texts: list[str]) -> None:
        self.text = text
        self.start = start
        self.tree = tree
        self.texts = texts

    def span(self, node: Node) -> tuple[int, int]:
        """Where a node stands in the statement: (offset, length)."""
        leaves = list(_leaves(node))
        if not leaves:
            return len(self.text), 1
        found = tokens(self.text, self.start)
        low, high = min(leaves), max(leaves)
        while low > 1 and found[low - 1].kind in _PREFIXES and found[low - 2].kind not in _OPERAND_ENDS:
            low -= 1
        while found[low - 1].kind == "(" and high + 1 < len(found) and found[high + 1].kind == ")" and low > 2:
            low, high = low - 1, high + 1
        return found[low].at, found[high].at + len(found[high].text) - found[low].at


#: A sign before an operand belongs to it, unless it stands behind another operand.
_PREFIXES = ("-", "+", "~", "!")
_OPERAND_ENDS = ("NUMBER", "CHARACTER", "LOCAL", ")")


class _Failure:
    """A shape that is no statement: the token at `index` should have been one of `expected`."""

    __slots__ = ("index", "expected")

    def __init__(self, index: int, expected: list[str]) -> None:
        self.index = index
        self.expected = expected


def parse(text: str, start: int = 0) -> Parsed:
    """Parses text[start:], which begins with the name of an instruction or directive. Raises StatementError."""
    kinds, texts = shape(text, start)
    tree = _memo.get(kinds)
    if tree is None:
        tree = _parse_shape(kinds.split(" "))
        if len(_memo) >= _MAX_MEMO:
            _memo.clear()
        if len(kinds) < _MAX_SHAPE:
            _memo[kinds] = tree
    if isinstance(tree, _Failure):
        raise _explain(text, tree, tokens(text, start))
    return Parsed(text, start, tree, texts)


def _parse_shape(kinds: list[str]) -> Node | _Failure:
    """The tree for a sequence of kinds of tokens: the LALR automaton."""
    global _tables
    if _tables is None:
        _tables = load()
    states, rules, start = _tables
    stack = [start]
    values: list[Any] = []
    depths: list[int] = []  # of the values
    index, kind = 0, kinds[0]
    while True:  # hot, for long lists of data
        action = states[stack[-1]].get(kind)
        if action is None:
            return _Failure(index, sorted(k for k in states[stack[-1]] if not k.islower()))
        if action >= 0:
            stack.append(action)
            values.append(index)
            depths.append(0)
            index += 1
            kind = kinds[index] if index < len(kinds) else "$END"
            continue
        rule = rules[-1 - action]
        size = len(rule.keep)
        if size == 1 and not rule.name:  # one level of precedence to the next: most reductions
            stack[-1] = states[stack[-2]][rule.origin]
            continue
        node, depth = _node(rule, values[len(values) - size :], depths[len(depths) - size :] if size else [])
        if depth > MAX_DEPTH:
            return _Failure(index, [f"an expression nested at most {MAX_DEPTH} levels deep"])
        del stack[len(stack) - size :], values[len(values) - size :], depths[len(depths) - size :]
        values.append(node)
        depths.append(depth)
        if rule.origin == "start":
            return tuple(node)
        stack.append(states[stack[-1]][rule.origin])


#: Rules that are left-recursive lists: while they are parsed their nodes are Python lists, which grow in place.
_LISTS = ("operands", "words", "strings")


def _node(rule: Rule, children: list[Any], depths: list[int]) -> tuple[Any, int]:
    """What a reduction makes of its children, and how deep it is. A list's rule extends the list it begins with."""
    depth = max(depths, default=0)
    if not rule.name:
        return next(child for child, keep in zip(children, rule.keep, strict=True) if keep), depth
    kept = [child for child, keep in zip(children, rule.keep, strict=True) if keep]
    if rule.name in _LISTS:
        if isinstance(kept[0], list) and kept[0][0] == rule.name:
            kept[0].extend(kept[1:])
            return kept[0], depth
        return [rule.name, *kept], depth
    return (rule.name, *(tuple(child) if isinstance(child, list) else child for child in kept)), depth + 1


def _leaves(node: Node | int) -> list[int]:
    if isinstance(node, int):
        return [node]
    return [leaf for child in node[1:] for leaf in _leaves(child)]


_SAID = {"NAME": "a name", "NUMBER": "a number", "STRING": "a string", "$END": "the end of the statement"}
_OPERAND = {"NAME", "NUMBER", "("}


def _explain(text: str, failure: _Failure, found: list[Token]) -> StatementError:
    """The error for a shape that is no statement: what stands there, and what could."""
    if failure.expected and failure.expected[0].startswith("an expression"):
        return StatementError(f"expected {failure.expected[0]}", found[0].at, len(found[0].text))
    expected = set(failure.expected)
    if expected >= _OPERAND:
        wanted = "an operand" if "$END" in expected else "a name, a number or another expression"
    else:
        known = [_SAID.get(kind, f"`{kind}`") for kind in failure.expected if kind in _SAID or kind in ("=", ")", ",")]
        wanted = " or ".join(known) or "something else"
    if failure.index < len(found):
        token = found[failure.index]
        return StatementError(f"expected {wanted} before `{token.text}`", token.at, len(token.text))
    return StatementError(f"expected {wanted} at the end", len(text.rstrip()), 1)
