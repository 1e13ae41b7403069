"""The seeded bugs, by name."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS: dict[str, Mutant] = {m.name: m for m in ()}
