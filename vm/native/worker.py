"""Translating regions in another process: LLVM holds Python's lock while it compiles, and the guest goes on meanwhile.

The worker reads requests from its standard input and writes answers to its standard output, one after the other. A
message is its length in 8 bytes, and a pickled tuple: it goes between a process and its own child, never further.

    request   (key, Request)
    answer    (key, Translation or None)
"""

from __future__ import annotations

import os
import pickle
import sys
from hashlib import blake2b
from typing import Any, NamedTuple

_LENGTH = 8
#: Answers that a worker gives before it begins anew: what LLVM leaks with each (see compile_region) ends with it.
MOST_ANSWERS = 2000

#: The worker's program: its arguments are how many answers it gives, and what it must have been made from.
_PROGRAM = "import sys; from vm.native.worker import serve; serve(int(sys.argv[1]), sys.argv[2])"


def _command(most: int) -> list[str]:
    from vm.native.code import origin

    return [sys.executable, "-c", _PROGRAM, str(most), origin().hex()]


class Request(NamedTuple):
    """A region to make: its entry, the pages that it may be made from by address, where indirect jumps went."""

    entry: int
    pages: dict[int, bytes]
    jumps: dict[int, list[int]]
    counted: bool


class Translation(NamedTuple):
    """A compiled region: the parts of pages that it was made from, its entry's own handler, the object file.

    A part is (page, low and high offset, digest of the bytes); the first is the entry's.
    """

    parts: list[tuple[int, int, int, bytes]]
    plain: str
    image: bytes


def digest(content: bytes) -> bytes:
    """What stands for the bytes of a part."""
    return blake2b(content, digest_size=20).digest()


def translate(request: Request) -> Translation | None:
    """Form, render and compile a region; None if there is none."""
    from vm.native.code import compile_region, target_machine
    from vm.native.region_ir import RegionWriter
    from vm.native.regions import form

    def fetch(pc: int) -> int | None:
        page = request.pages.get(pc & -4096)
        return None if page is None else int.from_bytes(page[pc & 4095 : (pc & 4095) + 4], "little")

    region = form(request.entry, fetch, request.jumps)
    if region is None:
        return None
    image = compile_region(target_machine(), RegionWriter(region, request.counted).module())
    parts = [(page, low, high, digest(request.pages[page][low:high])) for page, low, high in region.spans]
    return Translation(parts, region.plain(), image)


def _packed(message: Any) -> bytes:
    data = pickle.dumps(message)
    return len(data).to_bytes(_LENGTH, "little") + data


class Worker:
    """The other process. `ask` never waits; `answers` gives what has come back meanwhile.

    Neither end of our side blocks: both pipes may be full, and the worker reads on only when its answer is taken.
    """

    def __init__(self) -> None:
        from subprocess import DEVNULL, PIPE, Popen

        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        command = _command(MOST_ANSWERS)
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=root, start_new_session=True)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._writes, self._reads = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._writes, False)
        os.set_blocking(self._reads, False)
        self._unsent = self._buffer = b""
        self.waiting = 0

    def ask(self, key: Any, request: Request) -> None:
        """Ask for a translation. Raises OSError if the worker is gone."""
        self._unsent += _packed((key, request))
        self.waiting += 1
        self._send()

    def _send(self) -> None:
        """As much as the pipe takes; the rest goes when answers are looked for."""
        while self._unsent:
            try:
                self._unsent = self._unsent[os.write(self._writes, self._unsent) :]
            except BlockingIOError:
                return

    def answers(self) -> list[tuple[Any, Translation | None]]:
        """The answers that are there by now. Raises OSError if the worker is gone."""
        self._send()
        while True:
            try:
                part = os.read(self._reads, 1 << 20)
            except BlockingIOError:
                break
            if not part:
                if found := self._complete():
                    return found
                raise BrokenPipeError("the translator's process has ended")
            self._buffer += part
        return self._complete()

    def close(self) -> None:
        """Have done with it, whatever it still does."""
        for file in (self._process.stdin, self._process.stdout):
            assert file is not None
            file.close()
        self._process.kill()
        self._process.wait()

    def _complete(self) -> list[tuple[Any, Translation | None]]:
        found = []
        while len(self._buffer) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._buffer[:_LENGTH], "little")
            if len(self._buffer) < end:
                break
            found.append(pickle.loads(self._buffer[_LENGTH:end]))
            self._buffer = self._buffer[end:]
            self.waiting -= 1
        return found


def serve(most: int, origin: str) -> None:
    """Answer requests until standard input ends.

    After `most` of them the same program takes over in the same process. Nothing that was asked is lost: requests are
    read one by one, and those that nobody has read are in the pipe. A program whose files are not those that the
    machine was made from any more must not translate for it.
    """
    command = _command(most)
    if command[-1] != origin:
        return
    for _ in range(most):
        head = _read(_LENGTH)
        if not head:
            return
        key, request = pickle.loads(_read(int.from_bytes(head, "little")))
        sys.stdout.buffer.write(_packed((key, translate(request))))
        sys.stdout.buffer.flush()
    os.execv(sys.executable, command)


def _read(size: int) -> bytes:
    """So many bytes of standard input, none of those behind them; b"" at its end."""
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            return b""
        data += part
    return data
