"""cases.c, here and on the host's own Linux, and the file of what Linux said: python -m tests.kernel.threads.cases.

A kernel's clone and futex can be asked by a C program of any machine; qemu-riscv64 can't stand in for one, because its
threads are those of the C library below it. So cases.c is built for x86-64 too, and run by the host. Some cases sleep
until another thread must have come somewhere, which a busy host may not keep to: therefore tests compare with a file,
and the nightly ones the file with the host.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from kernel import boot
from kernel.config import Config
from kernel.door import Door
from kernel.kernel import Kernel
from tests.kernel.machines import Bin
from tests.oracles import need

SOURCE = Path(__file__).parent / "cases.c"
EXPECTED = Path(__file__).parent / "cases.out"
CASES = [name for name in re.findall(r'\{ "(\w+)", case_', SOURCE.read_text()) if name != "after_exec"]
_FLAGS = ("-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-no-pie", "-nostdlib", "-static")
_GUEST = ("-march=rv64ima", "-mabi=lp64", "-Wl,--no-relax,-z,noexecstack")


def build_guest(folder: Path) -> Path:
    """The executable for riscv64."""
    return _build(need("riscv64-linux-gnu-gcc"), folder / "guest", _GUEST)


def build_native(folder: Path) -> Path:
    """The executable for the host, which must be an x86-64."""
    return _build(need("x86_64-linux-gnu-gcc"), folder / "native", ("-mno-red-zone", "-z", "noexecstack"))


def _build(gcc: str, path: Path, flags: tuple[str, ...]) -> Path:
    subprocess.run([gcc, *_FLAGS, *flags, "-o", str(path), str(SOURCE)], check=True)
    return path


def prepare(program: Path, case: str, **config: int | str) -> Kernel:
    """A machine in which the case is pid 1's."""
    settings = {"memory": 8 << 20, "engine": "python", **config}
    k = boot.prepare(Config(**settings), Door(b""), Bin({"cases": program.read_bytes()}))  # type: ignore[arg-type]
    boot.start(k, b"/bin/cases", [b"/bin/cases", case.encode()])
    return k


def native(program: Path, case: str) -> str:
    """What the host's Linux makes of it."""
    done = subprocess.run([str(program), case], capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


def expected() -> dict[str, str]:
    """Case → output, from the file."""
    parts = re.split(r"^== (\w+)\n", EXPECTED.read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        executable = build_native(Path(folder))
        EXPECTED.write_text("".join(f"== {case}\n{native(executable, case)}" for case in CASES))
