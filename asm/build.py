"""From files to an executable: what `forkyard run` and `forkyard asm` call.

Accepted are assembly (.s), assembly for the C preprocessor (.S, through `cpp`), objects (.o) and archives (.a) of
any maker.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from asm.archive import MAGIC
from asm.assemble import assemble
from asm.errors import AssemblyError, AssemblyErrors
from asm.library import Archive, SourceLibrary
from asm.link import Provider, place, write
from asm.link_errors import LinkErrors
from asm.objects import Object

_MAX_FILE = 1 << 28  # bytes of a source, object or archive: 256 MiB


class BuildError(Exception):
    """The sources can't be made into a program; str() is the whole message, one or more errors with their places."""


def build(
    sources: Sequence[str],
    library_dirs: Sequence[str] = (),
    include: Sequence[str] = (),
    *,
    warnings: list[str] | None = None,
    listing: list[str] | None = None,
) -> bytes:
    """Assembles and links files to an executable (ELF).

    Sources of `library_dirs` are taken in where they define a symbol that is missing. Warnings and the listing are
    appended to the lists given. Raises BuildError; OSError if a source can't be read.
    """
    try:
        include = [*include, *library_dirs]
        objects, libraries = load_all(sources, include, warnings)
        libraries.append(SourceLibrary(library_dirs, include, sources))
        image = place(objects, libraries)
        if listing is not None:
            from asm.listing import of_program

            listing.append(of_program(image))
        return write(image)
    except (AssemblyErrors, LinkErrors) as problem:
        raise BuildError(str(problem)) from None


def load_all(
    sources: Sequence[str], include: Sequence[str] = (), warnings: list[str] | None = None
) -> tuple[list[Object], list[Provider]]:
    """(the objects of all sources, the archives among them). Raises AssemblyErrors with the errors of all files;
    OSError.
    """
    objects: list[Object] = []
    libraries: list[Provider] = []
    errors: list[AssemblyError] = []
    for path in sources:
        try:
            _load(path, include, objects, libraries, warnings)
        except AssemblyErrors as problem:
            errors += problem.errors
    if errors:
        raise AssemblyErrors(errors)
    return objects, libraries


def object_of(path: str, include: Sequence[str] = (), warnings: list[str] | None = None) -> Object:
    """The object of one source file (.s or .S) or ELF object. Raises AssemblyErrors; OSError."""
    objects: list[Object] = []
    _load(path, include, objects, [], warnings)
    if not objects:
        raise AssemblyErrors([AssemblyError("an archive is no object", None, name=path)])
    return objects[0]


def _load(
    path: str,
    include: Sequence[str],
    objects: list[Object],
    libraries: list[Provider],
    warnings: list[str] | None,
) -> None:
    with open(path, "rb") as file:
        data = file.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise AssemblyErrors([AssemblyError(f"this has more than {_MAX_FILE >> 20} MiB", None, name=path)])
    if data[:4] == b"\x7fELF" or data[:8] == MAGIC:
        _binary(data, path, objects, libraries)
        return
    if path.endswith(".S"):
        from asm.cpp import preprocess

        data = preprocess(path, include, warnings)
    objects.append(assemble(data, path, [*include, os.path.dirname(path)], warnings=warnings))


def _binary(data: bytes, path: str, objects: list[Object], libraries: list[Provider]) -> None:
    from asm.elf import ElfError
    from asm.elf_object import load

    try:
        if data[:4] == b"\x7fELF":
            objects.append(load(data, path))
        else:
            libraries.append(Archive(data, path))
    except ElfError as problem:
        raise AssemblyErrors([AssemblyError(str(problem), None, name=path)]) from None
