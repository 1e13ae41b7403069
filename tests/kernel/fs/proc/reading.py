"""Reading files of /proc here and on the host."""

from __future__ import annotations

from pathlib import Path

from tests.kernel.fs.box import Box


def read(box: Box, path: str, size: int = 65536) -> bytes:
    """All of a file under /proc, as a process of the box reads it."""
    fd = box.open("/proc/" + path)
    assert fd >= 0, f"/proc/{path} can't be opened: {fd}"
    parts = []
    while data := box.read(fd, size):
        assert isinstance(data, bytes), f"/proc/{path} can't be read: {data}"
        parts.append(data)
    box.close(fd)
    return b"".join(parts)


def host(path: str) -> bytes:
    """The same file of the Linux that the tests run on."""
    return Path("/proc", path).read_bytes()


def lines(data: bytes) -> dict[bytes, bytes]:
    """`Name: value` lines."""
    return dict(line.split(b":", 1) for line in data.splitlines())


def is_in_order(some: list[bytes], of: list[bytes]) -> bool:
    """Do all of `some` stand in `of`, in the same order?"""
    left = iter(of)
    return all(name in left for name in some)
