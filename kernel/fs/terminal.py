"""The terminal as an object: whose it is, which group is in the foreground, its settings. tty.py says what follows.

There is one, the console. Only /dev/tty and /dev/console are always it: what is no terminal outside (a pipe as stdin,
say) is none inside either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.table import Record

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import ThreadGroup

THE_CONSOLE = 1  # its row in k.terminals
# Linux's tty_std_termios: four words of flags (input, output, control, local), the line discipline, 19 characters.
SETTINGS = b"".join(flags.to_bytes(4, "little") for flags in (0x500, 0x5, 0xBF, 0x8A3B)) + bytes(
    [0, 3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]
)
SIZE = (24, 80, 0, 0)  # where the world has none to say


class Terminal(Record):
    """A row of `k.terminals`. Numbers that it names have a hold (pids.py)."""

    __slots__ = (
        "session",  # sid of the session it controls, or 0
        "foreground",  # pgid, or 0
        "settings",  # struct termios
        "size",  # (rows, columns, width, height in pixels)
        "typed",  # keys that would be signals, were ISIG on: read before all other input
        "streams",  # is standard input, output, error a terminal outside?
    )

    def __init__(self, size: tuple[int, ...], streams: tuple[bool, ...]) -> None:
        self.session = self.foreground = 0
        self.settings = SETTINGS
        self.size = size
        self.typed = b""
        self.streams = streams

    def local(self) -> int:
        """c_lflag."""
        return int.from_bytes(self.settings[12:16], "little")


def make(k: Kernel) -> None:
    """The console, as the world is at boot."""
    door = k.door
    k.terminals.add(Terminal(door.terminal_size() or SIZE, tuple(door.is_terminal(fd) for fd in range(3))), THE_CONSOLE)


def take(k: Kernel, group: ThreadGroup) -> None:
    """The session's leader makes it the controlling terminal of its session; its group is in the foreground."""
    name(k, group.sid, group.pgid)
    group.tty = True


def name(k: Kernel, sid: int, pgid: int) -> None:
    """The terminal names this session and this group, or none (0), from now on."""
    terminal = k.terminals[THE_CONSOLE]
    for pid in filter(None, (sid, pgid)):
        k.pids.hold(pid)
    for pid in filter(None, (terminal.session, terminal.foreground)):
        k.pids.release(pid)
    terminal.session, terminal.foreground = sid, pgid


def shut_down(k: Kernel) -> None:
    """The machine ends: no number is in use any more."""
    name(k, 0, 0)


def pids(k: Kernel) -> list[int]:
    """The numbers that terminals hold; 0 for none. For the checker."""
    rows = [k.terminals.peek(i) for i in k.terminals.ids()]
    return [pid for row in rows for pid in (row.session, row.foreground)]
