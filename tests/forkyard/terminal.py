"""A person at a terminal: runs forkyard on a pseudo-terminal and presses keys when something has been shown."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

TOP = Path(__file__).parents[2]
PATIENCE = 30.0


def at_terminal(arguments: list[str], keys: list[tuple[bytes, bytes]], pause: float = 0.0) -> tuple[bytes, int]:
    """(everything that was shown, exit status). `keys`: (what must have been shown since the last one, keys)."""
    pid, fd = pty.fork()
    if not pid:
        os.chdir(TOP)
        os.execv(sys.executable, [sys.executable, "-m", "forkyard", *arguments])
    shown, seen, end = b"", 0, time.monotonic() + PATIENCE
    left = list(keys)
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:  # EIO: everybody has closed the terminal
                break
            shown += data
        if left and left[0][0] in shown[seen:]:
            seen = len(shown)
            time.sleep(pause)
            os.write(fd, left.pop(0)[1])
    else:
        os.kill(pid, 9)
    os.close(fd)
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
