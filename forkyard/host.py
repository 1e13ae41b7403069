"""The door between the machine and this host: our own stdin, stdout and stderr, byte for byte, as things happen."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from forkyard.errors import UserError, os_reason
from forkyard.keyboard import Keyboard
from kernel.door import Door

_NANOSECONDS = 1_000_000_000


class HostDoor(Door):
    """stdin is read when a program reads; output leaves at once. With a terminal as stdin, sleeping takes real time.

    A regular file as stdin is always ready, so that such a run depends on nothing but its input. What arrives on a
    pipe or a terminal arrives when it arrives.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.interactive = _is_terminal(0)
        self.keyboard = Keyboard(self.press, self.interactive)
        self.before_emit: Callable[[], None] | None = None  # empties what must be seen before the program's output

    def emit(self, fd: int, data: bytes) -> None:
        """Writes all of `data`. BrokenPipeError if nobody reads any more: the whole run is over then, as by SIGPIPE."""
        if self.before_emit is not None:
            self.before_emit()
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(fd, left) :]
            except BlockingIOError:
                _select(writers=[fd])
            except BrokenPipeError:
                raise
            except OSError as error:
                raise UserError(f"{'standard output' if fd == 1 else 'standard error'}: {os_reason(error)}") from None

    def take(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end, and where there is no stdin at all."""
        while True:
            try:
                return os.read(0, size)
            except BlockingIOError:
                _select(readers=[0])
            except OSError:
                return b""

    def ready(self) -> bool:
        """Whether reading would return at once."""
        try:
            return _select(readers=[0], timeout=0)
        except (OSError, ValueError):
            return True

    def is_terminal(self, fd: int) -> bool:
        """Is our own stdin, stdout or stderr a terminal?"""
        return _is_terminal(fd)

    def terminal_size(self) -> tuple[int, ...] | None:
        """(rows, columns, 0, 0) of the terminal that one of them is."""
        for fd in filter(_is_terminal, (0, 1, 2)):
            columns, rows = os.get_terminal_size(fd)
            return rows, columns, 0, 0
        return None

    def waiting(self) -> int:
        """Bytes of input that are there already."""
        from fcntl import ioctl
        from termios import FIONREAD

        try:
            return self._replayable() + int.from_bytes(ioctl(0, FIONREAD, bytes(4)), sys.byteorder)
        except OSError:
            return self._replayable()

    def set_terminal(self, settings: bytes) -> None:
        """A program changes the terminal's settings: those of ours, until the machine ends."""
        self.keyboard.set(settings)

    def interruptible(self) -> bool:
        """At a terminal somebody may press a key at any time."""
        return self.interactive or super().interruptible()

    def suspend(self) -> None:
        """Ctrl-Z, and nobody in the machine wants it."""
        self.keyboard.suspend()

    def wait(self, timeout: int | None, for_input: bool) -> int | None:
        """The machine is idle. Without a terminal only input takes host time: a sleep is over at once.

        Time that input took to arrive counts on a terminal only: a pipe that is slow to fill doesn't move the clock.
        """
        if timeout is not None and not self.interactive:
            return 0 if for_input and self.ready() else None
        began = time.monotonic_ns()
        readers = [0] * for_input + [self.keyboard.woken] * (self.keyboard.woken >= 0)
        try:
            arrived = _select(readers, timeout=None if timeout is None else timeout / _NANOSECONDS)
        except (OSError, ValueError):
            arrived = for_input
        if not arrived:
            return None
        self.keyboard.drain()
        passed = time.monotonic_ns() - began if self.interactive else 0
        return passed if timeout is None else min(passed, timeout)


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def _select(readers: list[int] | None = None, writers: list[int] | None = None, timeout: float | None = None) -> bool:
    """Whether one of the descriptors is ready within `timeout` seconds (None: wait for ever)."""
    from select import select

    ready = select(readers or [], writers or [], [], timeout)
    return bool(ready[0] or ready[1])
