"""Every sample program does the same on both engines: each event at the same instruction, and the same output."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from kernel import boot
from kernel.config import Config
from kernel.door import STDERR, STDOUT, Door
from kernel.events import Insn
from kernel.kernel import Kernel
from tests.eager import eager
from tests.kernel.machines import record

PROGRAMS = Path(__file__).resolve().parent.parent.parent / "programs"
#: Instructions after which a program is stopped that takes longer.
MOST = 200_000
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.s"))
#: Samples whose loops are hot enough for regions to be made: without any, native code is compared only half.
LOOPS = ("counter", "forkbomb", "matmul", "sieve", "threads", "yes")


@pytest.fixture(scope="module", autouse=True)
def regions_soon() -> Iterator[None]:
    with eager(1000):
        yield


def boot_on(engine: str, name: str, quantum: int, most: int) -> Kernel:
    """A machine at the first instruction of a sample, which is pid 1 there."""
    from forkyard import cache
    from forkyard.samples import Samples

    given = PROGRAMS / f"{name}.in"
    arguments = PROGRAMS / f"{name}.args"
    words = arguments.read_bytes().split() if arguments.exists() else []
    door = Door(given.read_bytes() if given.exists() else b"")
    config = Config(engine=engine, memory=16 << 20, quantum=quantum, max_insns=most, objects=cache)
    k = boot.prepare(config, door, Samples())
    boot.start(k, f"/bin/{name}".encode(), [name.encode(), *words])
    return k


def run_on(engine: str, name: str, quantum: int) -> tuple[tuple[object, ...], int]:
    """What a program does: how it ended, after how many instructions, all events, its output. And: regions made."""
    k = boot_on(engine, name, quantum, MOST)
    log, door = record(k), k.door
    outcome = k.run()
    assert k.machine.stats.get("python_fallbacks", 0) == 0
    output = bytes(door.output[STDOUT]), bytes(door.output[STDERR])
    return (outcome.kind, outcome.status, k.machine.retired, log, *output), k.machine.stats.get("regions", 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_does_the_same_on_both_engines(name: str) -> None:
    (expected, _), (actual, regions) = run_on("python", name, 997), run_on("llvm", name, 997)
    assert expected[:3] == actual[:3]
    assert expected == actual
    assert regions > 0 or name not in LOOPS


def trace_of(engine: str, name: str, most: int) -> tuple[int, str]:
    """How many instructions a sample has retired, and the hash of its trace: each with what it changed."""
    k = boot_on(engine, name, 997, most)
    state = sha256()
    k.events.on(Insn, lambda event: state.update(repr(event).encode()))
    k.run()
    assert k.machine.stats.get("python_fallbacks", 0) == 0
    return k.machine.retired, state.hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_of_every_sample_begins_the_same_on_both_engines(name: str) -> None:
    assert trace_of("python", name, 1500) == trace_of("llvm", name, 1500)


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_the_whole_trace_of_every_sample_has_the_same_hash_on_both_engines(name: str) -> None:
    assert trace_of("python", name, 10_000_000) == trace_of("llvm", name, 10_000_000)
