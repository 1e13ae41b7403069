"""The same options, program and input always give the same run: every instruction, event and byte of output.

Each run is another process, with what could sneak in varied: hash seed, time zone, locale, folder, file descriptors,
and the version of Python. The full trace, every instruction with what it changed, is compared byte for byte.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import lark
import pytest

from tests.oracles import lacking

TOP = Path(__file__).resolve().parent.parent.parent
KINDS = "syscall,fault,process,sched,signal,insn"
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
PROGRAMS = ("family", "pipeline")


class Run(NamedTuple):
    status: int
    out: bytes
    err: bytes
    trace: bytes


def run(
    program: str, tmp_path: Path, python: str = sys.executable, options: tuple[str, ...] = (), **environment: str
) -> Run:
    """Traces a sample in a process of its own. The cache is empty: the assembler is part of what is compared."""
    folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    trace = folder / "trace"
    base = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{TOP}:{Path(lark.__file__).parent.parent}",
        "FORKYARD_CACHE": str(folder / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    file = str(TOP / "programs" / f"{program}.s")
    done = subprocess.run(
        [python, "-m", "forkyard", "trace", "--only", KINDS, "-o", str(trace), *options, file],
        env={**base, **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr, trace.read_bytes())


def other_pythons() -> list[str]:
    """The interpreters of other versions that are on this machine, found on the PATH or where pyenv keeps them."""
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/*/bin"))]
    found: dict[str, str] = {}
    for name in PYTHONS:
        for folder in folders:
            path = shutil.which(name, path=folder)
            ours = f"python3.{sys.version_info.minor}"
            if path and name != ours and name not in found and _works(path):
                found[name] = path
    return list(found.values())


def _works(python: str) -> bool:
    """Whether it runs at all: the shims of version managers may stand for versions that aren't there."""
    return subprocess.run([python, "-c", "pass"], capture_output=True, check=False).returncode == 0


def assert_same(one: Run, other: Run) -> None:
    assert (one.status, one.out, one.err) == (other.status, other.out, other.err)
    if one.trace != other.trace:  # pytest's own comparison of megabytes takes for ever
        pairs = zip(one.trace.splitlines(), other.trace.splitlines(), strict=False)
        first = next(((n, a, b) for n, (a, b) in enumerate(pairs, 1) if a != b), None)
        pytest.fail(f"the traces differ, first in line {first}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_process_makes_the_same_run(program: str, tmp_path: Path) -> None:
    one = run(program, tmp_path, PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C")
    other = run(program, tmp_path, PYTHONHASHSEED="4711", TZ="Asia/Kathmandu", LC_ALL="C.UTF-8", HOME="/", USER="x")
    assert one.status == 0
    assert one.trace.count(b" insn ") > 1000
    assert_same(one, other)


def test_another_version_of_python_makes_the_same_run(tmp_path: Path) -> None:
    others = other_pythons()
    if not others:
        lacking(f"another Python than this one is needed, of {', '.join(PYTHONS)}, on the PATH or under pyenv")
    ours = run("family", tmp_path)
    for python in others:
        assert_same(ours, run("family", tmp_path, python))


def test_a_seed_gives_the_same_random_schedule_and_another_seed_another(tmp_path: Path) -> None:
    def seeded(seed: int) -> Run:
        return run("pipeline", tmp_path, options=("--sched", "random", "--quantum", "64", "--seed", str(seed)))

    assert_same(seeded(1), seeded(1))
    assert seeded(1).trace != seeded(2).trace


def test_watching_every_instruction_changes_nothing_else(tmp_path: Path) -> None:
    """With and without the kind insn, the events of all other kinds are the same, at the same counts."""
    with_insn = run("pipeline", tmp_path, options=("--only", KINDS))
    without = run("pipeline", tmp_path, options=("--only", KINDS.removesuffix(",insn")))
    others = [line for line in with_insn.trace.splitlines() if line[19:27].strip() != b"insn"]
    assert others == without.trace.splitlines()
    assert with_insn.out == without.out
