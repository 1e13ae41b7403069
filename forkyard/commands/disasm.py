"""forkyard disasm FILE: an ELF file's machine code as assembly."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asm.elf import Elf, ElfError, read
from forkyard.arguments import Parser
from forkyard.build import contents
from forkyard.errors import NOT_EXECUTABLE, UserError
from forkyard.symbols import Symbols
from vm.disasm import text

_ET_REL = 1
_SHF_EXECINSTR = 4
_SHT_NOBITS = 8
_PT_LOAD, _PF_X = 1, 1


class Code(NamedTuple):
    """Machine code that starts at `address`."""

    name: str
    address: int
    data: bytes
    symbols: Symbols


def main(argv: Sequence[str]) -> int:
    """Writes to stdout. Exit status 0, 127 if there is no such file, 126 if it is no ELF file for RISC-V."""
    parser = Parser(
        "disasm",
        "FILE",
        "Disassembles the executable sections of an ELF file, as objdump -d -M no-aliases does.",
        "forkyard asm hello.s -o hello && forkyard disasm hello",
    )
    parser.add_argument("file", metavar="FILE")
    path = parser.parse_args(list(argv)).file
    data = contents(path)
    try:
        elf = read(data)
        pieces = list(code(elf, data))
    except ElfError as error:
        hint = "; forkyard asm makes an ELF file of it" if path.endswith((".s", ".S")) else ""
        raise UserError(f"{path}: {error}{hint}", NOT_EXECUTABLE) from None
    write(f"\n{path}:     file format elf64-littleriscv\n\n")
    for piece in pieces:
        write(f"\nDisassembly of {piece.name}:\n")
        for chunk in lines(piece):
            write(chunk)
    return 0


def code(elf: Elf, data: bytes) -> Iterator[Code]:
    """The executable sections; without section headers the executable segments."""
    symbols = Symbols(data)
    found = False
    for index, s in enumerate(elf.sections):
        if s.flags & _SHF_EXECINSTR and s.type != _SHT_NOBITS and s.size:
            found = True
            own = Symbols(data, index) if elf.type == _ET_REL else symbols
            yield Code(f"section {s.name}", s.addr, s.data, own)
    if found:
        return
    for segment in elf.segments:
        if segment.type == _PT_LOAD and segment.flags & _PF_X:
            start = segment.offset
            yield Code(
                f"the segment at {segment.vaddr:#x}", segment.vaddr, data[start : start + segment.filesz], symbols
            )


def lines(piece: Code) -> Iterator[str]:
    """The listing of one piece of code, in chunks."""
    for offset in range(0, len(piece.data), 4):
        address = piece.address + offset
        label = piece.symbols.exact(address)
        head = f"\n{address:016x} <{label}>:\n" if label else ""
        raw = piece.data[offset : offset + 4]
        if len(raw) < 4:
            yield f"{head}{address:8x}:\t{raw[::-1].hex():<16}\t.byte\t{', '.join(f'{b:#x}' for b in raw)}\n"
        else:
            word = int.from_bytes(raw, "little")
            yield f"{head}{address:8x}:\t{word:08x}          \t{text(word, address, piece.symbols.name)}\n"


def write(out: str) -> None:
    """To stdout, all of it."""
    data = out.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(1, data) :]
