"""The public Python interface: `import forkyard` gives run, assemble and boot.

>>> import forkyard
>>> forkyard.run("programs/hello.s").stdout
b'Hello from a process!\\n'
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from forkyard import build, session
from kernel.config import Config
from kernel.door import STDERR, STDOUT, Door
from kernel.kernel import Kernel


class Result(NamedTuple):
    """How a run ended. `kind` is "exited", "max-insns" or "deadlock"; `status` counts for "exited" only."""

    kind: str
    status: int
    stdout: bytes
    stderr: bytes
    retired: int


def assemble(*files: str | os.PathLike[str]) -> bytes:
    """The executable (ELF) of sources, objects and archives, linked with the library. Raises forkyard.UserError."""
    return build.executable([os.fspath(file) for file in files])


def boot(
    file: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    *,
    stdin: bytes = b"",
    config: Config | None = None,
) -> Kernel:
    """A machine at its first instruction, with `file` to run as the first process's first child.

    Subscribe to `kernel.events`, then call `kernel.run()`. What programs write is in `kernel.door.output`, by file
    descriptor. Raises forkyard.UserError if the file can't be run.
    """
    path = os.fspath(file)
    config = config or Config()
    return session.start(config, Door(stdin, config.seed), path, build.program(path), list(arguments))


def run(
    file: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    *,
    stdin: bytes = b"",
    config: Config | None = None,
) -> Result:
    """Runs a program (assembly or ELF) to its end. `config` has what the command line's options say (kernel.config)."""
    kernel = boot(file, arguments, stdin=stdin, config=config)
    outcome = kernel.run()
    output = kernel.door.output
    return Result(outcome.kind, outcome.status, bytes(output[STDOUT]), bytes(output[STDERR]), kernel.machine.retired)
