"""A pytest plugin (-p tests.mutants.plugin): plants the mutant that FORKYARD_MUTANT names before any import."""

from __future__ import annotations

import os

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import plant

if os.environ.get("FORKYARD_MUTANT"):
    plant(MUTANTS[os.environ["FORKYARD_MUTANT"]])
