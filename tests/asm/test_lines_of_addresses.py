"""Do debuggers find the source lines of our programs, and do we find those of others' programs?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from asm import dwarf, elf
from asm.assemble import assemble
from asm.elf_object import load, write
from asm.link import link
from tests.asm import gnu
from tests.oracles import need

SOURCE = """    .globl _start
_start:
    li a0, 0x12345678

    .macro twice
    nop
    nop
    .endm
    twice
    .align 4
    la a1, _start
    .section .text.other, "ax"
other:
    ret
    ret
"""
LINES = {"_start": 3, "other": 14}


def addresses(program: bytes) -> list[int]:
    """Every instruction's address."""
    found = []
    for section in elf.read(program).sections:
        if section.flags & 4:
            found += list(range(section.addr, section.addr + section.size, 4))
    return found


def addr2line(path: Path, where: list[int]) -> list[tuple[str, int] | None]:
    command = [need("riscv64-linux-gnu-addr2line"), "-e", str(path), *map(hex, where)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    found: list[tuple[str, int] | None] = []
    for line in lines[: len(where)]:
        name, _, number = line.rpartition(":")
        number = number.split()[0] if number else ""
        found.append((name, int(number)) if number.isdigit() and number != "0" else None)
    return found


def test_addr2line_finds_each_line_of_our_programs_and_so_do_we(tmp_path: Path) -> None:
    program = link([assemble(SOURCE, "lines.s")])
    path = tmp_path / "program"
    path.write_bytes(program)
    table = dwarf.line_table(elf.read(program))
    where = addresses(program)
    expected = addr2line(path, where)
    assert [dwarf.locate(table, address) for address in where] == expected
    assert {line for _, line in filter(None, expected)} == {3, 9, 11, 14, 15}  # the alignment needs no bytes


def test_ld_keeps_the_lines_of_our_objects(tmp_path: Path) -> None:
    made = tmp_path / "lines.o"
    made.write_bytes(write(assemble(SOURCE, "lines.s")))
    program = gnu.ld([made], tmp_path / "program")
    table = dwarf.line_table(elf.read(program))
    symbols = {symbol.name: symbol.value for symbol in elf.read(program).symbols}
    for name, line in LINES.items():
        assert dwarf.locate(table, symbols[name]) == ("lines.s", line)


def test_we_keep_the_lines_of_our_objects_when_they_were_written_and_read(tmp_path: Path) -> None:
    program = link([load(write(assemble(SOURCE, "lines.s")), "lines.o")])
    table = dwarf.line_table(elf.read(program))
    assert dwarf.locate(table, elf.read(program).entry) == ("lines.s", 3)


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_the_lines_of_gnu_as_are_read(version: int, tmp_path: Path) -> None:
    source = tmp_path / "lines.s"
    source.write_text(SOURCE)
    made = tmp_path / "lines.o"
    gnu.gas(source, made, "-g", f"-gdwarf-{version}")
    program = gnu.ld([made], tmp_path / "program")
    where = addresses(program)
    table = dwarf.line_table(elf.read(program))
    expected = addr2line(tmp_path / "program", where)
    found = [dwarf.locate(table, address) for address in where]
    assert [line and line[1] for line in found] == [line and line[1] for line in expected]
    assert {Path(line[0]).name for line in found if line} == {"lines.s"}
    mine = link([load(made.read_bytes(), "lines.o")])
    assert [dwarf.locate(dwarf.line_table(elf.read(mine)), address) for address in where] == found


@pytest.mark.parametrize("version", [4, 5])
def test_the_lines_of_gcc_are_read(version: int, tmp_path: Path) -> None:
    source = tmp_path / "c.c"
    source.write_text(
        "int twice(int n)\n{\n    int m = n;\n    return m + n;\n}\nvoid _start(void)\n{\n    twice(3);\n}\n"
    )
    made = tmp_path / "c.o"
    flags = ["-march=rv64ima", "-mabi=lp64", "-ffreestanding", "-fno-pic", f"-gdwarf-{version}", "-c"]
    subprocess.run([need("riscv64-linux-gnu-gcc"), *flags, str(source), "-o", str(made)], check=True)
    program = link([load(made.read_bytes(), "c.o")])
    (tmp_path / "program").write_bytes(program)
    where = addresses(program)
    found = [dwarf.locate(dwarf.line_table(elf.read(program)), address) for address in where]
    assert [line and line[1] for line in found] == [line and line[1] for line in addr2line(tmp_path / "program", where)]
    assert {line[1] for line in found if line} >= {2, 3, 4, 7, 8}
