"""The guest's /bin: the sample programs, each assembled when it is first looked at."""

from __future__ import annotations

import os

from forkyard import build
from forkyard.places import samples_folder


class Samples:
    """Provides /bin: what is there (`names`), and the executable by its name (`load`)."""

    def __init__(self) -> None:
        self.folder = samples_folder()
        self._built: dict[str, bytes] = {}

    def names(self) -> list[str]:
        """The programs' names, sorted."""
        return sorted(name[:-2] for name in os.listdir(self.folder) if name.endswith(".s"))

    def load(self, name: str) -> bytes:
        """The program as an ELF executable."""
        if name not in self._built:
            self._built[name] = build.executable([os.path.join(self.folder, f"{name}.s")])
        return self._built[name]
