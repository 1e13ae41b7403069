"""From the FILE that a person named to an executable: read, assemble if need be, link with the library, remember.

An assembled program is kept (forkyard.cache) under the hash of everything it follows from: the sources, every file
that they may include, the library, and the assembler itself. A source whose includes cannot be told from its text
(a macro makes the name of the directive, or cpp is needed) is assembled every time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import cache as once

from forkyard import cache
from forkyard.errors import NOT_EXECUTABLE, NOT_FOUND, AssemblyFailed, UserError, os_reason
from forkyard.files import NotPlain, read_plain
from forkyard.places import include_path, library_folder, samples_folder
from forkyard.say import raw

SOURCES = (".s", ".S")
LARGEST_FILE = 256 << 20
LARGEST_INCLUDED = 64 << 20  # bytes of all that one source may include, for it to be kept
_INCLUDES = re.compile(rb'\.(?:include|incbin)[ \t]+"([^"\\\n]*)"')
# A reference whose file this pattern can't tell, or a statement whose name a macro's argument makes.
_UNCLEAR = re.compile(rb'\.(?:include|incbin)\b(?![ \t]+"[^"\\\n]*")|(?:^|[;:])[ \t]*\.?\w*\\', re.MULTILINE)


def program(path: str, more: Sequence[str] = ()) -> bytes:
    """The executable for FILE (and the further sources of --with). UserError says what is wrong with it."""
    data = contents(path)
    if path.endswith(SOURCES) or more:
        data = executable([path, *more])
    else:
        check_executable(path, data)
    check_size(path, data)
    return data


def contents(path: str) -> bytes:
    """The bytes of a file that a person named. UserError with exit status 127 (not found) or 126 (unusable)."""
    try:
        if os.path.isdir(path):
            raise UserError(f"{path}: is a directory; name a program in it", NOT_EXECUTABLE)
        return read_plain(path, LARGEST_FILE)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file{_nearby(path)}", NOT_FOUND) from None
    except NotPlain as problem:
        raise UserError(f"{path}: {problem}", NOT_EXECUTABLE) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {os_reason(error)}", NOT_EXECUTABLE) from None
    except ValueError:
        raise UserError(f"{path!r}: is no file name: it has a NUL character in it", NOT_FOUND) from None


def check_executable(path: str, data: bytes) -> None:
    """UserError (126) unless `data` is an executable for this machine."""
    if data[:4] != b"\x7fELF":
        what = "is empty" if not data else "is neither assembly (named .s or .S) nor an ELF executable"
        raise UserError(f"{path}: {what}", NOT_EXECUTABLE)
    from asm.elf import ElfError, read

    try:
        elf = read(data)
    except ElfError as error:
        raise UserError(f"{path}: is no executable that this machine can run: {error}", NOT_EXECUTABLE) from None
    if elf.type == 1:
        raise UserError(
            f"{path}: is an object file, not linked yet; try: forkyard asm {path} -o program", NOT_EXECUTABLE
        )


def check_size(path: str, data: bytes) -> None:
    """UserError (126) if the program's segments end where no program's memory can be."""
    from asm.elf import PT_LOAD, read
    from kernel.program_image import HIGHEST

    end = max((s.vaddr + s.memsz for s in read(data).segments if s.type == PT_LOAD), default=0)
    if end > HIGHEST:
        raise UserError(
            f"{path}: the program is too large: its memory ends at {end:#x}, and may end at {HIGHEST:#x} at most",
            NOT_EXECUTABLE,
        )


def executable(sources: Sequence[str]) -> bytes:
    """Sources, objects and archives, assembled and linked with the library. AssemblyFailed has the report."""
    inputs = [contents(path) for path in sources]
    library = library_folder()
    key = _key(sources, inputs, library)
    known = cache.load(key) if key else None
    if known is not None:
        return known
    data = _assemble(sources, library)
    if key:
        cache.store(key, data)
    return data


def with_listing(sources: Sequence[str]) -> tuple[bytes, str]:
    """What `executable` gives, and its listing. AssemblyFailed has the assembler's report."""
    from asm.build import build

    listing: list[str] = []

    def make(warnings: list[str]) -> bytes:
        return build(sources, [library_folder()], include_path(), warnings=warnings, listing=listing)

    return _reported(make), "".join(listing)


def relocatable(path: str) -> tuple[bytes, str]:
    """One source as a relocatable ELF object, and its listing. AssemblyFailed has the assembler's report."""
    from asm.build import object_of
    from asm.elf_object import write
    from asm.listing import of_object

    listing: list[str] = []

    def make(warnings: list[str]) -> bytes:
        made = object_of(path, include_path(), warnings)
        listing.append(of_object(made))
        return write(made)

    return _reported(make), "".join(listing)


def _assemble(sources: Sequence[str], library: str) -> bytes:
    from asm.build import build

    return _reported(lambda warnings: build(sources, [library], include_path(), warnings=warnings))


def _reported(make: Callable[[list[str]], bytes]) -> bytes:
    """What `make` returns; its warnings go to stderr, and its errors become AssemblyFailed."""
    from asm.build import BuildError
    from asm.errors import AssemblyErrors

    warnings: list[str] = []
    try:
        return make(warnings)
    except (BuildError, AssemblyErrors) as errors:
        raise AssemblyFailed(str(errors)) from None
    finally:
        if warnings:
            raw("\n".join(warnings) + "\n")


def _key(sources: Sequence[str], inputs: Sequence[bytes], library: str) -> str | None:
    """The name of the result in the cache; None if it can't be told what it follows from."""
    parts = [_assembler(), _folder_digest(library, (".s", ".inc"))]
    for path, data in zip(sources, inputs, strict=True):
        included = _included(path, data)
        if path.endswith(".S") or included is None:
            return None
        parts += [os.fsencode(path), data, *included]
    return cache.digest(*parts)


def _included(path: str, data: bytes) -> list[bytes] | None:
    """Every file that the source may include, and those that these include, wherever found; None if unclear."""
    parts: list[bytes] = []
    seen: set[str] = set()
    waiting = [(path, data)]
    room = LARGEST_INCLUDED
    while waiting:
        name, text = waiting.pop()
        if _UNCLEAR.search(text):
            return None
        for candidate in [c for c in _candidates(text, name, path) if c not in seen]:
            seen.add(candidate)
            try:
                found = _bytes_or_none(candidate, room)
            except NotPlain:
                return None
            room -= len(found or b"")
            parts += [os.fsencode(candidate), b"" if found is None else b"1" + found]
            waiting += [] if found is None else [(candidate, found)]
    return parts


def _candidates(text: bytes, name: str, path: str) -> dict[str, None]:
    """Each place where the assembler may look for a file that `text` (in the file `name`) names."""
    folders = (".", os.path.dirname(name), os.path.dirname(path), *include_path())
    return {os.path.join(folder, os.fsdecode(match)): None for match in _INCLUDES.findall(text) for folder in folders}


def _bytes_or_none(path: str, most: int = LARGEST_FILE) -> bytes | None:
    """The content of a file; None if there is none that can be read. NotPlain as read_plain says."""
    try:
        return read_plain(path, most)
    except (OSError, ValueError):
        return None


@once
def _assembler() -> bytes:
    """A digest of the assembler and the instruction definitions: another assembler is another program."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    kinds = (".py", ".lark", ".ld")
    return _folder_digest(os.path.join(here, "asm"), kinds) + _folder_digest(os.path.join(here, "vm", "isa"), kinds)


@once
def _folder_digest(folder: str, kinds: tuple[str, ...]) -> bytes:
    """A digest of the names and contents of a directory's files."""
    parts = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(kinds):
            parts += [name.encode(), _bytes_or_none(os.path.join(folder, name)) or b""]
    return cache.digest(*parts).encode()


def _nearby(path: str) -> str:
    """A hint for a name that is nearly right: the sample of that name, or the file with .s behind it."""
    if os.path.exists(f"{path}.s"):
        return f"; did you mean {path}.s?"
    name = os.path.basename(path).removesuffix(".s")
    sample = os.path.join(samples_folder(), f"{name}.s")
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return "; the working directory has been deleted"
    return (
        f"; there is a sample program of that name: {os.path.relpath(sample, here)}" if os.path.exists(sample) else ""
    )
