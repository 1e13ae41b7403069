"""forkyard asm and disasm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asm.elf import read
from tests.forkyard.conftest import PROGRAMS, Forkyard
from tests.oracles import need


def test_the_default_name_is_the_first_without_its_suffix(forkyard: Forkyard, tmp_path: Path) -> None:
    source = tmp_path / "two.words.s"
    source.write_bytes((PROGRAMS / "hello.s").read_bytes())
    assert forkyard("asm", source) == (0, "", "")
    assert read((tmp_path / "two.words").read_bytes()).type == 2
    assert forkyard("asm", "-c", source) == (0, "", "")
    assert read((tmp_path / "two.words.o").read_bytes()).type == 1


def test_c_makes_an_object_of_each(forkyard: Forkyard, tmp_path: Path) -> None:
    for name in ("a.s", "b.s"):
        (tmp_path / name).write_text("    nop\n")
    assert forkyard("asm", "-c", tmp_path / "a.s", tmp_path / "b.s").status == 0
    assert (tmp_path / "a.o").exists()
    assert (tmp_path / "b.o").exists()
    result = forkyard("asm", "-c", "-o", tmp_path / "c.o", tmp_path / "a.s", tmp_path / "b.s")
    assert result.status == 2
    assert "-o names one file" in result.err


def test_objects_are_linked(forkyard: Forkyard, tmp_path: Path) -> None:
    assert forkyard("asm", "-c", PROGRAMS / "hello.s", "-o", tmp_path / "hello.o").status == 0
    assert forkyard("asm", tmp_path / "hello.o").status == 0
    assert forkyard("run", tmp_path / "hello").out == "Hello from a process!\n"


def test_a_source_is_never_overwritten_by_what_is_made_of_it(forkyard: Forkyard, tmp_path: Path) -> None:
    (tmp_path / "program").write_text("    .globl _start\n_start: nop\n")
    result = forkyard("asm", tmp_path / "program")
    assert result.status == 2
    assert "-o" in result.err
    assert (tmp_path / "program").read_text().startswith("    .globl")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a.s", "-o", "a.s"], "a.s: is read"),
        (["a.s", "-o", "link"], "link: is read"),
        (["-c", "a.s", "--listing", "a.s"], "a.s: is read"),
        (["a.s", "b.s", "-o", "./b.s"], "b.s: is read"),
        (["a.s", "-o", "out", "--listing", "./out"], "out: would be written twice"),
        (["-c", "a.s", "--listing", "a.o"], "a.o: would be written twice"),
        (["-c", "a.S", "a.s"], "a.o: would be written twice"),
    ],
)
def test_nothing_is_overwritten_that_is_read_or_written_too(
    forkyard: Forkyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.s", "a.S", "b.s"):
        Path(name).write_bytes((PROGRAMS / "hello.s").read_bytes())
    Path("link").symlink_to("a.s")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = forkyard("asm", *words)
    assert result.status == 2
    assert says in result.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_both_outputs_may_go_to_a_device(forkyard: Forkyard) -> None:
    assert forkyard("asm", PROGRAMS / "hello.s", "-o", os.devnull, "--listing", os.devnull).status == 0


def test_a_file_for_cpp_may_begin_with_a_dash(
    forkyard: Forkyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("cpp")
    monkeypatch.chdir(tmp_path)
    Path("-o.S").write_text("#define NAME _start\n    .globl NAME\nNAME: nop\n")
    assert forkyard("asm", "-o", "out", "--", "-o.S") == (0, "", "")
    assert read(Path("out").read_bytes()).type == 2


def test_what_cpp_warns_of_is_shown(forkyard: Forkyard, tmp_path: Path) -> None:
    need("cpp")
    (tmp_path / "a.S").write_text("#warning look here\n    .globl _start\n_start: nop\n")
    result = forkyard("asm", tmp_path / "a.S")
    assert result.status == 0
    assert "a.S:1:2: warning: " in result.err
    assert "look here" in result.err


def test_after_an_error_nothing_is_written(forkyard: Forkyard, tmp_path: Path) -> None:
    (tmp_path / "a.s").write_text("    nope\n")
    result = forkyard("asm", tmp_path / "a.s")
    assert result.status == 1
    assert f"{tmp_path / 'a.s'}:1:5: error: " in result.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.s"]


@pytest.mark.parametrize("out", ["no/such/folder/x", "."])
def test_a_place_that_cannot_be_written(forkyard: Forkyard, tmp_path: Path, out: str) -> None:
    result = forkyard("asm", PROGRAMS / "hello.s", "-o", tmp_path / out)
    assert result.status == 2
    assert "cannot be written" in result.err


def test_a_device_stays_a_device(forkyard: Forkyard) -> None:
    assert forkyard("asm", PROGRAMS / "hello.s", "-o", os.devnull).status == 0
    assert not Path(os.devnull).is_file()


def test_a_listing_has_address_bytes_and_line(forkyard: Forkyard, tmp_path: Path) -> None:
    source = tmp_path / "a.s"
    source.write_text(
        "    .globl _start\n_start:\n    li a0, 0x12345\n    li a7, 93\n    ecall\n    .data\nx:  .word 0x01020304\n"
    )
    assert forkyard("asm", source, "-o", tmp_path / "a", "--listing", tmp_path / "a.lst").status == 0
    lines = (tmp_path / "a.lst").read_text().splitlines()
    ecall = next(line for line in lines if line.endswith("    ecall"))
    data = next(line for line in lines if ".word" in line)
    entry = read((tmp_path / "a").read_bytes()).entry
    assert f"{entry + 12:x}" in ecall
    assert "73000000" in ecall.replace(" ", "")
    assert "04030201" in data.replace(" ", "")


def test_disasm_shows_symbols_and_targets(forkyard: Forkyard, tmp_path: Path) -> None:
    source = tmp_path / "a.s"
    source.write_text(
        "    .globl _start\n_start:\n    addi a0, zero, 5\nagain:\n    bne a0, zero, again\n    .word 0\n"
    )
    assert forkyard("asm", source, "-o", tmp_path / "a").status == 0
    lines = forkyard("disasm", tmp_path / "a").out.splitlines()
    assert lines[1] == f"{tmp_path / 'a'}:     file format elf64-littleriscv"
    assert "Disassembly of section .text:" in lines
    assert lines[-6].endswith("<_start>:")
    assert lines[-5].endswith("00500513          \taddi\ta0,zero,5")
    assert lines[-3].endswith("<again>:")
    assert lines[-2].endswith(" <again>")
    assert ".4byte\t0x0" in lines[-1]


def test_disasm_of_an_object_takes_names_of_the_right_section(forkyard: Forkyard, tmp_path: Path) -> None:
    assert forkyard("asm", "-c", PROGRAMS / "hello.s", "-o", tmp_path / "hello.o").status == 0
    out = forkyard("disasm", tmp_path / "hello.o").out
    assert "0000000000000000 <_start>:" in out
    assert "<message>" not in out


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("nothing", 127, "no such file"),
        (".", 126, "is a directory"),
        ("text.s", 126, "forkyard asm makes an ELF file of it"),
    ],
)
def test_disasm_of_what_is_no_elf_file(forkyard: Forkyard, tmp_path: Path, name: str, status: int, says: str) -> None:
    (tmp_path / "text.s").write_text("    nop\n")
    result = forkyard("disasm", tmp_path / name)
    assert result.status == status
    assert says in result.err
