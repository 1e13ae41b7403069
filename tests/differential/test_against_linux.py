"""Do processes do here what they do on real Linux? Scripts by hypothesis (scripts.py), played on three machines.

The host's own kernel is the judge, by a native build of the same player.c. qemu-riscv64 runs the very executable that
runs here, and must agree too but for what it gets wrong itself (Script.not_under_qemu says what and why).
"""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.differential import stages
from tests.differential.scripts import NAMES, Operation, Script, Writer, explain, scripts

TOGETHER = 10  # scripts that one machine plays one after the other: starting it costs more than a script
EXAMPLES = max(10, settings().max_examples // TOGETHER)  # 100 scripts, and 2,000 at night

_RANDOM = {"sched": st.just("random"), "seed": st.integers(0, 1000), "quantum": st.integers(100, 20000)}
schedules = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"quantum": st.integers(64, 3000)}),
    st.fixed_dictionaries(_RANDOM),
)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """player.c for the host."""
    stages.need_native()
    return stages.build(tmp_path_factory.mktemp("native"), stages.NATIVE)


@pytest.fixture(scope="module")
def riscv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """player.c for this machine, and qemu."""
    return stages.build(tmp_path_factory.mktemp("riscv"), stages.RISCV)


@settings(max_examples=EXAMPLES)
@given(st.lists(scripts(), min_size=TOGETHER, max_size=TOGETHER), schedules)
def test_scripts_say_the_same_here_and_on_linux(
    native: Path, riscv: Path, qemu: None, batch: list[Script], schedule: dict[str, object]
) -> None:
    expected = stages.in_box(native, batch)
    compare(batch, expected, stages.on_forkyard(riscv, batch, **schedule), "forkyard")
    for_qemu = [index for index, script in enumerate(batch) if not script.not_under_qemu]
    some = [batch[index] for index in for_qemu]
    compare(some, [expected[index] for index in for_qemu], stages.in_box(riscv, some), "qemu")


def play(*lines: str) -> Script:
    """A script by hand: player, what, operands; "waits" at the end."""
    operations = []
    for line in lines:
        player, what, *operands = line.removesuffix(" waits").split()
        operations.append(Operation(int(player), what, tuple(map(int, operands)), line.endswith(" waits")))
    return Script(tuple(operations))


# What random scripts seldom come to. Signals 10 and 12 are SIGUSR1 and SIGUSR2; SIGACTION's 1: ignore, 2: a handler.
BY_HAND = {
    "exec keeps what is ignored, and no handler": play(
        *("0 FORK 1 0", "1 SIGACTION 12 1", "1 SIGACTION 10 2", "1 EXEC", "0 KILL 1 12", "1 NOP"),
        *("0 KILL 1 10", "0 SETTLE 1 4"),
    ),
    "SA_RESETHAND: the second one ends it": play(
        *("0 FORK 1 0", "1 SIGACTION 10 2 2", "0 KILL 1 10", "1 NOP", "0 KILL 1 10", "0 SETTLE 1 4"),
    ),
    "exec keeps what is blocked, and what is pending": play(
        *("0 FORK 1 0", "1 SIGMASK 0 10 0", "0 KILL 1 10", "1 EXEC", "1 SIGPENDING", "1 SIGMASK 1 10 0 waits"),
        "0 SETTLE 1 4",
    ),
    "a child has its parent's mask, but nothing pending": play(
        *("0 FORK 1 0", "1 SIGMASK 0 10 0", "0 KILL 1 10", "1 FORK 2 0", "2 SIGPENDING", "2 SIGMASK 1 10 0"),
        *("2 EXIT 5 waits", "1 SETTLE 2 4", "1 SIGPENDING", "1 EXIT 6 waits", "0 SETTLE 1 4"),
    ),
}


@pytest.mark.parametrize("script", BY_HAND.values(), ids=list(BY_HAND))
def test_a_script_by_hand(native: Path, riscv: Path, qemu: None, script: Script) -> None:
    expected = stages.in_box(native, [script])
    compare([script], expected, stages.on_forkyard(riscv, [script]), "forkyard")
    compare([script], expected, stages.in_box(riscv, [script]), "qemu")


def compare(batch: list[Script], expected: list[str], outputs: list[str], where: str) -> None:
    """The first script that went otherwise is shown, with what differs."""
    for script, right, output in zip(batch, expected, [*outputs, *[""] * len(batch)], strict=False):
        assert "TOO LONG" not in right, f"the script doesn't end on Linux\n{script}\n{explain(right)}"
        if output != right:
            lines = unified_diff(explain(right).split("\n"), explain(output).split("\n"), "Linux", where, lineterm="")
            pytest.fail("\n".join([str(script), "", *lines]), pytrace=False)
    assert len(outputs) == len(expected), outputs[-1]


def test_scripts_have_every_operation() -> None:
    """What nobody writes nobody tests: a few hundred random scripts use all that player.c can do."""
    random = Random(1)
    used = {op.what for _ in range(300) for op in Writer(random.randint).write(30).operations}
    assert used == set(NAMES)
