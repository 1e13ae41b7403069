"""Writes a trace while the program runs: the events that were asked for, in the order in which they happened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from forkyard.errors import UserError, os_reason
from forkyard.host import HostDoor
from forkyard.images import Images
from forkyard.trace.kinds import KINDS
from forkyard.trace.text import HEADER, TextFormat
from kernel.kernel import Kernel

_FLUSH_AT = 1 << 16  # characters


class Output:
    """A buffer before a file descriptor. On stderr it is emptied before the program writes, so that the order shows."""

    def __init__(self, fd: int, name: str) -> None:
        self.fd = fd
        self.name = name
        self._lines: list[str] = []
        self._size = 0

    def write(self, line: str) -> None:
        """Adds a line; a full buffer leaves at once."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Writes what is waiting. UserError if that fails: a trace with holes in it is worth nothing."""
        data = "".join(self._lines).encode("utf-8", "backslashreplace")
        self._lines, self._size = [], 0
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UserError(f"the trace cannot be written to {self.name}: {os_reason(error)}") from None

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if not isinstance(value, BrokenPipeError):
            self.flush()
        if self.fd != 2:
            os.close(self.fd)


def open_output(path: str | None) -> Output:
    """Where the trace goes: a new file, or stderr."""
    if path is None:
        return Output(2, "stderr")
    try:
        return Output(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), path)
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"the trace cannot be written to {path}: {reason}") from None


class Tracer:
    """Subscribes to the kinds of event asked for."""

    def __init__(self, kernel: Kernel, door: HostDoor, output: Output, form: str, only: Sequence[str]) -> None:
        self.output = output
        if form == "jsonl":
            from forkyard.trace.jsonl import line as self_line

            self.line = self_line
        else:
            self.line = TextFormat(Images(kernel).name).line
            output.write(HEADER)
        if output.fd == 2:
            door.before_emit = output.flush
        for kind in only:
            for event in KINDS[kind]:
                kernel.events.on(event, self._write)

    def _write(self, event: Any) -> None:
        self.output.write(self.line(event))
