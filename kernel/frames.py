"""Physical frames: who is free, and how many holders each other one has.

A frame has one holder for every page table entry that names it (a leaf entry maps it as a page, another one has it as
the next table), one if it is a root page table, one if it is in the page cache, one if it is a pipe's buffer. The
counts lie in guest RAM, so that a snapshot of RAM has them. The table is in the first frames, one 32-bit word for each
frame:

    | 0 count 30:0 |   in use, or never used yet (count 0)
    | 1 next 30:0  |   free again: `next` is the index of the next free frame (0: the last)

Free frames are handed out last freed first, then those that were never used, lowest first. Those are zero already,
which keeps the host from committing memory that no program asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel.errno import OutOfMemory

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_FREE = 1 << 31
_PER_PAGE = 1024  # counts in one frame of the table


class Frames:
    """Frames are named by ppn. Every `alloc` and `hold` must be matched by one `release`."""

    __slots__ = ("_k", "_ram", "_first", "_counts", "_head", "_fresh", "total", "used", "most")

    def __init__(self, k: Kernel) -> None:
        ram = k.machine.ram
        self._k, self._ram, self._first = k, ram, ram.first_ppn
        self._counts: memoryview = ram.words32[: ram.frames]
        table = -(-ram.frames // _PER_PAGE)
        self._head = 0  # index of the frame that was freed last, 0 if none
        self._fresh = table  # no frame below this index was never used
        self.total = ram.frames - table  # frames that can be handed out
        self.used = 0
        self.most = 0  # the highest `used` so far
        for index in range(table):
            self._set(index, 1)

    def alloc(self, zero: bool = True, near: int | None = None) -> int:
        """A frame with one holder, full of zeros (unless the caller overwrites all of it). Raises OutOfMemory.

        `near` is the number of a page in a large mapping: where no frame stands in the way, such pages get frames that
        lie as the pages do, whatever the order in which they are touched. The llvm engine likes that.
        """
        if self.used == self.total and not self._k.page_cache.shrink(self._k):
            raise OutOfMemory
        index = self._head
        if near is not None and not self._counts[(near + self.total // 4) % self.total]:
            index = (near + self.total // 4) % self.total
        elif index:
            self._head = self._counts[index] ^ _FREE
            if zero:
                self._ram.zero_frame(self._first + index)
        else:
            while self._counts[self._fresh]:
                self._fresh += 1
            index = self._fresh
            self._fresh += 1
        self._set(index, 1)
        self.used += 1
        self.most = max(self.most, self.used)
        return self._first + index

    def count(self, ppn: int) -> int:
        """The number of holders; 0 if the frame is free."""
        word = int(self._counts[ppn - self._first])
        return 0 if word & _FREE else word

    def hold(self, ppn: int) -> None:
        """One more holder of a frame that has one already."""
        index = ppn - self._first
        word = self._counts[index]
        assert 0 < word < _FREE, f"frame {ppn:#x} is held, but it is free"
        self._set(index, word + 1)
        self._k.stats.pay("counts", 1)
        if self._k.events.FrameShared:
            self._tell_shared((ppn,))

    def release(self, ppn: int) -> None:
        """One holder less; the last one frees the frame. (Written out: every copy of a page on write comes here.)"""
        index = ppn - self._first
        word = self._counts[index]
        assert 0 < word < _FREE, f"frame {ppn:#x} is released, but it is free"
        if word == 1:
            self._set(index, _FREE | self._head)
            self._head = index
            self.used -= 1
        else:
            self._set(index, word - 1)
        self._k.stats.pay("counts", 1)
        if self._k.events.FrameReleased:
            self._tell_released((ppn,))

    def hold_many(self, ppns: Sequence[int]) -> None:
        """`hold` each of them (a hot path: fork calls it with all pages of a table)."""
        counts, first, pages = self._counts, self._first, set()
        for ppn in ppns:
            index = ppn - first
            word = counts[index]
            assert 0 < word < _FREE, f"frame {ppn:#x} is held, but it is free"
            counts[index] = word + 1
            pages.add(index >> 10)
        self._mark(pages)
        self._k.stats.pay("counts", len(ppns))
        if self._k.events.FrameShared:
            self._tell_shared(ppns)

    def release_many(self, ppns: Sequence[int]) -> None:
        """`release` each of them (a hot path: exit calls it with all pages of a table)."""
        counts, first, pages, head, freed = self._counts, self._first, set(), self._head, 0
        for ppn in ppns:
            index = ppn - first
            word = counts[index]
            assert 0 < word < _FREE, f"frame {ppn:#x} is released, but it is free"
            if word == 1:
                counts[index] = _FREE | head
                head = index
                freed += 1
            else:
                counts[index] = word - 1
            pages.add(index >> 10)
        self._head = head
        self.used -= freed
        self._mark(pages)
        self._k.stats.pay("counts", len(ppns))
        if self._k.events.FrameReleased:
            self._tell_released(ppns)

    def snapshot(self) -> tuple[int, int, int, int]:
        """What RAM doesn't have: the ends of the free list."""
        return self._head, self._fresh, self.used, self.most

    def restore(self, data: tuple[int, int, int, int]) -> None:
        """Takes back what `snapshot` gave, when RAM is back too."""
        self._head, self._fresh, self.used, self.most = data

    def in_use(self) -> list[int]:
        """All frames with a holder except the table's own, ascending. For the checker: it looks at every frame."""
        words = self._counts.tolist()
        table = -(-len(words) // _PER_PAGE)
        return [self._first + i for i, word in enumerate(words) if 0 < word < _FREE and i >= table]

    def _set(self, index: int, word: int) -> None:
        self._counts[index] = word
        self._ram.mark_dirty(index >> 10)

    def _mark(self, pages: set[int]) -> None:
        for page in sorted(pages):
            self._ram.mark_dirty(page)

    def _tell_shared(self, ppns: Sequence[int]) -> None:
        from kernel.events import FrameShared

        k = self._k
        for ppn in ppns:
            k.events.emit(FrameShared(k.machine.retired, k.current, ppn, self.count(ppn)))

    def _tell_released(self, ppns: Sequence[int]) -> None:
        from kernel.events import FrameReleased

        k = self._k
        for ppn in ppns:
            k.events.emit(FrameReleased(k.machine.retired, k.current, ppn, self.count(ppn)))
