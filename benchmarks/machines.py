"""The machines that the benchmarks compare, and one run of a program on one of them: its host time and output."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.guests import Builder

TOP = Path(__file__).resolve().parent.parent
START = "import sys; from forkyard.__main__ import run; sys.exit(run())"
#: Longest a run may take, in seconds.
PATIENCE = 300


class Run(NamedTuple):
    """What a run took: CPU time of the process itself (user and system), time on the clock, what it printed.

    `helpers`: CPU time of what it started and left, which is the process that translates.
    """

    cpu: float
    wall: float
    output: bytes
    helpers: float


class Machines:
    """How each machine runs a program of `builder`; objects of forkyard's are kept in `cache`."""

    def __init__(self, builder: Builder, cache: Path) -> None:
        self.builder, self.cache = builder, cache
        self.names = ["forkyard"]
        self.names += ["qemu-riscv64"] if shutil.which("qemu-riscv64") else []
        self.names += ["qemu-system-riscv64"] if shutil.which("qemu-system-riscv64") else []
        self.names += ["native"] if shutil.which("gcc") else []

    def run(self, machine: str, kernel: str, rounds: int) -> Run:
        """Run `rounds` units of a kernel's work."""
        command, environment = self._command(machine, kernel, rounds)
        return _timed(command, environment)

    @contextmanager
    def empty_cache(self) -> Iterator[None]:
        """Within it forkyard has nothing cached."""
        kept = self.cache
        with TemporaryDirectory() as folder:
            self.cache = Path(folder)
            yield
        self.cache = kept

    def _command(self, machine: str, kernel: str, rounds: int) -> tuple[list[str], dict[str, str]]:
        builder = self.builder
        if machine == "forkyard":
            command = [sys.executable, "-c", START, "run", "--env", f"SELF=/bin/{kernel}", "--max-procs", "20000"]
            environment = {"FORKYARD_CACHE": str(self.cache), "PYTHONPATH": str(TOP)}
            return [*command, builder.riscv(kernel), str(rounds)], environment
        if machine == "qemu-riscv64":
            itself = (
                {"SELF": builder.native(kernel)} if kernel == "execs" else {}
            )  # qemu-user cannot exec a guest's file
            return ["qemu-riscv64", builder.riscv(kernel), str(rounds)], itself
        if machine == "native":
            return [builder.native(kernel), str(rounds)], {"SELF": builder.native(kernel)}
        board = ["-machine", "virt", "-m", "128M", "-bios", "none", "-nographic", "-monitor", "none"]
        return ["qemu-system-riscv64", *board, "-kernel", builder.board(kernel, rounds)], {}


def _timed(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command, alone in its process group, and wait for the helpers that outlive it."""
    _adopt_orphans()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, env=kept | environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    limit = threading.Timer(PATIENCE, process.kill)
    limit.start()
    with process.stdout as pipe:
        output = pipe.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Run(usage.ru_utime + usage.ru_stime, wall, output, _helpers())


@cache
def _adopt_orphans() -> None:
    """From now on what our children leave behind is our child (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def _helpers() -> float:
    """Wait for all children that are left; the CPU time that they took."""
    taken = 0.0
    while True:
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return taken
        taken += usage.ru_utime + usage.ru_stime


def version(machine: str) -> str:
    """What a machine says of its version, in one line."""
    ask = {"forkyard": [sys.executable, "-c", START, "--version"], "native": ["gcc", "--version"]}
    done = subprocess.run(ask.get(machine, [machine, "--version"]), capture_output=True, text=True, cwd=TOP)
    return (done.stdout or done.stderr).splitlines()[0]
