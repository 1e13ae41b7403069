"""Are the expected files what qemu-riscv64 does, today, with the programs as they are?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import make_expected, qemu_box, samples

KINDS = ("out", "status")


def files(folder: Path) -> dict[str, bytes]:
    names = {s.name for s in samples.made_by_qemu()}
    found = [path for kind in KINDS for path in folder.glob(f"*.{kind}")]
    return {path.name: path.read_bytes() for path in found if path.stem in names}


@pytest.mark.usefixtures("qemu")
def test_the_expected_files_are_what_qemu_makes_of_the_samples_built_by_gnu_tools(tmp_path: Path) -> None:
    make_expected.make(tmp_path)
    assert files(samples.PROGRAMS) == files(tmp_path), "run: python -m tests.programs.make_expected"


@pytest.mark.usefixtures("qemu")
def test_the_samples_built_by_our_tools_do_the_same_under_qemu(our_folder: Path) -> None:
    wanted = samples.made_by_qemu()
    results = qemu_box.run(our_folder, make_expected.runs(wanted))
    found = {s.name: (r.stdout, r.status) for s, r in zip(wanted, results, strict=True)}
    assert found == {s.name: (s.stdout, s.status) for s in wanted}


def test_every_sample_has_its_expected_output_beside_it() -> None:
    assert [s.name for s in samples.runnable() if s.stdout is None] == []


def test_every_expected_file_belongs_to_a_sample() -> None:
    kinds = (*KINDS, "in", "args")
    found = {path.stem for kind in kinds for path in samples.PROGRAMS.glob(f"*.{kind}")}
    assert found <= set(samples.names())


@pytest.mark.usefixtures("qemu")
def test_the_box_for_qemu_has_our_init_as_pid_1_and_our_bin(gnu_folder: Path) -> None:
    [result] = qemu_box.run(gnu_folder, [qemu_box.Run(["/bin/sh", "-c", "kill -0 1; echo $?; sh -c 'exit 5'"])])
    assert (result.stdout, result.status) == (b"0\n", 5)
