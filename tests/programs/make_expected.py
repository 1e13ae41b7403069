"""Makes the expected output of the samples, programs/NAME.out and NAME.status, from what qemu-riscv64 does.

    python -m tests.programs.make_expected              of all
    python -m tests.programs.make_expected NAME…        of these

tests/programs/test_expected.py makes them once more elsewhere, and compares.

The programs are built by GNU as and ld and run under qemu: nothing of forkyard has a part in it. For the few samples
that only forkyard can run (samples.FORKYARD_ONLY) the files are written by hand.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.programs import gnu, qemu_box, samples
from tests.programs.samples import Sample


def make(folder: Path, names: Iterable[str] = ()) -> None:
    """Writes the expected files of `names` (of all samples) into `folder`; a NAME.status only where it isn't 0."""
    chosen = set(names)
    wanted = [s for s in samples.made_by_qemu() if not chosen or s.name in chosen]
    with tempfile.TemporaryDirectory() as built:
        gnu.build(Path(built), samples.names())
        results = qemu_box.run(Path(built), runs(wanted))
    for sample, result in zip(wanted, results, strict=True):
        (folder / f"{sample.name}.out").write_bytes(result.stdout)
        status = folder / f"{sample.name}.status"
        if result.status:
            status.write_text(f"{result.status}\n")
        else:
            status.unlink(missing_ok=True)


def runs(wanted: Iterable[Sample]) -> list[qemu_box.Run]:
    """Each sample with its own arguments and input."""
    return [qemu_box.Run([f"/bin/{s.name}", *s.arguments], s.stdin) for s in wanted]


if __name__ == "__main__":
    make(samples.PROGRAMS, sys.argv[1:])
