"""The seeded bugs keep up with the code: each still applies. That each is noticed is what `make mutants` shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant, Stale, mutate

SOURCE = "def one():\n    return 1\n\n\nclass Two:\n    def three(self):\n        return 1\n\n\nFOUR = {1: 1}\n"


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_the_mutant_still_applies(mutant: Mutant) -> None:
    spec = importlib.util.find_spec(mutant.module)
    assert spec is not None
    assert spec.origin is not None
    changed = mutate(Path(spec.origin).read_text(encoding="utf-8"), mutant)
    compile(changed, spec.origin, "exec")
    assert all(Path(test.split("::")[0]).exists() for test in mutant.tests)


def test_there_are_thirty() -> None:
    assert len(MUTANTS) >= 30


@pytest.mark.parametrize(
    ("function", "old", "line"),
    [("one", "return 1", 1), ("Two.three", "return 1", 6), ("FOUR", "1: 1", 9)],
)
def test_only_the_named_function_changes(function: str, old: str, line: int) -> None:
    changed = mutate(SOURCE, Mutant("m", "module", function, old, "CHANGED", ()))
    assert [n for n, (a, b) in enumerate(zip(SOURCE.splitlines(), changed.splitlines(), strict=True)) if a != b] == [
        line
    ]


@pytest.mark.parametrize(
    ("function", "old"), [("one", "return 2"), ("nobody", "return 1"), ("FOUR", "1"), ("Two.four", "1")]
)
def test_a_mutant_that_no_longer_applies_says_so(function: str, old: str) -> None:
    with pytest.raises(Stale, match="m: "):
        mutate(SOURCE, Mutant("m", "module", function, old, "", ()))
