"""Physical memory: one region, which the host commits as it is used, in huge pages if it can, in frames of 4 KiB.

A flag byte per frame says what a write must do before it may go through without being seen:

    OPEN   some TLB may hold a write entry for the frame: stores reach it unseen
    DIRTY  written since the last snapshot (and listed in `dirty`, whose log native code writes too)
    CODE   an engine holds translations of instructions in it: a write drops those that it overlaps

A frame is never OPEN and CODE at once, and OPEN implies DIRTY.
"""

from __future__ import annotations

import contextlib
import mmap
import sys
from collections.abc import Callable

PAGE = 4096
PAGE_SHIFT = 12
RAM_BASE = 0x8000_0000
OPEN, DIRTY, CODE = 1, 2, 4
_ZEROS = bytes(PAGE)


class Ram:
    """`size` bytes of physical memory from RAM_BASE on; a frame is named by its ppn (physical page number).

    Addresses and ppns must lie in RAM: `contains` tells. Writing marks frames dirty and drops translations.
    MemoryError if the host has not so much.
    """

    def __init__(self, size: int) -> None:
        if sys.byteorder != "little":
            raise RuntimeError("forkyard needs a little-endian host: guest memory is used in place")
        self.size = size - size % PAGE
        self.first_ppn = RAM_BASE >> PAGE_SHIFT
        self.frames = self.size >> PAGE_SHIFT
        self.memory = _reserved(self.size)
        self.bytes = memoryview(self.memory)
        self.words64: memoryview = self.bytes.cast("Q")
        self.words32: memoryview = self.bytes.cast("I")
        self.flags = bytearray(self.frames)
        #: Words of 32 bits: how many frames are DIRTY, and their numbers in the order in which they became so.
        self.log = _reserved(4 * (self.frames + 1))
        self._log: memoryview = memoryview(self.log).cast("I")
        self.on_code_write: Callable[[int, int, int], None] = _ignore

    @property
    def dirty(self) -> list[int]:
        """The numbers (from 0) of the frames written since the last snapshot, in the order of their first write."""
        return self._log[1 : self._log[0] + 1].tolist()

    def contains(self, pa: int, size: int = 1) -> bool:
        """Whether all of `size` bytes at physical address `pa` are RAM."""
        return pa >= RAM_BASE and pa + size <= RAM_BASE + self.size

    def read(self, pa: int, size: int) -> bytes:
        """`size` bytes from physical address `pa`."""
        start = pa - RAM_BASE
        return bytes(self.bytes[start : start + size])

    def write(self, pa: int, data: bytes | bytearray | memoryview) -> None:
        """Store `data` at physical address `pa`."""
        start, size = pa - RAM_BASE, len(data)
        self._note_write(start, size)
        self.bytes[start : start + size] = data

    def read64(self, pa: int) -> int:
        """The aligned 64-bit word at `pa`."""
        word: int = self.words64[pa - RAM_BASE >> 3]
        return word

    def write64(self, pa: int, value: int) -> None:
        """Store an aligned 64-bit word (a hot path: all page table entries)."""
        start = pa - RAM_BASE
        if self.flags[start >> PAGE_SHIFT] & (CODE | DIRTY) != DIRTY:
            self._note_write(start, 8)
        self.words64[start >> 3] = value

    def read32(self, pa: int) -> int:
        """The aligned 32-bit word at `pa`."""
        return int(self.words32[pa - RAM_BASE >> 2])

    def zero_frame(self, ppn: int) -> None:
        """Fill the frame with zeros."""
        self.write(ppn << PAGE_SHIFT, _ZEROS)

    def copy_frame(self, to_ppn: int, from_ppn: int) -> None:
        """Copy one whole frame."""
        start = (from_ppn << PAGE_SHIFT) - RAM_BASE
        self.write(to_ppn << PAGE_SHIFT, self.bytes[start : start + PAGE])

    def view64(self, ppn: int) -> memoryview:
        """The 512 words of a frame, read-only: for scanning a page table."""
        start = (ppn << PAGE_SHIFT) - RAM_BASE >> 3
        return self.words64[start : start + PAGE // 8].toreadonly()

    def mark_dirty(self, frame: int) -> None:
        """Note that frame number `frame` (from 0) differs from what the last snapshot holds."""
        if not self.flags[frame] & DIRTY:
            self.flags[frame] |= DIRTY
            log = self._log
            log[0] = count = log[0] + 1
            log[count] = frame

    def take_dirty(self) -> list[int]:
        """The frames written since this was last asked, ascending; from now on they count as clean.

        The caller closes the TLBs' write entries, or stores would go on unseen.
        """
        frames = sorted(self.dirty)
        self._log[0] = 0
        for frame in frames:
            self.flags[frame] &= ~(DIRTY | OPEN)
        return frames

    def close_all(self) -> None:
        """No TLB holds a write entry any more. OPEN frames are among the dirty ones."""
        for frame in self.dirty:
            self.flags[frame] &= ~OPEN

    def _note_write(self, start: int, size: int) -> None:
        """Before `size` bytes at offset `start` change: drop translations there, mark dirty."""
        first, last = start >> PAGE_SHIFT, start + max(size, 1) - 1 >> PAGE_SHIFT
        for frame in range(first, last + 1):
            flags = self.flags[frame]
            if flags & CODE:
                low = max(start - (frame << PAGE_SHIFT), 0)
                high = min(start + size - (frame << PAGE_SHIFT), PAGE)
                self.on_code_write(frame + self.first_ppn, low, high)
            if not flags & DIRTY:
                self.mark_dirty(frame)


def _reserved(size: int) -> mmap.mmap:
    """Zeros that the host need not have yet: it takes a page, or a huge one, when it is written. MemoryError."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    try:
        memory = mmap.mmap(-1, size, flags=flags)
    except OSError as error:
        raise MemoryError(f"{size} bytes of physical memory: {error.strerror}") from None
    if hasattr(mmap, "MADV_HUGEPAGE"):  # or guests that use much memory at random wait for the host's own TLB
        with contextlib.suppress(OSError):  # a kernel without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _ignore(ppn: int, low: int, high: int) -> None:
    """Nobody holds translations."""
