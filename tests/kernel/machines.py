"""Machines for kernel tests: ELF files made by hand, a /bin made of them, and a kernel that runs one as pid 1."""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack
from typing import NamedTuple

from kernel import boot
from kernel.config import Config
from kernel.door import Door
from kernel.kernel import Kernel

R, W, X = 4, 2, 1
PT_LOAD = 1


class Part(NamedTuple):
    """One segment: `data` at `vaddr`, `memsz` bytes in memory (at least those of `data`)."""

    vaddr: int
    data: bytes
    flags: int = R | X
    memsz: int = 0
    type: int = PT_LOAD


def elf(
    parts: Iterable[Part],
    entry: int = 0x10000,
    machine: int = 243,
    kind: int = 2,
    phentsize: int = 56,
    magic: bytes = b"\x7fELF\2\1\1",
) -> bytes:
    """An ELF executable. Each part lies in the file at an offset that agrees with its address, from 0x1000 on."""
    body, headers = bytearray(0x1000), b""
    parts = list(parts)
    for part in parts:
        offset = len(body) + (part.vaddr - len(body)) % 0x1000
        body += bytes(offset - len(body)) + part.data
        sizes = (len(part.data), max(part.memsz, len(part.data)), 0x1000)
        headers += pack("<IIQQQQQQ", part.type, part.flags, offset, part.vaddr, part.vaddr, *sizes)
    counts = (64, phentsize, len(parts), 64, 0, 0)
    head = magic.ljust(16, b"\0") + pack("<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, 0, 0, *counts)
    body[: len(head)] = head
    body[64 : 64 + len(headers)] = headers
    return bytes(body)


class Bin:
    """A /bin of ready-made files."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def names(self) -> list[str]:
        return list(self.files)

    def load(self, name: str) -> bytes:
        return self.files[name]


def machine(files: dict[str, bytes], argv: list[bytes], stdin: bytes = b"", **config: object) -> Kernel:
    """A machine at its first instruction: pid 1 runs /bin/argv[0]. With 2 MiB and the python engine, if not said."""
    settings: dict[str, object] = {"memory": 2 << 20, "engine": "python", **config}
    k = boot.prepare(Config(**settings), Door(stdin), Bin(files))  # type: ignore[arg-type]
    boot.start(k, b"/bin/" + argv[0], argv)
    return k
