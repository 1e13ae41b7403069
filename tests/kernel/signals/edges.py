"""edges.c, here and on the host's own Linux, and the file of what Linux said: python -m tests.kernel.signals.edges.

qemu-riscv64 turns vfork into fork, forgets SA_NOCLDWAIT and SA_NOCLDSTOP, and stops threads in its own way; so the
oracle is a native build of the same C. Its cases sleep until another process must have come somewhere, which a busy
host may not keep to: therefore tests compare with the file, and the nightly ones the file with the host.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from tests.oracles import need

SOURCE = Path(__file__).parent / "edges.c"
EXPECTED = Path(__file__).parent / "edges.out"
CASES = [name for name in re.findall(r'\{ "(\w+)", case_', SOURCE.read_text()) if name not in ("look", "ends")]
_FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-nostdlib", "-static", "-ffreestanding", "-fno-builtin")
_GUEST = ("riscv64-linux-gnu-gcc", "-march=rv64ima", "-mabi=lp64")
_NATIVE = ("gcc", "-fno-stack-protector", "-fno-pie", "-no-pie", "-fcf-protection=none")


def build_guest(folder: Path) -> Path:
    """The executable for riscv64."""
    return _build(folder / "guest", _GUEST)


def build_native(folder: Path) -> Path:
    """The executable for the host, which must be an x86-64."""
    return _build(folder / "native", _NATIVE)


def _build(path: Path, compiler: tuple[str, ...]) -> Path:
    subprocess.run([need(compiler[0]), *compiler[1:], *_FLAGS, "-o", str(path), str(SOURCE)], check=True)
    return path


def native(program: Path, case: str) -> str:
    """What the host's Linux makes of it."""
    return subprocess.run([str(program), case], capture_output=True, timeout=60, check=False).stdout.decode()


def expected() -> dict[str, str]:
    """Case → output, from the file."""
    parts = re.split(r"^== (\w+)\n", EXPECTED.read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        executable = build_native(Path(folder))
        EXPECTED.write_text("".join(f"== {case}\n{native(executable, case)}" for case in CASES))
