"""Character devices: /dev/null, zero, full, random, urandom, and the console.

See null(4), full(4), random(4), tty(4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kernel.errno import EAGAIN, ENOSPC, SysError
from kernel.fs.constants import CHUNK, O_NONBLOCK
from kernel.fs.terminal import THE_CONSOLE
from kernel.wait_queues import CONSOLE, WouldBlock

if TYPE_CHECKING:
    from kernel.fs.readiness import Readiness
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel

RANDOM_MAX = (1 << 25) - 1  # bytes of one read: random(4)
STDOUT, STDERR = 1, 2


class Driver(NamedTuple):
    """What reading and writing do; `flags` are the open file's. `seekable`: lseek answers 0 instead of ESPIPE."""

    read: Callable[[Kernel, UserBuffer, int], int]
    write: Callable[[Kernel, UserBuffer, int], int]
    rdev: int
    seekable: bool = True


def _nothing(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    return 0


def _zeros(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    moved = 0
    while buffer.left and not buffer.error:
        moved += buffer.put(bytes(min(buffer.left, CHUNK)))
    return buffer.result(moved)


def _random(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    moved = 0
    while buffer.left and not buffer.error and moved < RANDOM_MAX:
        moved += buffer.put(k.door.random(min(buffer.left, CHUNK, RANDOM_MAX - moved)))
    return buffer.result(moved)


def _swallow(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    """All of it is written, and nobody has looked at it: a bad pointer goes unnoticed, as on Linux."""
    return buffer.left


def _full(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    raise SysError(ENOSPC)


def _listen(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    """Input of the machine: what has arrived, 0 at its end. Waits for some unless O_NONBLOCK."""
    if not buffer.left:
        return 0
    console = k.terminals.peek(THE_CONSOLE)
    if console.typed:
        typed, k.terminals[THE_CONSOLE].typed = console.typed[: buffer.left], console.typed[buffer.left :]
        return buffer.result(buffer.put(typed))
    data = k.door.read_input(min(buffer.left, CHUNK))
    if data is None:
        if flags & O_NONBLOCK:
            raise SysError(EAGAIN)
        raise WouldBlock(CONSOLE)
    return buffer.result(buffer.put(data))


def _say(k: Kernel, buffer: UserBuffer, stream: int) -> int:
    moved = 0
    while buffer.left and not buffer.error:
        data = buffer.take(CHUNK)
        if data:
            k.door.write(stream, data)
        moved += len(data)
    return buffer.result(moved)


def _say_out(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    return _say(k, buffer, STDOUT)


def _say_error(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    return _say(k, buffer, STDERR)


def _hear(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    """The terminal: the background must not read."""
    from kernel.fs import tty

    tty.check_read(k, buffer.t)
    return _listen(k, buffer, flags)


def _speak(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    from kernel.fs import tty

    tty.check_write(k, buffer.t)
    return _say(k, buffer, STDOUT)


def _speak_of_error(k: Kernel, buffer: UserBuffer, flags: int) -> int:
    from kernel.fs import tty

    tty.check_write(k, buffer.t)
    return _say(k, buffer, STDERR)


def _number(major: int, minor: int) -> int:
    """new_encode_dev(): how stat shows a device number below 2^12 and 2^8."""
    return major << 8 | minor


def by_number(number: int) -> str:
    """The driver of a character device with that number, "" if there is none."""
    return next((name for name, driver in DRIVERS.items() if driver.rdev == number), "")


# The numbers are those of Linux's Documentation/admin-guide/devices.txt.
DRIVERS = {
    "null": Driver(_nothing, _swallow, _number(1, 3)),
    "zero": Driver(_zeros, _swallow, _number(1, 5)),
    "full": Driver(_zeros, _full, _number(1, 7)),
    "random": Driver(_random, _swallow, _number(1, 8)),
    "urandom": Driver(_random, _swallow, _number(1, 9)),
    "tty": Driver(_hear, _speak, _number(5, 0), seekable=False),
    "console": Driver(_hear, _speak, _number(5, 1), seekable=False),
    # What the first process has open, where it isn't the console: without a name.
    "console-input": Driver(_listen, _say_out, _number(5, 1), seekable=False),
    "console-output": Driver(_listen, _say_out, _number(5, 1), seekable=False),
    "console-error": Driver(_listen, _say_error, _number(5, 1), seekable=False),
    "tty-error": Driver(_hear, _speak_of_error, _number(5, 1), seekable=False),
}
NAMELESS = ("console-input", "console-output", "console-error", "tty-error")
TERMINALS = ("tty", "console", "tty-error")


def readiness(k: Kernel, driver: str, wanted: int) -> Readiness:
    """What a device is ready for. Only the console's input makes anybody wait."""
    from kernel.fs.readiness import ALWAYS, READABLE, WRITABLE, Readiness

    if driver == "random":
        return Readiness(READABLE)
    if DRIVERS[driver].read not in (_listen, _hear):
        return ALWAYS
    if k.terminals.peek(THE_CONSOLE).typed or k.door.read_ready():
        return ALWAYS
    return Readiness(WRITABLE, (CONSOLE,) if wanted & READABLE else ())
