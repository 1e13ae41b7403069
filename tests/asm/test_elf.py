"""Is what we read of an ELF file what others read, and does the reader load next to nothing?"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from asm import elf
from asm.assemble import assemble
from asm.elf_object import load, write
from asm.link import link

PROGRAM = """
    .globl _start, counter
    .type _start, @function
_start:
    la a0, counter
    beqz a0, _start
    .size _start, . - _start
    .rodata
text: .asciz "text"
    .data
counter: .word 1
    .bss
room: .skip 10000
"""


@pytest.fixture(scope="module")
def program() -> bytes:
    return link([assemble(PROGRAM, "program.s")])


@pytest.mark.parametrize("kind", ["program", "object"])
def test_headers_sections_and_symbols_are_those_that_pyelftools_reads(program: bytes, kind: str) -> None:
    data = program if kind == "program" else write(assemble(PROGRAM, "program.s"))
    ours, theirs = elf.read(data), ELFFile(io.BytesIO(data))
    assert ours.entry == theirs["e_entry"]
    assert [(s.vaddr, s.offset, s.filesz, s.memsz, s.flags, s.align) for s in ours.segments] == [
        (s["p_vaddr"], s["p_offset"], s["p_filesz"], s["p_memsz"], s["p_flags"], s["p_align"])
        for s in theirs.iter_segments()
    ]
    assert [(s.name, s.addr, s.size, s.flags, s.align) for s in ours.sections] == [
        (s.name, s["sh_addr"], s["sh_size"], s["sh_flags"], s["sh_addralign"]) for s in theirs.iter_sections()
    ]
    assert [s.data for s in ours.sections if s.type == 1] == [
        s.data() for s in theirs.iter_sections() if s["sh_type"] == "SHT_PROGBITS"
    ]
    table = theirs.get_section_by_name(".symtab")
    assert [(s.name, s.value, s.size) for s in ours.symbols] == [
        (s.name, s["st_value"], s["st_size"]) for s in table.iter_symbols()
    ]


def test_each_segment_has_its_own_rights_and_pages(program: bytes) -> None:
    segments = [segment for segment in elf.read(program).segments if segment.type == elf.PT_LOAD]
    assert [segment.flags for segment in segments] == [elf.PF_R | elf.PF_X, elf.PF_R, elf.PF_R | elf.PF_W]
    assert len({segment.vaddr >> 12 for segment in segments}) == 3
    assert all(segment.vaddr % 4096 == segment.offset % 4096 for segment in segments)
    assert segments[2].memsz >= segments[2].filesz + 10000


def test_segments_without_content_are_left_out() -> None:
    data = link([assemble(".globl _start\n_start: nop\n", "small.s")])
    assert [segment.type for segment in elf.read(data).segments] == [elf.PT_LOAD, elf.PT_GNU_STACK]


def test_writing_an_object_leaves_it_as_it_was() -> None:
    made = assemble(PROGRAM, "program.s")
    expected = link([assemble(PROGRAM, "program.s")])
    assert write(made) == write(made)
    assert link([made]) == expected


def test_what_is_written_is_read_back() -> None:
    made = assemble(PROGRAM, "program.s")
    again = load(write(made), "program.o")
    assert [(s.name, bytes(s.data), s.size, s.align) for s in made.sections] == [
        (s.name, bytes(s.data), s.size, s.align) for s in again.sections if not s.name.startswith(".debug")
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no ELF file"),
        (b"\x7fELF", "cut off"),
        (b"#!/bin/sh\n", "no ELF file"),
        (b"\x7fELF\x01\x01\x01" + bytes(57), "not 64-bit"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0" + bytes(44), "another machine"),
        (
            b"\x7fELF\x02\x01\x01"
            + bytes(9)
            + b"\x02\0\xf3\0"
            + bytes(12)
            + b"\xff" * 8
            + bytes(14)
            + b"\x38\0\5\0"
            + bytes(6),
            "outside",
        ),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(elf.ElfError, match=said):
        elf.read(data)


def test_the_reader_imports_nothing_but_struct() -> None:
    code = "import sys; before = set(sys.modules); import asm.elf; print(sorted(set(sys.modules) - before))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert set(eval(done.stdout)) <= {"asm", "asm.elf", "struct", "_struct", "__future__"}


def test_a_build_does_not_load_lark() -> None:
    code = "import sys, asm.build as b; from asm.assemble import assemble; assemble('nop', 'x'); assert b; "
    code += "assert 'lark' not in sys.modules"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
