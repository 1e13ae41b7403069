"""The samples as GNU as and ld build them: the library as a static archive, each program linked against it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.oracles import need
from tests.programs.samples import PROGRAMS

ASSEMBLE = ("-march=rv64ima", "-mabi=lp64", "-I", str(PROGRAMS), "-I", str(PROGRAMS / "lib"))
# noexecstack: without it ld leaves out PT_GNU_STACK, and what that means differs between kernels.
# separate-code: .rodata in pages of its own, as asm/link.ld has it; without it ld makes constants executable.
LINK = ("--no-relax", "-z", "noexecstack", "-z", "separate-code")


def build(folder: Path, names: Iterable[str]) -> None:
    """Makes folder/NAME from programs/NAME.s for each name."""
    objects = folder / ".objects"
    objects.mkdir(parents=True)
    library = objects / "library.a"
    members = [_assemble(path, objects / f"lib_{path.stem}.o") for path in sorted(PROGRAMS.glob("lib/*.s"))]
    _run("riscv64-linux-gnu-ar", "rcs", library, *members)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: build_one(PROGRAMS / f"{name}.s", folder / name, library), names))


def build_one(source: Path, executable: Path, library: Path) -> None:
    """One source file linked with the library."""
    made = _assemble(source, library.with_name(f"{executable.name}.o"))
    _run("riscv64-linux-gnu-ld", *LINK, "-o", executable, made, library)


def _assemble(source: Path, made: Path) -> Path:
    _run("riscv64-linux-gnu-as", *ASSEMBLE, "-o", made, source)
    return made


def _run(tool: str, *words: str | Path) -> None:
    subprocess.run([need(tool), *map(str, words)], check=True)
