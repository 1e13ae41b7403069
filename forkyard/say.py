"""What forkyard itself has to say: on stderr, each line starting with `forkyard: `."""

from __future__ import annotations

import os


def say(text: str) -> None:
    """Writes `text` to stderr, each of its lines after `forkyard: `."""
    lines = [f"forkyard: {line}".rstrip() for line in text.splitlines()]
    raw("\n".join(lines) + "\n")


def raw(text: str) -> None:
    """Writes `text` to stderr as it is. A closed stderr is nobody's error: there is nobody left to tell."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(2, data) :]
    except OSError:
        pass
