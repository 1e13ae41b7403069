"""Numbers: `li` of any value, and expressions, against GNU as. Many cases go into one run of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asm.assemble import assemble
from asm.elf_object import write
from asm.errors import AssemblyErrors
from asm.expressions import wrap
from tests.asm import gnu

EDGES = [
    value + step
    for bit in range(64)
    for value in (1 << bit, -1 << bit)
    for step in (-2049, -2048, -1, 0, 1, 2047, 2048, 4095)
]
NUMBERS = st.one_of(
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.integers(-5000, 5000),
    st.builds(lambda value, shift: value << shift & (1 << 64) - 1, st.integers(0, 1 << 32), st.integers(0, 60)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values")


def assert_same(text: str, folder: Path, name: str = ".text") -> None:
    """A text makes the same bytes of a section here and with GNU as."""
    mine = gnu.section(write(assemble(text, "values.s")), name)
    assert mine.hex(" ", -4) == gnu.section(gnu.gas_text(text, folder), name).hex(" ", -4), text


def test_li_expands_as_in_gnu_as_around_every_power_of_two(folder: Path) -> None:
    values = [value for value in EDGES if -(1 << 63) <= value < 1 << 64]
    assert_same("".join(f"li a0, {value}\n" for value in values), folder)


@given(st.lists(NUMBERS, min_size=20, max_size=60))
def test_li_expands_as_in_gnu_as(folder: Path, values: list[int]) -> None:
    assert_same("".join(f"li x{n % 32}, {value}\n" for n, value in enumerate(values)), folder)


OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "<<",
    ">>",
    "|",
    "&",
    "^",
    "!",
    "==",
    "!=",
    "<>",
    "<",
    ">",
    "<=",
    ">=",
    "&&",
    "||",
)
ATOMS = st.one_of(
    st.integers(0, 100).map(str),
    st.integers(0, (1 << 64) - 1).map(hex),
    st.sampled_from(["five", "minus", "(here - start)", "'a", "0b101", "017", "(later - start)", "(1)"]),
)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    infix = st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join)
    prefix = st.tuples(st.sampled_from(("-", "~", "!", "+", "- ")), inner).map("".join)
    return st.one_of(infix, prefix, inner.map(lambda text: f"({text})"))


EXPRESSIONS = st.recursive(ATOMS, compound, max_leaves=8)
HEAD = ".data\nstart: .byte 1, 2, 3\n.equ five, 5\n.equ minus, -7\nhere: .byte 4\nlater:\n"


def computable(text: str) -> bool:
    """Whether nothing is divided by zero, which is an error here and a warning in GNU as, nor the lowest number by
    -1, where GNU as crashes; and no shift is out of range, where it warns.
    """
    try:
        assemble(f"{HEAD}.quad {text}\n", "try.s")
    except AssemblyErrors:
        return False
    return "/" not in text and "%" not in text


@given(st.lists(EXPRESSIONS, min_size=1, max_size=12))
def test_expressions_have_the_values_of_gnu_as(folder: Path, expressions: list[str]) -> None:
    chosen = [text for text in expressions if computable(text)]
    assume(chosen)
    assert_same(HEAD + "".join(f".quad {text}\n" for text in chosen), folder, ".data")


@given(
    st.lists(st.tuples(st.integers(-1000, 1000), st.sampled_from("/%"), st.integers(1, 50)), min_size=5, max_size=40)
)
def test_division_truncates_as_in_gnu_as(folder: Path, cases: list[tuple[int, str, int]]) -> None:
    lines = [f".quad {left} {operator} {right}, {left} {operator} -{right}\n" for left, operator, right in cases]
    assert_same(".data\n" + "".join(lines), folder, ".data")


def test_numbers_wrap_at_64_bits() -> None:
    assert wrap(1 << 63) == -(1 << 63)
    assert wrap((1 << 64) - 1) == -1
