"""The samples of programs/, with what each is given and what it must give back.

Beside programs/NAME.s lie NAME.out (all it writes to stdout), NAME.status (its exit status; 0 without that file), and,
where it is given something, NAME.in (stdin) and NAME.args (its arguments, one on each line).
The .out and .status files are made from qemu (make_expected.py), but for those named in FORKYARD_ONLY.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

PROGRAMS = Path(__file__).resolve().parents[2] / "programs"

# The one place that says which expected files no other machine can make, and why.
FORKYARD_ONLY = {
    "ps": "looks at the processes of the machine it runs on",
    "pstree": "looks at the processes of the machine it runs on",
    "top": "looks at the processes of the machine it runs on, and at its clock",
    "06_constants": "reads frame numbers in /proc/self/pagemap, which Linux shows to root only",
    "forkbomb": "meets --max-procs; under qemu it would meet the limits of the host's user",
    "memory_hog": "meets --memory and RLIMIT_AS, which qemu-riscv64 doesn't apply to its guest",
    "pid_reuse": "meets --pid-max; under qemu the pids are those of the host",
    "subreaper": "qemu-riscv64 refuses PR_SET_CHILD_SUBREAPER; prctl(2) says what it must write",
    "vfork_danger": "qemu-riscv64 makes a fork of every vfork; vfork(2) says what it must write",
    "zombie_factory": "meets --max-procs; under qemu it would meet the limits of the host's user",
}
# What the lines on stderr say (no_exit, start_returns: where and why, in plain words) is forkyard's own too, and is
# tested in tests/forkyard: under qemu nobody speaks.

# Samples that can't be run by themselves to an end.
ENDLESS = {"yes": "runs until its pipe has no reader; `sh` and `head` run it"}

# What a sample needs from the command line of forkyard, and as kernel.config.Config has it.
OPTIONS: dict[str, dict[str, int]] = {
    "forkbomb": {"max_procs": 100},
    "memory_hog": {"memory": 16 << 20},
    "pid_reuse": {"pid_max": 12},
    "zombie_factory": {"max_procs": 50},
}


class Sample(NamedTuple):
    """One sample, and one run of it."""

    name: str
    arguments: list[str]
    stdin: bytes
    stdout: bytes | None  # None: there is no such file yet
    status: int

    @property
    def options(self) -> list[str]:
        """OPTIONS as they are typed: --max-procs 100."""
        pairs = OPTIONS.get(self.name, {}).items()
        return [word for name, value in pairs for word in (f"--{name.replace('_', '-')}", str(value))]


def names() -> list[str]:
    """Every sample, runnable by itself or not."""
    return sorted(path.stem for path in PROGRAMS.glob("*.s"))


def sample(name: str) -> Sample:
    """The sample and its files."""
    arguments = _read(name, "args")
    status = _read(name, "status")
    return Sample(
        name,
        arguments.decode().split("\n")[:-1] if arguments else [],
        _read(name, "in") or b"",
        _read(name, "out"),
        int(status) if status else 0,
    )


def runnable() -> list[Sample]:
    """The samples that come to an end by themselves."""
    return [sample(name) for name in names() if name not in ENDLESS]


def made_by_qemu() -> list[Sample]:
    """Those whose expected files come from qemu."""
    return [s for s in runnable() if s.name not in FORKYARD_ONLY]


def _read(name: str, kind: str) -> bytes | None:
    path = PROGRAMS / f"{name}.{kind}"
    return path.read_bytes() if path.exists() else None
