"""Libraries: folders of sources of which only those are assembled that define a missing symbol, and ar archives."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from asm.archive import members
from asm.elf_object import load
from asm.lines import decode
from asm.objects import Object

_GLOBL = re.compile(r"^[ \t]*(?:[\w.$]+:[ \t]*)?\.(?:globl|global|weak)[ \t]+([^#;/\n]+)", re.MULTILINE | re.IGNORECASE)


def index(folders: Sequence[str]) -> dict[str, str]:
    """symbol → source file, for the symbols that the .s files of these folders declare global: a look, no assembly."""
    found: dict[str, str] = {}
    for folder in folders:
        if not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".s") and os.path.isfile(path):
                with open(path, "rb") as file:
                    text = decode(file.read())
                for names in _GLOBL.findall(text):
                    for symbol in names.split(","):
                        found.setdefault(symbol.strip(), path)
    return found


class SourceLibrary:
    """Gives the object, assembled when it is first needed, that defines a symbol."""

    def __init__(self, folders: Sequence[str], include: Sequence[str], exclude: Sequence[str] = ()) -> None:
        self.folders = folders
        self.include = include
        self.exclude = {os.path.realpath(path) for path in exclude}  # sources that are linked anyway
        self._index: dict[str, str] | None = None
        self._made: dict[str, Object] = {}

    def __call__(self, symbol: str) -> Object | None:
        """The object that defines `symbol`. Raises AssemblyErrors if its source has errors."""
        path = self._paths().get(symbol)
        if path is None or os.path.realpath(path) in self.exclude:
            return None
        if path not in self._made:
            from asm.assemble import assemble

            with open(path, "rb") as file:
                self._made[path] = assemble(file.read(), path, self.include)
        return self._made[path]

    def names(self) -> list[str]:
        """All symbols that it can define."""
        return list(self._paths())

    def _paths(self) -> dict[str, str]:
        if self._index is None:
            self._index = index(self.folders)
        return self._index


class Archive:
    """Gives the member of an ar archive that defines a symbol."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._objects: list[Object] = []
        self._index: dict[str, Object] = {}
        for member, content in members(data):
            made = load(content, f"{name}({member})")
            for symbol in made.symbols:
                if symbol.binding and symbol.kind != "undefined":
                    self._index.setdefault(symbol.name, made)

    def __call__(self, symbol: str) -> Object | None:
        """The member that defines `symbol`."""
        return self._index.get(symbol)

    def names(self) -> list[str]:
        """All symbols that it can define."""
        return list(self._index)
