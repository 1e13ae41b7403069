"""The caller's memory of one read or write: segments of guest memory, used up from the front.

A transfer stops at the first byte that can't be reached and keeps what was moved before it, as Linux does:
`result(moved)` turns that into a count, or into the error if nothing was moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EFAULT, SysError
from kernel.fs.constants import CHUNK, PAGE, RW_MAX, USER_TOP
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


def check_range(address: int, size: int) -> None:
    """Linux's access_ok(): raises EFAULT if the range leaves user space, whatever is mapped there."""
    if size > USER_TOP or address > USER_TOP - size:
        raise SysError(EFAULT)


class UserBuffer:
    """`segments` as (address, size); `left` bytes are still to be moved; `error` is the errno that stopped it, or 0."""

    __slots__ = ("k", "t", "segments", "left", "error")

    def __init__(self, k: Kernel, t: Task, segments: list[tuple[int, int]]) -> None:
        self.k = k
        self.t = t
        self.segments: list[tuple[int, int]] = []  # the next one last
        self.left = 0
        self.error = 0
        for address, size in segments:
            size = min(size, RW_MAX - self.left)
            if size:
                self.segments.append((address, size))
                self.left += size
        self.segments.reverse()

    def take(self, size: int) -> bytes:
        """The next `size` bytes of what the caller writes; fewer at the end, or when memory ends (`error` is set)."""
        pieces = []
        while size and self.left and not self.error:
            address, length = self._piece(size)
            data = self._copy_in(address, length)
            pieces.append(data)
            self.skip(len(data))
            size -= len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def put(self, data: bytes) -> int:
        """Hands `data` (no more than `left`) to the caller who reads; returns how much arrived."""
        moved = 0
        while moved < len(data) and not self.error:
            address, length = self._piece(len(data) - moved)
            count = self._copy_out(address, data[moved : moved + length] if length < len(data) else data)
            self.skip(count)
            moved += count
        return moved

    def skip(self, size: int) -> None:
        """Goes on as if `size` bytes had been moved (an earlier attempt of the same system call moved them)."""
        self.left -= size
        while size:
            address, length = self.segments.pop()
            if size < length:
                self.segments.append((address + size, length - size))
                return
            size -= length

    def shorten(self, size: int) -> None:
        """Only the first `size` of the bytes that are left are to be moved."""
        pieces, self.segments = self.segments, []
        for address, length in reversed(pieces):
            if size:
                self.segments.append((address, min(size, length)))
            size -= min(size, length)
        self.segments.reverse()
        self.left = sum(length for _, length in self.segments)

    def result(self, moved: int) -> int:
        """What the system call returns after moving `moved` bytes: that count, or the error if it is 0."""
        if not moved and self.error:
            raise SysError(self.error)
        return moved

    def _piece(self, size: int) -> tuple[int, int]:
        address, length = self.segments[-1]
        return address, min(size, length, CHUNK)

    def _copy_in(self, address: int, length: int) -> bytes:
        try:
            return copy_in(self.k, self.t, address, length)
        except SysError:
            return self._copy_in_pages(address, length)

    def _copy_in_pages(self, address: int, length: int) -> bytes:
        data = bytearray()
        try:
            while len(data) < length:
                data += copy_in(self.k, self.t, address + len(data), _to_page_end(address, len(data), length))
        except SysError as error:
            self.error = error.errno
        return bytes(data)

    def _copy_out(self, address: int, data: bytes) -> int:
        try:
            copy_out(self.k, self.t, address, data)
            return len(data)
        except SysError:
            return self._copy_out_pages(address, data)

    def _copy_out_pages(self, address: int, data: bytes) -> int:
        moved = 0
        try:
            while moved < len(data):
                size = _to_page_end(address, moved, len(data))
                copy_out(self.k, self.t, address + moved, data[moved : moved + size])
                moved += size
        except SysError as error:
            self.error = error.errno
        return moved


class KernelBuffer(UserBuffer):
    """The same face for bytes that the kernel has already: they lie at "addresses" from 0 on."""

    __slots__ = ("data",)

    def __init__(self, k: Kernel, t: Task, data: bytes) -> None:
        super().__init__(k, t, [(0, len(data))])
        self.data = data

    def _copy_in(self, address: int, length: int) -> bytes:
        return self.data[address : address + length]


def _to_page_end(address: int, done: int, length: int) -> int:
    return min(length - done, PAGE - (address + done) % PAGE)
