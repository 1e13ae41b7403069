"""Reading a file that somebody named, without waiting for ever and without an end to what is read."""

from __future__ import annotations

import os
import stat


class NotPlain(Exception):
    """This is no plain file, or too large a one; str() says which, as the end of a sentence about it."""


def read_plain(path: str, most: int) -> bytes:
    """The content of a plain file of at most `most` bytes. Raises NotPlain, and what `open` raises.

    A pipe or a device may have no end, and can be read only once. O_NONBLOCK: opening a FIFO would wait for a writer.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NotPlain("is a pipe or a device, which can't be read twice; put what it gives into a plain file")
        data = file.read(most + 1)
    if len(data) > most:
        raise NotPlain(f"is larger than {most >> 20} MiB, which no program here needs")
    return data
