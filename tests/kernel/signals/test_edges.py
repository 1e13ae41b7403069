"""Do stops, children, exec and vfork meet signals as they do on Linux? edges.c, here and on the host's own kernel."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from kernel.check import check, check_end
from tests.kernel.machines import machine
from tests.kernel.signals import edges
from tests.oracles import lacking


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return edges.build_guest(tmp_path_factory.mktemp("edges")).read_bytes()


@pytest.mark.parametrize("case", edges.CASES)
def test_a_program_sees_what_linux_would_show_it(program: bytes, case: str) -> None:
    k = machine({"cases": program}, [b"cases", case.encode()])
    outcome = k.run()
    assert outcome.kind == "exited"
    assert bytes(k.door.output[1]).decode() == edges.expected()[case]
    check_end(k)


@pytest.mark.parametrize("case", ["half_stopped", "orphaned_group", "two_wait_for_one", "vfork", "exec_during_vfork"])
def test_no_schedule_changes_that_and_everything_holds_all_the_time(program: bytes, case: str) -> None:
    k = machine({"cases": program}, [b"cases", case.encode()], sched="random", seed=3, quantum=150)
    while k.run(until=k.machine.retired + 1501).kind == "paused":
        check(k)
    assert bytes(k.door.output[1]).decode() == edges.expected()[case]
    check_end(k)


@pytest.mark.nightly
@pytest.mark.parametrize("case", edges.CASES)
def test_the_file_says_what_linux_says(tmp_path: Path, case: str) -> None:
    if platform.machine() != "x86_64":
        lacking("the native build of edges.c is for x86-64")
    assert edges.native(edges.build_native(tmp_path), case) == edges.expected()[case]
