"""Runs a program on this machine in the test's own process: the same kernel as `forkyard run`, onto buffers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kernel.boot import boot
from kernel.check import check_end
from kernel.config import Config
from kernel.door import STDERR, STDOUT, Door
from kernel.fs.mounts import BinProvider
from tests.programs.qemu_box import Result

# No sample needs a tenth of it: a program that runs wild ends the test, not the tester's patience.
MOST_INSTRUCTIONS = 300_000_000


class Folder:
    """A /bin made of the files of a host directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.is_file())

    def load(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


def run(programs: BinProvider, words: Iterable[str], stdin: bytes = b"", **options: Any) -> Result:
    """/bin/init starts words[0] with the other words; what it wrote, and the status a shell would see.

    `options` are those of Config.
    When the machine has ended nothing may be left in it: that is checked too.
    """
    path, *arguments = [word.encode() for word in words]
    door = Door(stdin)
    kernel = boot(Config(max_insns=MOST_INSTRUCTIONS, **options), door, programs, path, arguments)
    outcome = kernel.run()
    output = bytes(door.output[STDOUT])
    assert outcome.kind == "exited", f"{words}: {outcome}\n{output.decode()}"
    check_end(kernel)
    return Result(output, bytes(door.output[STDERR]), outcome.status)
