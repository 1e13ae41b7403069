"""The keys that mean a signal, and the terminal's settings, while a machine runs on this host's terminal.

Ctrl-C, Ctrl-\\ and (with a terminal as stdin) Ctrl-Z don't end forkyard: they are handed to the machine, whose
foreground process group gets the signal. A machine that makes nothing of it is stopped by pressing Ctrl-C three times
within two seconds.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

TIMES, WITHIN = 3, 2.0  # so many Ctrl-C within so many seconds stop the machine
# Flags of the terminal that a program may change, with Linux's numbers, by the field of struct termios they are in.
FLAGS = (
    (0, {"ISTRIP": 0o40, "INLCR": 0o100, "IGNCR": 0o200, "ICRNL": 0o400, "IXON": 0o2000}),
    (1, {"OPOST": 1, "ONLCR": 4}),
    (3, {"ICANON": 2, "ECHO": 8, "ECHOE": 0o20, "ECHOK": 0o40, "ECHONL": 0o100, "IEXTEN": 0o100000}),
)
CHARACTERS = {"VEOF": 4, "VTIME": 5, "VMIN": 6, "VERASE": 2, "VKILL": 3, "VEOL": 11}
_FIRST_CHARACTER = 17


class Keyboard:
    """Within `with` our signals go to `press`, and `woken` is readable when one has come. In the main thread only."""

    def __init__(self, press: Callable[[int], None], terminal: bool) -> None:
        self._press = press
        self._terminal = terminal
        self._times: list[float] = []
        self._before: dict[int, object] = {}
        self._settings: list[object] | None = None  # of the host's terminal, before a program changed them
        self.woken, self._waker = -1, -1

    def __enter__(self) -> None:
        self.woken, self._waker = os.pipe()
        for fd in (self.woken, self._waker):
            os.set_blocking(fd, False)
        signals = [signal.SIGINT, signal.SIGQUIT, *[signal.SIGTSTP] * self._terminal]
        for number in signals:
            if signal.getsignal(number) is not signal.SIG_IGN:  # (a shell's background job ignores Ctrl-C)
                self._before[number] = signal.signal(number, self._arrived)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]
        os.close(self.woken)
        os.close(self._waker)
        self.woken = self._waker = -1
        self.restore()

    def drain(self) -> None:
        """What made `woken` readable has been seen."""
        try:
            os.read(self.woken, 512)
        except BlockingIOError:
            pass

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if number != signal.SIGTSTP:
            self._times = [*[moment for moment in self._times if now - moment < WITHIN], now]
            if len(self._times) >= TIMES:
                raise KeyboardInterrupt
        self._press(number)

    def set(self, settings: bytes) -> None:
        """A program's TCSETS: what can be had of it without giving away the keys that stop the machine."""
        if not self._terminal:
            return
        import termios

        now = termios.tcgetattr(0)
        if self._settings is None:
            self._settings = list(now[:6]) + [list(now[6])]
        for field, flags in FLAGS:
            wanted = int.from_bytes(settings[4 * field : 4 * field + 4], "little")
            for name, bit in flags.items():
                host = getattr(termios, name)
                now[field] = now[field] | host if wanted & bit else now[field] & ~host
        canonical = bool(int.from_bytes(settings[12:16], "little") & 2)
        for name, place in CHARACTERS.items():
            if name not in ("VTIME", "VMIN") or not canonical:
                value = settings[_FIRST_CHARACTER + place]
                now[6][getattr(termios, name)] = value if name in ("VTIME", "VMIN") else bytes([value])
        termios.tcsetattr(0, termios.TCSADRAIN, now)

    def restore(self) -> None:
        """The host's terminal as it was before any program changed it."""
        if self._settings is not None:
            import termios

            termios.tcsetattr(0, termios.TCSADRAIN, self._settings)  # type: ignore[arg-type]
            self._settings = None

    def suspend(self) -> None:
        """We stop, as any program does at Ctrl-Z; the shell lets us go on."""
        os.kill(os.getpid(), signal.SIGSTOP)
