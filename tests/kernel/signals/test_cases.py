"""What a program sees of signals is what it sees on Linux: cases.c, built by gcc, here and under qemu."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kernel.check import check, check_end
from kernel.snapshot import KernelSnapshot
from tests.kernel.machines import machine
from tests.oracles import need

SOURCE = Path(__file__).parent / "cases.c"
CASES = re.findall(r'\{ "(\w+)", case_', SOURCE.read_text())
FLAGS = (
    *("-march=rv64ima", "-mabi=lp64", "-O1", "-ffreestanding", "-fno-stack-protector"),
    *("-fno-pic", "-no-pie", "-nostdlib", "-static", "-Wl,--no-relax,-z,noexecstack"),
)


# What sigaction(2) says of SA_NOCLDWAIT and SA_NOCLDSTOP, which qemu forgets. edges.c asks the host's Linux of them.
SAID = {
    "no_zombies_but_signals": "handler 17\nwait4 -10\n",
    "silent_stop": "stopped 1\nSIGCHLD code 2\n status 15\n it is it 1\nstatus 15\n",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signals") / "cases"
    gcc = need("riscv64-linux-gnu-gcc")
    subprocess.run([gcc, *FLAGS, "-o", str(path), str(SOURCE)], check=True)
    return path


@pytest.mark.parametrize("case", CASES)
def test_a_program_sees_the_signals_that_linux_would_show_it(program: Path, case: str) -> None:
    k = machine({"cases": program.read_bytes()}, [b"cases", case.encode()])
    outcome = k.run()
    assert outcome.kind == "exited"
    check_end(k)
    said = bytes(k.door.output[1]).decode()
    if case in SAID:
        assert said == SAID[case]
        return
    there = subprocess.run([need("qemu-riscv64"), str(program), case], capture_output=True, timeout=60)
    assert said == there.stdout.decode()
    assert there.stdout, "a case that says nothing shows nothing"
    assert outcome.status == there.returncode


@pytest.mark.parametrize("case", ["queue", "suspend", "stop", "interrupted_sleep", "timer"])
def test_a_machine_with_signals_on_their_way_is_a_value(program: Path, case: str) -> None:
    whole = machine({"cases": program.read_bytes()}, [b"cases", case.encode()])
    end = whole.run()
    k = machine({"cases": program.read_bytes()}, [b"cases", case.encode()])
    states: list[KernelSnapshot] = []
    while k.run(until=k.machine.retired + 701).kind == "paused" and len(states) < 60:
        check(k)
        states.append(k.snapshot())
    for state in states[::7]:
        k.restore(state)
        check(k)
        assert k.run() == end
        assert k.machine.retired == whole.machine.retired
        assert k.now == whole.now
