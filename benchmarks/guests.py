"""The guest programs of the benchmarks: their names, what kind they are, and how they are built for each machine."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "guests"
#: The seven kernels of the goal "faster than qemu".
SEVEN = ("sieve", "matmul", "hash", "fib", "lsort", "bytecode", "md5")
#: Kernels that use much memory, most of them at random.
MEMORY = ("hashtable", "paths", "trees", "lz", "life", "automaton", "sha256", "bigint", "queens", "fixed")
#: In the manner of the two old benchmarks.
CLASSIC = ("core", "dhry")
#: What an operating system is asked for, and how many of it one unit of work is.
CALLS = {"getpid": 1000, "forks": 1, "execs": 10, "faults": 512, "pingpong": 100, "switches": 1000}
FLAT = "flat"
#: Instructions of the flat program, each of which runs once.
FLAT_SIZE = 50_000

_COMMON = ["-O2", "-fno-tree-loop-distribute-patterns", "-fno-pic", "-no-pie", "-Wno-unused-function"]
_RISCV = [
    "riscv64-linux-gnu-gcc",
    *_COMMON,
    "-march=rv64ima_zicsr",
    "-mabi=lp64",
    "-static",
    "-nostdlib",
    "-ffreestanding",
]
_LINK = ["-Wl,--build-id=none,-z,separate-code,-z,max-page-size=4096"]


class Builder:
    """Builds into `folder`; each program once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("riscv", "native", "board"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    @cache  # noqa: B019 - there is one builder, and it lives as long as the program
    def riscv(self, name: str) -> str:
        """A Linux executable for RISC-V."""
        out = self.folder / "riscv" / name
        if name == FLAT:
            source = self.folder / "flat.S"
            source.write_text(flat())
        else:
            source = SOURCES / f"{name}.c"
        _run([*_RISCV, *_LINK, "-o", str(out), str(source)])
        return str(out)

    @cache  # noqa: B019
    def native(self, name: str) -> str:
        """The same source for this host."""
        out = self.folder / "native" / name
        _run(["gcc", *_COMMON, "-o", str(out), str(SOURCES / f"{name}.c")])
        return str(out)

    @cache  # noqa: B019
    def board(self, name: str, rounds: int) -> str:
        """The same source for qemu's bare board, doing `rounds` units of work."""
        out = self.folder / "board" / f"{name}-{rounds}"
        link = ["-Wl,--build-id=none,-Ttext=0x80000000,-e,_board", f"-Wl,--defsym=rounds={rounds}"]
        sources = [str(SOURCES / "board.S"), str(SOURCES / f"{name}.c")]
        _run([*_RISCV, "-DBOARD", "-mcmodel=medany", *link, "-o", str(out), *sources])
        return str(out)


def flat() -> str:
    """Assembly of FLAT_SIZE instructions, without a loop: each runs once."""
    lines = [".globl _start", "_start:", "li a0, 1", "li a1, 7"]
    for number in range(FLAT_SIZE):
        register = f"a{number % 5 + 1}"
        lines.append(f"{('addi', 'xori', 'addi', 'andi')[number % 4]} {register}, a{number % 3}, {number * 37 % 2047}")
    return "\n".join([*lines, "li a0, 0", "li a7, 93", "ecall"]) + "\n"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
