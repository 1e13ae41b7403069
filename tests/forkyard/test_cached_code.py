"""Machine code that is kept between runs: is it found again, and never by a program or a version that it is not for?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from forkyard import cache
from tests.forkyard.conftest import TOP

FOLDERS = ("asm", "forkyard", "kernel", "programs", "vm")
#: The words stand for xor t1, t1, t0 whatever the definitions say that they mean: the assembler has them, too.
PROGRAM = """
        .globl  _start
_start: li      t0, 1000
        li      t1, 0
again:  .4byte  0x00534333
        addi    t0, t0, -1
        bnez    t0, again
        andi    a0, t1, 127
        li      a7, 93
        ecall
"""
MEANS = {"xor": 1000 & 127, "or": 1023 & 127, "add": 500500 & 127}
#: Translates in its own process when a jump is taken for the fourth time, and says how often that was.
DRIVER = """
import sys
from vm.native import layout, translator, worker
layout.HOT_JUMPS, made = 4, []
def nobody(self): raise OSError
def count(request, translate=translator.translate): made.append(request); return translate(request)
worker.Worker.__init__, translator.translate = nobody, count
from forkyard.cli import main
status = main(["run", "--engine", "llvm", sys.argv[1]])
print("translated", len(made), "status", status)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORKYARD_CACHE", str(tmp_path / "cache"))
    (tmp_path / "test.s").write_text(PROGRAM)
    return tmp_path / "cache"


def run(folder: Path, version: Path = TOP, driver: str = DRIVER) -> tuple[int, int]:
    """Regions that were translated anew, and the program's exit status, by one version of forkyard."""
    command = [sys.executable, "-c", driver, str(folder.parent / "test.s")]
    environment = {**os.environ, "FORKYARD_CACHE": str(folder), "PYTHONPATH": str(version)}
    done = subprocess.run(command, env=environment, cwd=version, capture_output=True, text=True, timeout=120)
    words = done.stdout.split()
    assert words[::2] == ["translated", "status"], done.stderr
    return int(words[1]), int(words[3])


def another(folder: Path, change: Callable[[str], str]) -> Path:
    """A version of forkyard in which the base instructions are defined in another way."""
    version = folder.parent / "version"
    for name in FOLDERS:
        copytree(TOP / name, version / name, ignore=ignore_patterns("__pycache__"))
    definitions = version / "vm" / "isa" / "rv64i.py"
    text = definitions.read_text()
    definitions.write_text(change(text))
    assert definitions.read_text() != text
    return version


def test_a_second_run_translates_nothing(folder: Path) -> None:
    assert run(folder) == (1, MEANS["xor"])
    assert sorted(path.name.split("-")[0] for path in folder.glob("*-*")) == ["handlers", "handlers", "region"]
    assert run(folder) == (0, MEANS["xor"])


def test_a_changed_meaning_never_meets_an_old_object(folder: Path) -> None:
    assert run(folder) == (1, MEANS["xor"])
    assert run(folder, another(folder, lambda text: text.replace("a ^ b)", "a + b)"))) == (1, MEANS["add"])
    assert run(folder) == (0, MEANS["xor"])


def test_a_changed_encoding_never_meets_an_old_object(folder: Path) -> None:
    """What xor was is or, and the other way round; every instruction means what it did."""

    def change(text: str) -> str:
        return text.replace('"xor", "100"', '"xor", "?"').replace('"or", "110"', '"or", "100"').replace('"?"', '"110"')

    assert run(folder) == (1, MEANS["xor"])
    assert run(folder, another(folder, change)) == (1, MEANS["or"])


@pytest.mark.parametrize("keep", [0, 10, -1])
def test_damaged_objects_are_noticed_and_made_anew(folder: Path, keep: int) -> None:
    assert run(folder) == (1, MEANS["xor"])
    sound = {path: path.read_bytes() for path in folder.iterdir()}
    for path, content in sound.items():
        path.write_bytes(content[:keep])
    assert run(folder) == (1, MEANS["xor"])
    assert {path: path.read_bytes() for path in folder.iterdir()} == sound
    assert run(folder) == (0, MEANS["xor"])


def test_objects_with_a_flipped_bit_are_noticed(folder: Path) -> None:
    assert run(folder) == (1, MEANS["xor"])
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 16
        path.write_bytes(content)
        assert cache.load(path.stem) is None
    assert run(folder) == (1, MEANS["xor"])


def test_several_processes_may_fill_the_same_cache_at_once(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, [folder] * 4))
    assert {status for _, status in results} == {MEANS["xor"]}
    names = [path.stem for path in folder.iterdir()]
    assert sorted(name.split("-")[0] for name in names if "-" in name) == ["handlers", "handlers", "region"]
    assert all(cache.load(name) is not None for name in names)
    assert run(folder) == (0, MEANS["xor"])


def test_a_disk_that_takes_nothing_costs_only_time(folder: Path) -> None:
    """A limit of no bytes for a file fails every write to one, as a full disk does."""
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    assert run(folder, driver=full + DRIVER) == (1, MEANS["xor"])
    assert not list(folder.iterdir())
