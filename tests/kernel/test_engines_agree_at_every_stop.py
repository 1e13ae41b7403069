"""Samples stopped again and again on both engines: between any two stops both have gone the same way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forkyard.samples import Samples
from kernel import boot
from kernel.config import Config
from kernel.door import Door
from tests.eager import eager
from tests.kernel.engines import Kept, Run, go
from tests.kernel.test_engines_agree import PROGRAMS

NAMES = sorted(path.stem for path in PROGRAMS.glob("*.s"))
#: Those that always run; `make nightly` runs them all, and longer.
SOME = ("03_life", "05_cow", "07_vfork", "job_control", "matmul", "sieve", "sigchld", "threads")
#: All of those but this one have hot loops, so that regions must be made: else half of native code is not compared.
NO_LOOPS = ("07_vfork",)
#: Long and short runs in turn: regions run in the long ones, and end wherever the short ones do.
STOPS = (1, 2, 3, 500, 7, 64, 1000, 1, 1, 5, 250, 97, 13, 2000, 1, 31)


@pytest.fixture(scope="module", autouse=True)
def objects() -> Iterator[Kept]:
    """What was compiled, for the whole module; regions are made soon."""
    with eager(200):
        yield Kept()


def run(name: str, engine: str, objects: Kept, most: int, times: int) -> tuple[Run, dict[str, int]]:
    """A sample for at most so many instructions, with `times` times STOPS on the way, and the engine's figures."""
    given, arguments = PROGRAMS / f"{name}.in", PROGRAMS / f"{name}.args"
    door = Door(given.read_bytes() if given.exists() else b"")
    words = arguments.read_bytes().split() if arguments.exists() else []
    config = Config(engine=engine, memory=16 << 20, quantum=997, max_insns=most, objects=objects)
    k = boot.prepare(config, door, Samples())
    boot.start(k, f"/bin/{name}".encode(), [name.encode(), *words])
    return go(k, (*STOPS * times, 1009)), k.machine.stats


def compare(name: str, objects: Kept, most: int, times: int) -> int:
    """Every stop's registers and counts, every event, the output and all memory are the same. Regions made."""
    expected, _ = run(name, "python", objects, most, times)
    actual, stats = run(name, "llvm", objects, most, times)
    assert actual.stops == expected.stops
    assert actual == expected
    return stats["regions"]


@pytest.mark.parametrize("name", SOME)
def test_a_sample_has_the_same_registers_at_every_stop_on_both_engines(name: str, objects: Kept) -> None:
    assert compare(name, objects, 12_000, 3) > 0 or name in NO_LOOPS


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_sample_has_the_same_registers_at_every_stop(name: str, objects: Kept) -> None:
    compare(name, objects, 1_000_000, 200)
