"""GNU as and ld as oracles: what they make of a source, and how it differs from what we make."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from asm import elf
from asm.assemble import assemble
from asm.elf_object import write
from asm.relocate import NAMES, NUMBERS
from tests.oracles import need
from vm.isa.registers import X_NUMBERS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "asm" / "link.ld"
PROGRAMS = ROOT / "programs"
INCLUDE = [str(PROGRAMS), str(PROGRAMS / "lib")]


def gas(source: Path, out: Path, *options: str) -> bytes:
    """The object that GNU as makes of a file; an AssertionError with its messages if it refuses."""
    command = [need("riscv64-linux-gnu-as"), "-march=rv64ima", *options, *(f"-I{folder}" for folder in INCLUDE)]
    done = subprocess.run([*command, str(source), "-o", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


def gas_text(text: str, folder: Path, *options: str) -> bytes:
    """The object that GNU as makes of a text."""
    source = folder / "gnu.s"
    source.write_text(text)
    return gas(source, folder / "gnu.o", *options)


def ld(objects: Sequence[Path], out: Path, *options: str) -> bytes:
    """The executable that GNU ld makes, with our linker script."""
    command = [need("riscv64-linux-gnu-ld"), "-T", str(SCRIPT), "--no-relax", *options, "-o", str(out)]
    done = subprocess.run([*command, *map(str, objects)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


def ours(source: Path, relax: bool = True) -> bytes:
    """The object that we make of a file."""
    return write(assemble(source.read_bytes(), str(source), INCLUDE, relax=relax))


def refused_by_gnu(text: str, folder: Path) -> bool:
    """Whether GNU as says that a text is wrong."""
    source = folder / "refused.s"
    source.write_text(text)
    command = [need("riscv64-linux-gnu-as"), "-march=rv64ima", str(source), "-o", str(folder / "refused.o")]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def section(data: bytes, name: str) -> bytes:
    """The bytes of a section of an ELF file."""
    found = elf.read(data).section(name)
    return found.data if found else b""


def assert_same_object(gnu: bytes, made: bytes) -> None:
    """Sections that are loaded, their bytes, alignment and flags; relocations; symbols: all equal."""
    one, other = elf.read(gnu), elf.read(made)
    for part in one.sections:
        if part.flags & 2 and part.size:
            same = other.section(part.name)
            assert same is not None, f"no section {part.name}"
            assert same.data.hex(" ", -4) == part.data.hex(" ", -4), part.name
            for field in ("size", "type", "flags", "align", "entsize"):
                assert getattr(same, field) == getattr(part, field), (part.name, field)
    assert relocations(one) == relocations(other)
    assert named_symbols(one) == named_symbols(other)


def relocations(file: elf.Elf) -> dict[str, list[tuple[object, ...]]]:
    """What is relocated in each loaded section. Local labels have other names: their places stand for them. The
    addend of R_RISCV_RELAX means nothing.
    """
    found: dict[str, list[tuple[object, ...]]] = {}
    for part in file.sections:
        if part.type != elf.SHT_RELA or not file.sections[part.info].flags & 2:
            continue
        entries = found.setdefault(part.name, [])
        for at in range(0, len(part.data), 24):
            offset, info, addend = struct.unpack_from("<QQq", part.data, at)
            symbol, kind = file.symbols[info >> 32], info & 0xFFFFFFFF
            name: object = ("local", symbol.value) if symbol.name.startswith(".L") else symbol.name
            entries.append((offset, NAMES[kind], name, 0 if kind == NUMBERS["RELAX"] else addend))
        entries.sort(key=str)
    return found


def named_symbols(file: elf.Elf) -> list[tuple[object, ...]]:
    """The symbol table without sections, files, local labels and GNU's markers of code and data ($x, $d).

    GNU as also leaves undefined symbols named like registers behind, where it first tried to read an operand as a
    value.
    """
    found: list[tuple[object, ...]] = []
    for symbol in file.symbols[1:]:
        if symbol.shndx == 0 and symbol.name in X_NUMBERS:
            continue
        if symbol.type not in (3, 4) and not symbol.name.startswith((".L", "$")):
            place: object = symbol.shndx if symbol.shndx in (0, 0xFFF1, 0xFFF2) else file.sections[symbol.shndx].name
            fields = (symbol.value, symbol.size, symbol.info, symbol.other)
            found.append((symbol.name, *fields, place))
    return sorted(found, key=str)


def loaded(data: bytes) -> tuple[object, ...]:
    """What a program is when it runs: entry, segments with their bytes, sections and symbols with addresses.

    ld keeps segments without content and adds one for the attributes, which changes the headers before the code.
    """
    file = elf.read(data)
    segments = []
    for segment in file.segments:
        if segment.type in (elf.PT_LOAD, elf.PT_TLS) and segment.memsz:
            skip = 0x200 if segment.offset == 0 else 0
            held = data[segment.offset + skip : segment.offset + segment.filesz].hex(" ", -4)
            segments.append((segment.type, segment.flags, hex(segment.vaddr), segment.filesz, segment.memsz, held))
    sections = [(s.name, s.type, s.flags, s.addr, s.size, s.align) for s in file.sections if s.flags & 2]
    symbols = [
        (s.name, s.value, s.size, s.info, s.other)
        for s in file.symbols[1:]
        if s.type not in (3, 4) and not s.name.startswith((".L", "$", "_GLOBAL_OFFSET"))
    ]
    return file.entry, segments, sections, sorted(symbols)
