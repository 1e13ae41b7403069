"""Every sample program does the same on both engines: each event at the same instruction, and the same output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel import boot
from kernel.config import Config
from kernel.door import STDERR, STDOUT, Door
from tests.kernel.machines import record
from vm.native import code, layout, worker

PROGRAMS = Path(__file__).resolve().parent.parent.parent / "programs"
#: Instructions after which a program is stopped that takes longer.
MOST = 200_000


@pytest.fixture(scope="module", autouse=True)
def eager() -> Iterator[None]:
    """Translate regions when a jump is taken for the 1000th time, and at once."""

    def nobody(self: worker.Worker) -> None:
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "HOT_JUMPS", 1000)
        patch.setattr(worker.Worker, "__init__", nobody)
        patch.setattr(code, "_natives", {})
        code._handlers.cache_clear()
        yield
    code._handlers.cache_clear()


def run_on(engine: str, name: str, quantum: int) -> tuple[object, ...]:
    """What a program does: all events, its output, how it ended and after how many instructions."""
    from forkyard import cache
    from forkyard.samples import Samples

    given = PROGRAMS / f"{name}.in"
    arguments = PROGRAMS / f"{name}.args"
    words = arguments.read_bytes().split() if arguments.exists() else []
    door = Door(given.read_bytes() if given.exists() else b"")
    config = Config(engine=engine, memory=16 << 20, quantum=quantum, max_insns=MOST, objects=cache)
    k = boot.prepare(config, door, Samples())
    boot.start(k, f"/bin/{name}".encode(), [name.encode(), *words])
    log = record(k)
    outcome = k.run()
    assert k.machine.stats.get("python_fallbacks", 0) == 0
    return outcome.kind, outcome.status, k.machine.retired, log, bytes(door.output[STDOUT]), bytes(door.output[STDERR])


@pytest.mark.parametrize("name", sorted(path.stem for path in PROGRAMS.glob("*.s")))
def test_every_sample_does_the_same_on_both_engines(name: str) -> None:
    expected, actual = run_on("python", name, 997), run_on("llvm", name, 997)
    assert expected[:3] == actual[:3]
    assert expected == actual
