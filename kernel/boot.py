"""Boot: the kernel's own hands make the first process; every other one is born of some parent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel import exec as program
from kernel.config import Config
from kernel.door import Door
from kernel.errno import SysError
from kernel.fork_policy import POLICIES
from kernel.fs import api as fs
from kernel.kernel import Kernel
from kernel.syscalls import table

if TYPE_CHECKING:
    from kernel.fs.mounts import BinProvider


class BootError(Exception):
    """The first program can't be started. The message says which and why."""


def boot(config: Config, door: Door, programs: BinProvider, path: bytes, arguments: Sequence[bytes] = ()) -> Kernel:
    """A machine at its first instruction: pid 1 runs Config.init with argv ["init", path, *arguments].

    `programs` makes what is in /bin. Raises BootError, and what fs.init raises for mounts.
    """
    k = prepare(config, door, programs)
    start(k, config.init, [b"init", path, *arguments])
    return k


def prepare(config: Config, door: Door, programs: BinProvider) -> Kernel:
    """A kernel with its files and without any process. Raises BootError for a policy of fork that there is not."""
    if config.fork not in (*POLICIES, "vfork"):
        raise BootError(f"no policy of fork is called {config.fork!r}: there are {', '.join(POLICIES)}")
    table.load_first()
    k = Kernel(config, door)
    k.schedule_state = config.seed
    fs.init(k, programs, config.mounts)
    return k


def start(k: Kernel, path: bytes, argv: list[bytes]) -> None:
    """Makes pid 1, which runs `path`. Raises BootError."""
    try:
        program.first_program(k, fs.open_console(k), path, argv, list(k.config.env))
    except SysError as error:
        name = path.decode("utf-8", "replace")
        raise BootError(f"{name}, the first program, can't be started: {error}") from None
