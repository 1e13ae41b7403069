"""Are objects and programs those of GNU as and ld, to the byte, in the relaxing mode and without it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from asm.assemble import assemble
from asm.elf_object import load, write
from asm.link import link
from tests.asm import gnu
from tests.asm.corpus_of_forms import corpus

CORPUS = sorted(Path(__file__).with_name("corpus").glob("*.s"))
SAMPLES = sorted(gnu.PROGRAMS.glob("*.s"))
LIBRARY = sorted((gnu.PROGRAMS / "lib").glob("*.s"))


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("relax", [True, False], ids=["relax", "norelax"])
@pytest.mark.parametrize("path", CORPUS, ids=name)
def test_the_corpus_assembles_to_the_same_object(path: Path, relax: bool, tmp_path: Path) -> None:
    expected = gnu.gas(path, tmp_path / "gnu.o", *([] if relax else ["-mno-relax"]))
    gnu.assert_same_object(expected, gnu.ours(path, relax))


@pytest.mark.parametrize("path", [*SAMPLES, *LIBRARY], ids=name)
def test_the_samples_assemble_to_the_same_objects(path: Path, tmp_path: Path) -> None:
    gnu.assert_same_object(gnu.gas(path, tmp_path / "gnu.o"), gnu.ours(path))


@pytest.mark.parametrize("relax", [True, False], ids=["relax", "norelax"])
def test_every_form_of_every_instruction_has_the_same_bytes(relax: bool, tmp_path: Path) -> None:
    text = corpus()
    source = tmp_path / "forms.s"
    source.write_text(text)
    assert text.count("\n") > 1500
    expected = gnu.gas(source, tmp_path / "gnu.o", *([] if relax else ["-mno-relax"]))
    gnu.assert_same_object(expected, gnu.ours(source, relax))


@pytest.mark.parametrize("path", SAMPLES, ids=name)
def test_samples_link_to_the_same_program_whoever_made_the_objects(path: Path, tmp_path: Path) -> None:
    check_links([path, *LIBRARY], tmp_path)


@pytest.mark.parametrize("path", sorted(Path(__file__).with_name("links").glob("*.s")), ids=name)
def test_sections_of_all_kinds_link_to_the_same_program(path: Path, tmp_path: Path) -> None:
    check_links([path], tmp_path)


def check_links(sources: list[Path], folder: Path) -> None:
    """Objects of GNU as and ours, linked by ld and by us: four programs, all equal."""
    theirs, mine = [], []
    for number, source in enumerate(sources):
        theirs.append(folder / f"gnu{number}.o")
        mine.append(folder / f"ours{number}.o")
        gnu.gas(source, theirs[-1])
        mine[-1].write_bytes(gnu.ours(source))
    expected = gnu.loaded(gnu.ld(theirs, folder / "program"))
    assert gnu.loaded(gnu.ld(mine, folder / "program")) == expected
    assert gnu.loaded(link([load(path.read_bytes(), path.name) for path in theirs])) == expected
    assert gnu.loaded(link([load(path.read_bytes(), path.name) for path in mine])) == expected
    objects = [assemble(source.read_bytes(), str(source), gnu.INCLUDE) for source in sources]
    assert gnu.loaded(link(objects)) == expected


def test_ld_may_relax_our_objects_and_the_line_numbers_move_along(tmp_path: Path) -> None:
    source = tmp_path / "lines.s"
    source.write_text(
        ".globl _start\n_start:\n    call far\n    la a0, value\n    nop\nfar:\n    ret\n    .data\nvalue: .word 1\n"
    )
    made = tmp_path / "ours.o"
    made.write_bytes(write(assemble(source.read_bytes(), "lines.s")))
    from asm import dwarf, elf

    program = elf.read(gnu.ld([made], tmp_path / "program", "--relax"))
    far = next(symbol.value for symbol in program.symbols if symbol.name == "far")
    assert far - program.entry == 4 + 8 + 4, "ld made the call one instruction"
    assert dwarf.locate(dwarf.line_table(program), far) == ("lines.s", 7)
