"""Expressions: from trees to values, and from values to `symbol - symbol + number`.

Source: GNU as manual, 6 Expressions; where the manual is silent, what GNU as 2.40 gives. Arithmetic is 64-bit and
wraps. Comparisons give -1 for true and are signed; `&&`, `||`, `!` give 1; `>>` shifts in zeros; division
truncates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from asm.errors import StatementError
from asm.parse import Node
from asm.strings import character
from asm.symbols import Op, Symbol, Value

_MASK = (1 << 64) - 1
_MAX_CHAIN = 200  # symbols defined by symbols defined by …


class Scope(Protocol):
    """Where names get their meaning."""

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name, defined or not."""

    def local_label(self, text: str) -> Symbol:
        """The label that `1f` or `1b` means."""

    def here(self) -> Symbol:
        """A label for the place the section has reached."""


def wrap(number: int) -> int:
    """The 64-bit two's complement number."""
    number &= _MASK
    return number - (1 << 64) if number >> 63 else number


def number(text: str) -> int:
    """The value of a numeric constant (0x, 0b, octal with 0, decimal): 64-bit, or wider for a bignum."""
    if len(text) > 2000:
        raise StatementError("a number of more than 2000 digits")
    if text[0] == "0" and len(text) > 1:
        if text[1] in "xXbB":
            value = int(text, 0)
        else:
            digits = text.rstrip("89") if text.strip("01234567") else text
            if digits != text:
                raise StatementError(f"`{text}` begins with 0, so it is octal, and 8 and 9 are no octal digits")
            value = int(text, 8)
    else:
        value = int(text)
    return wrap(value) if value <= _MASK else value


def evaluate(node: Node, texts: list[str], scope: Scope) -> Value:
    """The value of an expression's tree; what is not known yet stays symbolic. Raises StatementError."""
    kind = node[0]
    if kind == "number":
        return number(texts[node[1]])
    if kind == "name":
        name = texts[node[1]]
        if name == ".":
            return scope.here()
        symbol = scope.symbol(name)
        return symbol.value if type(symbol.value) is int else symbol
    if kind in ("paren", "pos"):
        return evaluate(node[1], texts, scope)
    if kind == "int":
        return node[1]  # type: ignore[no-any-return]
    if kind == "local":
        return scope.local_label(texts[node[1]])
    if kind == "character":
        return character(texts[node[1]])
    if kind == "float":
        raise StatementError("a number with a fraction goes with `.float` and `.double` only")
    if kind == "plt":
        return scope.symbol(texts[node[1]])
    if kind == "part":
        return Op("part", texts[node[1]], evaluate(node[2], texts, scope))
    if len(node) == 2:
        return _unary(kind, evaluate(node[1], texts, scope))
    return binary(kind, evaluate(node[1], texts, scope), evaluate(node[2], texts, scope))


def _unary(kind: str, value: Value) -> Value:
    if kind == "neg":
        return binary("sub", 0, value)
    if kind == "inv":
        return binary("xor", value, -1)
    return binary("eq0", value, 0)


def binary(kind: str, left: Value, right: Value) -> Value:
    """left op right: computed if both are numbers, else an Op. %hi(x) + 4 means %hi(x + 4), as in GNU as."""
    if type(left) is int and type(right) is int:
        return wrap(_COMPUTE[kind](left, right))
    if isinstance(left, Op) and left.op == "part" and kind in ("add", "sub"):
        assert not isinstance(left.right, str)
        return Op("part", left.left, binary(kind, left.right, right))
    return Op(kind, left, right)


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise StatementError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _shift(left: int, right: int) -> int:
    """GNU as: a count that is not between 0 and 63 gives 0, with a warning."""
    if right < -63 or right > 63:
        return 0
    left &= _MASK
    return left << right if right >= 0 else left >> -right


_COMPUTE: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divide,
    "mod": lambda a, b: a - _divide(a, b) * b,
    "shl": lambda a, b: _shift(a, b) if b >= 0 else 0,
    "shr": lambda a, b: _shift(a, -b) if b >= 0 else 0,
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "xor": lambda a, b: a ^ b,
    "ornot": lambda a, b: a | ~b,
    "eq": lambda a, b: -(a == b),
    "ne": lambda a, b: -(a != b),
    "lt": lambda a, b: -(a < b),
    "gt": lambda a, b: -(a > b),
    "le": lambda a, b: -(a <= b),
    "ge": lambda a, b: -(a >= b),
    "land": lambda a, b: int(a != 0 and b != 0),
    "lor": lambda a, b: int(a != 0 or b != 0),
    "eq0": lambda a, b: int(a == 0),
}


class Linear(NamedTuple):
    """plus - minus + number: all that a relocation can say. `part` is the function around it (`%lo`) or ""."""

    plus: Symbol | None
    minus: Symbol | None
    number: int
    part: str = ""


Fold = Callable[[Symbol, Symbol], int | None]


def linear(value: Value, fold: Fold, inner: Fold | None = None, depth: int = 0) -> Linear:
    """Reduces a value. `fold(a, b)` is a - b if that is known, else None; `inner` says so below operators other
    than + and - (no relocation can compute these). Raises StatementError if the value can't be said.
    """
    if type(value) is int:
        return Linear(None, None, value)
    if depth > _MAX_CHAIN:
        raise StatementError("symbols that are defined by each other in a circle")
    if isinstance(value, Symbol):
        return linear(value.value, fold, inner, depth + 1) if value.value is not None else Linear(value, None, 0)
    assert isinstance(value, Op)
    if inner is not None and value.op not in ("add", "sub", "part"):
        fold = inner
    right = linear(value.right, fold, inner, depth + 1)
    if value.op == "part":
        return right._replace(part=str(value.left))
    assert not isinstance(value.left, str)
    left = linear(value.left, fold, inner, depth + 1)
    if value.op == "add":
        return _sum(left, right, fold)
    if value.op == "sub":
        return _sum(left, Linear(right.minus, right.plus, -right.number), fold)
    return _compute(value.op, left, right, fold)


def _sum(left: Linear, right: Linear, fold: Fold) -> Linear:
    """Adds two, letting pairs of symbols with a known distance cancel when there would be too many."""
    plus = [symbol for symbol in (left.plus, right.plus) if symbol is not None]
    minus = [symbol for symbol in (left.minus, right.minus) if symbol is not None]
    number = wrap(left.number + right.number)
    for one in list(plus):
        for other in list(minus):
            distance = 0 if one is other else fold(one, other)
            if distance is not None and one in plus:
                plus.remove(one)
                minus.remove(other)
                number = wrap(number + distance)
    if len(plus) > 1 or len(minus) > 1:
        raise StatementError("this needs the sum of two addresses, which no relocation can say")
    return Linear(plus[0] if plus else None, minus[0] if minus else None, number, left.part or right.part)


def _compute(op: str, left: Linear, right: Linear, fold: Fold) -> Linear:
    """An operator other than + and -: both sides must be numbers, or be compared with a known distance."""
    if op in ("eq", "ne", "lt", "gt", "le", "ge") and left.plus and right.plus and not left.minus and not right.minus:
        distance = 0 if left.plus is right.plus else fold(left.plus, right.plus)
        if distance is not None:
            return Linear(None, None, _COMPUTE[op](distance + left.number, right.number))
    for side in (left, right):
        symbol = side.plus or side.minus
        if symbol is not None:
            raise StatementError(f"the value of `{symbol.name}` must be known here: it is not a number")
    return Linear(None, None, wrap(_COMPUTE[op](left.number, right.number)))
