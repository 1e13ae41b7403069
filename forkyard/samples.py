"""The guest's /bin: the sample programs, each assembled when it is first looked at, and the program to be run."""

from __future__ import annotations

import os

from forkyard import build
from forkyard.places import samples_folder


class Samples:
    """Provides /bin: what is there (`names`), and the executable by its name (`load`)."""

    def __init__(self) -> None:
        self.folder = samples_folder()
        self._built: dict[str, bytes] = {}
        self._names = {name[:-2] for name in os.listdir(self.folder) if name.endswith(".s")}

    def names(self) -> list[str]:
        """The programs' names, sorted."""
        return sorted(self._names)

    def load(self, name: str) -> bytes:
        """The program as an ELF executable."""
        if name not in self._built:
            self._built[name] = build.executable([os.path.join(self.folder, f"{name}.s")])
        return self._built[name]

    def add(self, file: str, data: bytes) -> bytes:
        """Puts the executable made from `file` beside the samples; returns its path in the guest.

        It is called what the file is called, without .s; a sample of that name stays what it is.
        """
        base = os.path.basename(file)
        name = base.removesuffix(".s").removesuffix(".S") or "program"
        if name in self._names and not self._is_sample(file, name):
            name = base if base != name else f"{name}.elf"
        self._names.add(name)
        self._built[name] = data
        return b"/bin/" + os.fsencode(name)

    def _is_sample(self, file: str, name: str) -> bool:
        return os.path.realpath(file) == os.path.realpath(os.path.join(self.folder, f"{name}.s"))
