"""Faults, forks, changed code, timers and threads in hot loops: both engines go through the same states."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.eager import eager
from tests.kernel.engines import HOT, PIECES, Kept, cases, run
from tests.vm.support import examples


@pytest.fixture(scope="module", autouse=True)
def objects() -> Iterator[Kept]:
    """What was compiled, for the whole module; regions are made almost at once."""
    with eager(HOT):
        yield Kept()


@pytest.mark.parametrize("kind", sorted(PIECES))
def test_hot_loops_go_through_the_same_states_on_both_engines(kind: str, objects: Kept) -> None:
    regions = 0
    for case in examples(cases(kind), 5):
        expected, _ = run(case, "python", objects)
        actual, stats = run(case, "llvm", objects)
        assert actual.stops == expected.stops, case
        assert actual == expected, case
        assert expected.outcome.kind in ("exited", "max-insns") and expected.outcome.status == 0, case
        assert stats["python_fallbacks"] == 0
        regions += stats["regions"]
    assert regions > 0
