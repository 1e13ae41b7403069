"""From an ELF file to an address space: which bytes of the file may be where, with which rights.

Nothing is read but headers: segments become VMAs, and pages come from the page cache when they are touched. A file
that can't be what it claims is SysError(ENOEXEC). Linux notices some of that only when the caller's memory is gone
already, and kills it; here exec fails instead and the caller goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asm import elf
from kernel.errno import EIO, ELIBBAD, ENOEXEC, SysError
from kernel.fs import api as fs
from kernel.limits import STACK_LIMIT
from kernel.mm import PROT_EXEC, PROT_READ, PROT_WRITE, STACK_TOP, Vma
from vm.ram import PAGE

if TYPE_CHECKING:
    from asm.elf import Elf, Segment
    from kernel.kernel import Kernel

HEADER_SIZE, PHENT_SIZE = 64, 56
MAX_HEADERS = 65536  # bytes of program headers (Linux's ELF_MIN_ALIGN limit in load_elf_phdrs)
LOWEST = PAGE  # nothing may be at address 0
HIGHEST = STACK_TOP - STACK_LIMIT  # segments end below the room for the stack
DYN_BASE = 0x2A_AAAA_A000  # where position-independent programs go (Linux's ELF_ET_DYN_BASE without randomisation)
INTERPRETER_BASE = 0x3F_0000_0000
_MASK = (1 << 64) - 1


class Image(NamedTuple):
    """A program's memory before its first instruction, but for the stack.

    `tails` are addresses from which on the page must be zero, because .bss begins within a page of the file.
    `phdr` is where the program headers can be seen in memory (0: nowhere).
    """

    entry: int
    vmas: tuple[Vma, ...]
    tails: tuple[int, ...]
    phdr: int
    phnum: int
    end: int  # of the last segment
    stack_prot: int
    interpreter: bytes | None  # the path in PT_INTERP


def is_elf(head: bytes) -> bool:
    """Does a file that begins like this claim to be an ELF file?"""
    return head.startswith(b"\x7fELF")


def load(k: Kernel, inode: int, path: bytes) -> Image:
    """Reads an executable's headers. SysError ENOEXEC, EIO, ENOMEM."""
    return _image(k, inode, path, DYN_BASE)


def load_interpreter(k: Kernel, inode: int, path: bytes) -> Image:
    """The same for the program that PT_INTERP names. SysError ELIBBAD."""
    try:
        return _image(k, inode, path, INTERPRETER_BASE)
    except SysError as error:
        raise SysError(ELIBBAD if error.errno == ENOEXEC else error.errno) from None


def _image(k: Kernel, inode: int, path: bytes, dyn_base: int) -> Image:
    header, headers_at = _read_headers(k, inode)
    loads = [s for s in header.segments if s.type == elf.PT_LOAD and s.memsz]
    if header.type not in (elf.ET_EXEC, elf.ET_DYN) or not loads:
        raise SysError(ENOEXEC)
    bias = dyn_base - (min(s.vaddr for s in loads) & -PAGE) if header.type == elf.ET_DYN else 0
    vmas, tails = _areas(loads, bias, inode, path)
    return Image(
        (header.entry + bias) & _MASK,
        vmas,
        tails,
        _phdr(headers_at, loads, bias),
        len(header.segments),
        max(s.vaddr + bias + s.memsz for s in loads),
        _stack_prot(header),
        _interpreter(k, inode, header),
    )


def _read_headers(k: Kernel, inode: int) -> tuple[Elf, int]:
    """The file's ELF header and program headers, and where these are in it; the rest of a large file isn't read."""
    head = fs.read_inode(k, inode, 0, PAGE)
    if len(head) < HEADER_SIZE:
        raise SysError(ENOEXEC)
    offset, count = int.from_bytes(head[32:40], "little"), int.from_bytes(head[56:58], "little")
    if not 0 < count * PHENT_SIZE <= MAX_HEADERS or offset >> 63:
        raise SysError(ENOEXEC)
    table = fs.read_inode(k, inode, offset, count * PHENT_SIZE)
    try:
        return elf.read(head[:32] + HEADER_SIZE.to_bytes(8, "little") + head[40:HEADER_SIZE] + table), offset
    except elf.ElfError:
        raise SysError(ENOEXEC) from None


def _areas(loads: list[Segment], bias: int, inode: int, path: bytes) -> tuple[tuple[Vma, ...], tuple[int, ...]]:
    """All segments' areas and tails (see Image). SysError(ENOEXEC) for a segment that can't be."""
    vmas: list[Vma] = []
    tails: list[int] = []
    for segment in loads:
        start = segment.vaddr + bias
        _check(segment, start)
        parts = _parts(segment, start, inode, path)
        for vma in parts:
            vmas = _overlay(vmas, vma)
        tails = [tail for tail in tails if not any(vma.start <= tail < vma.end for vma in parts)]
        tails += _tail(segment, start)
    return tuple(vmas), tuple(tails)


def _check(segment: Segment, start: int) -> None:
    """A segment must lie in user memory, hold its file part, and agree with its file about the offset in a page."""
    inside = start >= LOWEST and segment.memsz <= HIGHEST and start + segment.memsz <= HIGHEST
    whole = segment.filesz <= segment.memsz and not (segment.offset + segment.filesz) >> 63
    if not inside or not whole or (segment.filesz and (start - segment.offset) % PAGE):
        raise SysError(ENOEXEC)


def _parts(segment: Segment, start: int, inode: int, path: bytes) -> list[Vma]:
    """The file part of a segment, and the zeros behind it, in whole pages."""
    prot = _prot(segment.flags)
    first, end = start & -PAGE, _round_up(start + segment.memsz)
    middle = _round_up(start + segment.filesz) if segment.filesz else first
    areas = []
    if segment.filesz:
        areas.append(Vma(first, middle, prot, 0, inode, segment.offset & -PAGE, path))
    if middle < end:
        areas.append(Vma(middle, end, prot))
    return areas


def _overlay(vmas: list[Vma], new: Vma) -> list[Vma]:
    """Adds an area; where it overlaps others it takes their place, as a later PT_LOAD does."""
    kept = []
    for vma in vmas:
        if vma.start < min(vma.end, new.start):
            kept.append(vma._replace(end=min(vma.end, new.start)))
        if max(vma.start, new.end) < vma.end:
            start = max(vma.start, new.end)
            kept.append(vma._replace(start=start, offset=vma.offset + start - vma.start if vma.inode else 0))
    return sorted([*kept, new])


def _tail(segment: Segment, start: int) -> list[int]:
    """Where .bss begins, if that is within a page of the file. (Linux leaves a read-only page as it is in the file.)"""
    zero = start + segment.filesz
    inside = segment.filesz and segment.memsz > segment.filesz and zero % PAGE
    return [zero] if inside and segment.flags & elf.PF_W else []


def _phdr(headers_at: int, loads: list[Segment], bias: int) -> int:
    """Where the file's byte `headers_at` can be read in memory; 0 if no segment has it."""
    for segment in loads:
        if segment.offset <= headers_at < segment.offset + segment.filesz:
            return headers_at - segment.offset + segment.vaddr + bias
    return 0


def _stack_prot(header: Elf) -> int:
    """The stack isn't executable unless PT_GNU_STACK asks for it."""
    execute = any(s.type == elf.PT_GNU_STACK and s.flags & elf.PF_X for s in header.segments)
    return PROT_READ | PROT_WRITE | (PROT_EXEC if execute else 0)


def _interpreter(k: Kernel, inode: int, header: Elf) -> bytes | None:
    for segment in header.segments:
        if segment.type == elf.PT_INTERP:
            if not 2 <= segment.filesz <= 4096:
                raise SysError(ENOEXEC)
            path = fs.read_inode(k, inode, segment.offset, segment.filesz)
            if len(path) < segment.filesz:
                raise SysError(EIO)
            if path[-1]:
                raise SysError(ENOEXEC)
            return path[: path.index(0)]
    return None


def _prot(flags: int) -> int:
    rights = ((elf.PF_R, PROT_READ), (elf.PF_W, PROT_WRITE), (elf.PF_X, PROT_EXEC))
    return sum(prot for flag, prot in rights if flags & flag)


def _round_up(value: int) -> int:
    return (value + PAGE - 1) & -PAGE
