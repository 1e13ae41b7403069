"""A program that makes random system calls, on the command line: it ends with a status, and without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.differential.stages import COMMON, RISCV
from tests.fallbacks import demand_none_in
from tests.oracles import need

HERE = Path(__file__).parent
SEEDS = [1, 2, 3]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hostile.c as an executable."""
    made = tmp_path_factory.mktemp("hostile") / "hostile"
    words = [need(RISCV[0]), *RISCV[1:], *COMMON, "-o", str(made), str(HERE / "hostile.c")]
    subprocess.run(words, check=True)
    return made


def run(program: Path, seed: int, folder: Path) -> None:
    words = [
        "run",
        "--stats",
        "--max-insns",
        "30000000",
        "--memory",
        "32M",
        "--max-procs",
        "60",
        str(program),
        str(seed),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "forkyard", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )
    messages = done.stderr.decode(errors="replace")
    assert "Traceback" not in messages, f"seed {seed}:\n{messages[-3000:]}"
    demand_none_in(messages)
    assert 0 <= done.returncode <= 255, f"seed {seed}: {done.returncode}"
    assert not list(folder.iterdir()), "a program inside left files outside"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_of_random_system_calls_ends_with_a_status(program: Path, seed: int, tmp_path: Path) -> None:
    run(program, seed, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_programs_of_random_system_calls(program: Path, seed: int, tmp_path: Path) -> None:
    run(program, seed, tmp_path)
