"""The command line, called in this process: fast, and with exactly the bytes that a person would get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from forkyard.cli import main

TOP = Path(__file__).resolve().parent.parent.parent
PROGRAMS = TOP / "programs"


class Result(NamedTuple):
    """What a command did; streams are text for convenience (undecodable bytes as surrogates)."""

    status: int
    out: str
    err: str


Forkyard = Callable[..., Result]


@pytest.fixture
def forkyard(capfd: pytest.CaptureFixture[str]) -> Forkyard:
    """Runs `forkyard WORDS…` and returns its exit status, stdout and stderr."""

    def run(*words: object) -> Result:
        capfd.readouterr()
        status = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Result(status, out, err)

    return run
