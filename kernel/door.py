"""The one door between the machine and the world: output, input, random bytes, the wall clock.

Everything that comes from outside comes through here, so that it can be recorded and replayed, and what goes out is
counted, so that a machine that was set back to a snapshot doesn't say the same things twice.
"""

from __future__ import annotations

WALL_CLOCK = 1_767_225_600 * 1_000_000_000  # CLOCK_REALTIME at boot: 2026-01-01T00:00:00Z, in ns
STDOUT, STDERR = 1, 2

_MASK = (1 << 64) - 1


class Door:
    """A door onto buffers: what tests use, and the base of the one that forkyard opens onto the host.

    A door with another world behind it overrides `emit`, `take` and `ready` (and `wait`, if that may take host time).
    """

    wall_clock = WALL_CLOCK

    def __init__(self, stdin: bytes = b"", seed: int = 0) -> None:
        self.output = {STDOUT: bytearray(), STDERR: bytearray()}
        self._source = stdin
        self._random = (seed * 0x9E3779B97F4A7C15 + 0x1234567) & _MASK
        self._written = {STDOUT: 0, STDERR: 0}  # bytes the programs have written, from the machine's point of view
        self._emitted = {STDOUT: 0, STDERR: 0}  # bytes that went out; more than `_written` after a restore
        self._taken = 0  # bytes of input the programs have read
        self._pressed: list[int] = []  # signals from the keyboard that the machine has not heard of yet
        self._keys: list[tuple[int, int]] = []  # (clock, signal) of those that it has
        self._keys_taken = 0  # how many of them this run has heard of: fewer after a restore
        self._log: bytearray | None = None  # the input so far, kept from the first snapshot on
        self._log_start = 0

    # --- the world's side ---------------------------------------------------------------------------------

    def emit(self, fd: int, data: bytes) -> None:
        """Puts bytes out at once. `fd` is 1 or 2."""
        self.output[fd] += data

    def take(self, size: int) -> bytes:
        """Up to `size` new bytes of input; b"" is the end. Waits for input if none is ready."""
        data, self._source = self._source[:size], self._source[size:]
        return data

    def ready(self) -> bool:
        """Would `take` return at once (with data or with the end of input)?"""
        return True

    def wait(self, timeout: int | None, for_input: bool) -> int | None:
        """The machine is idle for `timeout` ns of its clock (None: for ever); `for_input`: a program waits for input.

        Returns how many ns have passed when input arrived, or None when all of `timeout` has passed. A door that is
        paced in real time lets host time pass here. It ends early when a key is pressed (0, or what has passed).
        """
        return 0 if for_input and self.ready() else None

    def is_terminal(self, fd: int) -> bool:
        """Is our own standard input (0), output (1) or error (2) a terminal? Asked at boot."""
        return False

    def terminal_size(self) -> tuple[int, ...] | None:
        """(rows, columns, width and height in pixels or 0) of the terminal; None if there is none. Asked at boot."""
        return None

    def waiting(self) -> int:
        """Bytes of input that are there already."""
        return self._replayable() + len(self._source)

    def set_terminal(self, settings: bytes) -> None:
        """A program has changed the terminal's settings (a struct termios of Linux)."""

    def interruptible(self) -> bool:
        """May a person press a key while nothing happens in the machine?"""
        return bool(self._pressed)

    def suspend(self) -> None:
        """Ctrl-Z was pressed, and nobody in the machine makes anything of it."""

    def press(self, signal: int) -> None:
        """A person presses the key that means SIGINT, SIGQUIT or SIGTSTP. Safe at any moment."""
        self._pressed.append(signal)

    # --- the kernel's side --------------------------------------------------------------------------------

    def write(self, fd: int, data: bytes) -> None:
        """A program's output: 1 is stdout, 2 is stderr. Streamed at once, except what was put out before a restore."""
        said = self._emitted[fd] - self._written[fd]
        self._written[fd] += len(data)
        if said < len(data):
            self._emitted[fd] = self._written[fd]
            self.emit(fd, data[said:] if said else data)

    def read_ready(self) -> bool:
        """Would `read_input` return at once?"""
        return self._replayable() > 0 or self.ready()

    def read_input(self, size: int, block: bool = False) -> bytes | None:
        """Up to `size` bytes of the programs' stdin; b"" at its end; None if nothing is ready and not `block`."""
        if size and self._log is not None and self._replayable():
            start = self._taken - self._log_start
            data = bytes(self._log[start : start + size])
        elif not block and not self.ready():
            return None
        else:
            data = self.take(size)
            if self._log is not None:
                self._log += data
        self._taken += len(data)
        return data

    def key(self, now: int) -> int:
        """The next signal from the keyboard, or 0. In a run that is made again it comes when it came the first time."""
        if self._keys_taken < len(self._keys):
            at, signal = self._keys[self._keys_taken]
            if at > now:
                return 0
        elif self._pressed:
            signal = self._pressed.pop(0)
            self._keys.append((now, signal))
        else:
            return 0
        self._keys_taken += 1
        return signal

    def random(self, size: int) -> bytes:
        """`size` random bytes: the same for the same seed (splitmix64)."""
        words = bytearray()
        while len(words) < size:
            self._random = (self._random + 0x9E3779B97F4A7C15) & _MASK
            z = self._random
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
            words += (z ^ (z >> 31)).to_bytes(8, "little")
        return bytes(words[:size])

    def snapshot(self) -> tuple[int, ...]:
        """Where output, input and randomness stand. From the first call on, input is kept to be read again."""
        if self._log is None:
            self._log, self._log_start = bytearray(), self._taken
        return self._written[STDOUT], self._written[STDERR], self._taken, self._random, self._keys_taken

    def restore(self, data: tuple[int, ...]) -> None:
        """Back to where `snapshot` said: input is read again, and output isn't said again."""
        self._written[STDOUT], self._written[STDERR], self._taken, self._random, self._keys_taken = data

    def _replayable(self) -> int:
        """Bytes of input that were read from the world already and are yet to be read by this run."""
        return 0 if self._log is None else self._log_start + len(self._log) - self._taken
