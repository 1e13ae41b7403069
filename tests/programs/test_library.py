"""Does the library keep what its comments promise? Programs in library/, with expected output made by qemu.

python -m tests.programs.test_library      makes library/*.out anew
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from asm.build import build
from forkyard.samples import Samples
from tests.programs import gnu, here, qemu_box
from tests.programs.samples import PROGRAMS

FOLDER = Path(__file__).parent / "library"
SOURCES = sorted(FOLDER.glob("*.s"))
EACH = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
NEEDED = ("init", "echo")  # in /bin beside the test's own program


def under_qemu() -> dict[str, bytes]:
    """What each program of library/ writes, built by GNU tools."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bin"
        gnu.build(folder, NEEDED)
        for source in SOURCES:
            gnu.build_one(source, folder / source.stem, folder / ".objects" / "library.a")
        results = qemu_box.run(folder, [qemu_box.Run([f"/bin/{source.stem}"]) for source in SOURCES])
    assert [r.status for r in results] == [0] * len(SOURCES), results
    return {source.stem: result.stdout for source, result in zip(SOURCES, results, strict=True)}


@EACH
def test_a_program_that_uses_the_library(source: Path, our_bin: Samples) -> None:
    data = build([str(source)], [str(PROGRAMS / "lib")], [str(PROGRAMS), str(PROGRAMS / "lib")])
    programs = Samples()
    programs._built.update(our_bin._built)
    path = programs.add(str(source), data).decode()
    result = here.run(programs, [path])
    assert (result.stdout, result.status) == (source.with_suffix(".out").read_bytes(), 0)


@pytest.mark.usefixtures("qemu")
def test_the_library_s_expected_output_is_what_qemu_makes() -> None:
    assert under_qemu() == {source.stem: source.with_suffix(".out").read_bytes() for source in SOURCES}


if __name__ == "__main__":
    for name, output in under_qemu().items():
        (FOLDER / f"{name}.out").write_bytes(output)
