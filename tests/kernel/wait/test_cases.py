"""What a program sees of wait, pidfds and prctl is what it sees on Linux: cases.c, here and on the host's own kernel.

cases.out is what Linux 6.18 said on x86-64. Other versions say the same, but for pidfds, which are young: so the
nightly test, which asks the host, leaves those out. qemu-riscv64 keeps some of these calls for itself and isn't asked.
"""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import pytest

from kernel.check import check, check_end
from tests.kernel.machines import machine
from tests.oracles import lacking, need

HERE = Path(__file__).parent
SOURCE = HERE / "cases.c"
CASES = re.findall(r'\{ "(\w+)", case_', SOURCE.read_text())
COMMON = ("-O1", "-Wall", "-Wextra", "-Werror", "-nostdlib", "-static", "-ffreestanding", "-fno-builtin")
GUEST = ("riscv64-linux-gnu-gcc", "-march=rv64ima", "-mabi=lp64")
NATIVE = ("gcc", "-fno-stack-protector", "-fno-pie", "-no-pie", "-fcf-protection=none")


def build(folder: Path, compiler: tuple[str, ...]) -> Path:
    path = folder / "cases"
    subprocess.run([need(compiler[0]), *compiler[1:], *COMMON, "-o", str(path), str(SOURCE)], check=True)
    return path


def expected() -> dict[str, str]:
    """By case: in the file each begins with a line "== case"."""
    parts = re.split(r"^== (\w+)\n", (HERE / "cases.out").read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return build(tmp_path_factory.mktemp("wait"), GUEST).read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_a_program_sees_what_linux_would_show_it(program: bytes, case: str) -> None:
    k = machine({"cases": program}, [b"cases", case.encode()])
    outcome = k.run()
    assert bytes(k.door.output[1]).decode() == expected()[case]
    assert (outcome.kind, outcome.status) == ("exited", 0)
    check_end(k)


@pytest.mark.parametrize("case", ["info", "threads", "death_of_a_thread", "pidfd"])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_schedule_changes_that(program: bytes, case: str, seed: int) -> None:
    k = machine({"cases": program}, [b"cases", case.encode()], sched="random", seed=seed, quantum=200)
    k.run()
    assert bytes(k.door.output[1]).decode() == expected()[case]
    check_end(k)


@pytest.mark.parametrize("case", ["threads", "death_of_a_thread", "pidfd"])
def test_a_machine_with_waiting_parents_is_a_value(program: bytes, case: str) -> None:
    whole = machine({"cases": program}, [b"cases", case.encode()])
    end = whole.run()
    k = machine({"cases": program}, [b"cases", case.encode()])
    states = []
    while k.run(until=k.machine.retired + 1501).kind == "paused" and len(states) < 60:
        check(k)
        states.append(k.snapshot())
    for state in states[:: len(states) // 5 + 1]:
        k.restore(state)
        check(k)
        assert k.run() == end
        assert (k.machine.retired, k.now) == (whole.machine.retired, whole.now)


@pytest.mark.nightly
@pytest.mark.parametrize("case", [case for case in CASES if case != "pidfd"])
def test_the_file_says_what_linux_says(tmp_path: Path, case: str) -> None:
    if platform.machine() != "x86_64":
        lacking("the native build of cases.c is for x86-64")
    said = subprocess.run([str(build(tmp_path, NATIVE)), case], capture_output=True, check=True, timeout=60)
    assert said.stdout.decode() == expected()[case]
