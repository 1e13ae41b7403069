"""Mounts: the file systems the one tree is made of, and the sources of what is not in memory yet.

/        tmpfs: the machine's own files, /tmp among them
/bin     the sample programs, read-only, fetched on first use
/dev     devices
(pipes)  a mount without a place in the tree, as Linux's pipefs
…        one for each `--mount`: kernel/fs/host.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.table import Record

if TYPE_CHECKING:
    from kernel.fs.host_dir import HostDir
    from kernel.kernel import Kernel


class MountError(ValueError):
    """A mount that can't be made; says which and why."""


class Mount(Record):
    """`root` is its root directory's inode (0: none); `dev` its st_dev; `host` indexes Sources.host_dirs, -1: none."""

    __slots__ = ("root", "dev", "writable", "host")

    def __init__(self, dev: int, writable: bool, host: int = -1) -> None:
        self.root = 0
        self.dev = dev
        self.writable = writable
        self.host = host


class BinProvider(Protocol):
    """Where /bin comes from. Whatever `load` raises, the program can't be read then (EIO), and a message says why."""

    def names(self) -> list[str]:
        """The names of all programs."""

    def load(self, name: str) -> bytes:
        """The executable of one: the same bytes each time."""


class Sources:
    """What lies outside the machine and is read when it is needed: no part of its state, and not in snapshots."""

    __slots__ = ("programs", "host_dirs", "loaded")

    def __init__(self, programs: BinProvider) -> None:
        self.programs = programs
        self.host_dirs: list[HostDir] = []
        self.loaded: dict[str, bytes] = {}  # executables by name, so that the provider is asked once


def add(k: Kernel, writable: bool, host: int = -1) -> int:
    """A new mount; its st_dev is its number, with major 0 as Linux has it for file systems without a disk."""
    return k.mounts.add(Mount(len(k.mounts) + 1, writable, host))
