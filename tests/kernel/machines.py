"""Machines for kernel tests: ELF files made by hand, a /bin made of them, and a kernel that runs one as pid 1."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from struct import pack
from typing import Any, NamedTuple

import asm.assemble
from asm.link import link
from kernel import boot
from kernel.check import check, check_end
from kernel.config import Config
from kernel.door import Door
from kernel.events import EVENTS, Insn
from kernel.kernel import Kernel, Outcome

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


def machine(files: dict[str, bytes], argv: list[bytes], stdin: bytes = b"", **config: Any) -> Kernel:
    """A machine at its first instruction: pid 1 runs /bin/argv[0]. With 2 MiB and the python engine, if not said."""
    settings: dict[str, Any] = {"memory": 2 << 20, "engine": "python", **config}
    k = boot.prepare(Config(**settings), Door(stdin), Bin(files))
    boot.start(k, b"/bin/" + argv[0], argv)
    return k


PRELUDE = """
        .macro sys number
        li      a7, \\number
        ecall
        .endm
        .macro exit status
        li      a0, \\status
        sys     94
        .endm
        .macro fork
        li      a0, 17
        li      a1, 0
        sys     220
        .endm
        .macro wait
        li      a0, -1
        li      a1, 0
        li      a2, 0
        li      a3, 0
        sys     260
        .endm
        .globl  _start
"""


@cache
def assemble(text: str) -> bytes:
    """An executable from assembly, with the macros above."""
    return link([asm.assemble.assemble(PRELUDE + text, "test.s")])


def run(text: str, stdin: bytes = b"", **config: Any) -> tuple[Kernel, Outcome]:
    """The machine after a program has run as pid 1; the checker has looked at it."""
    k = machine({"test": assemble(text)}, [b"test"], stdin, **config)
    outcome = k.run()
    (check_end if outcome.kind == "exited" else check)(k)
    return k, outcome


def record(k: Kernel) -> list[object]:
    """Every event from now on, in the order in which they happen, in a list that grows. (Not Insn.)"""
    log: list[object] = []
    for kind in EVENTS:
        if kind is not Insn:
            k.events.on(kind, log.append)
    return log
