"""What a program sees of threads and futexes is what it sees on Linux: cases.py says how that is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.check import check, check_end
from tests.kernel.threads.cases import CASES, build_guest, build_native, expected, native, prepare


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_guest(tmp_path_factory.mktemp("threads"))


@pytest.mark.parametrize("case", CASES)
def test_a_program_sees_the_threads_that_linux_would_show_it(program: Path, case: str) -> None:
    k = prepare(program, case)
    outcome = k.run()
    assert bytes(k.door.output[1]).decode() == expected()[case]
    assert (outcome.kind, outcome.status) == ("exited", 0)
    check_end(k)


@pytest.mark.parametrize("case", ["exit", "wake", "requeue", "robust_wake", "stop", "close"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_schedule_changes_what_a_program_with_threads_says(program: Path, case: str, seed: int) -> None:
    k = prepare(program, case, sched="random", seed=seed, quantum=200)
    k.run()
    assert bytes(k.door.output[1]).decode() == expected()[case]
    check_end(k)


@pytest.mark.parametrize("case", ["exit", "exec", "requeue", "interrupted", "robust_wake", "stop", "close"])
def test_a_machine_with_threads_is_a_value(program: Path, case: str) -> None:
    whole = prepare(program, case)
    end = whole.run()
    k = prepare(program, case)
    states = []
    while k.run(until=k.machine.retired + 1501).kind == "paused" and len(states) < 80:
        check(k)
        states.append(k.snapshot())
    for state in states[:: len(states) // 8 + 1]:
        k.restore(state)
        check(k)
        assert k.run() == end
        assert (k.machine.retired, k.now) == (whole.machine.retired, whole.now)


@pytest.mark.nightly
@pytest.mark.parametrize("case", CASES)
def test_the_file_says_what_linux_says(tmp_path: Path, case: str) -> None:
    said = (native(build_native(tmp_path), case) for _ in range(5))
    assert expected()[case] in said, "a busy host may miss it some times, but not always"
