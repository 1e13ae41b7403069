"""Physical frames: who is free, and how many holders each other one has.

A frame has one holder for every page table entry that names it (a leaf entry maps it as a page, another one has it as
the next table), one if it is a root page table, one if it is in the page cache, one if it is a pipe's buffer. The
counts lie in guest RAM, so that a snapshot of RAM has them. The table is in the first frames, one 32-bit word for each
frame:

    | free 31 | listed 30 | count 29:0 |     0: never used yet

Behind it is a stack of the numbers of frames that were freed, 32 bits each. A page gets a frame for its place if it is
free, so that pages in a row have frames in a row. All else is handed out last freed first, then those that were
never used, lowest first; those are zero already. A frame that is taken for its place stays on the stack, and is passed
over there. Index 0 is the table's own, so that it can stand for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel.errno import OutOfMemory
from vm.ram import PAGE, RAM_BASE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_FREE, _LISTED = 1 << 31, 1 << 30
_COUNT = _LISTED - 1
_PAGES = 1 << 26  # in the half of an address space that processes have
_PER_PAGE = 1024  # words in one frame of the table, and of the stack


class Frames:
    """Frames are named by ppn. Every `alloc` and `hold` must be matched by one `release`."""

    __slots__ = ("_k", "_ram", "_first", "_counts", "_freed", "_top", "_stack", "_fresh", "total", "used", "most")

    def __init__(self, k: Kernel) -> None:
        ram = k.machine.ram
        self._k, self._ram, self._first = k, ram, ram.first_ppn
        self._counts: memoryview = ram.words32[: ram.frames]
        self._stack = -(-ram.frames // _PER_PAGE)  # index of the stack's first frame
        self._freed: memoryview = ram.words32[self._stack * _PER_PAGE :][: ram.frames]
        table = 2 * self._stack
        self._top = 0  # how many are on the stack
        self._fresh = table  # no frame below this index was never used
        self.total = ram.frames - table  # frames that can be handed out
        self.used = 0
        self.most = 0  # the highest `used` so far
        for index in range(table):
            self._set(index, 1)

    def alloc(self, zero: bool = True, place: tuple[int, int] | None = None) -> int:
        """A frame with one holder, full of zeros (unless the caller overwrites all of it). Raises OutOfMemory.

        `place`: for a page's frame, the physical address of its leaf entry, and its virtual address. Where it is free,
        the page gets the frame that follows the one of the page before, or comes before the one of the page behind, or
        lies as the page does in its address space: the llvm engine likes frames that lie as their pages do
        (vm/native/runs.py), in whatever order the pages are touched.
        """
        if self.used == self.total and not self._k.page_cache.shrink(self._k):
            raise OutOfMemory
        index = (self._wished(*place) if place else 0) or self._pop() or self._never_used()
        word = self._counts[index]
        if zero and word:
            self._ram.zero_frame(self._first + index)
        self._set(index, 1 | word & _LISTED)
        self.used += 1
        self.most = max(self.most, self.used)
        return self._first + index

    def _wished(self, slot: int, va: int) -> int:
        """The index of a free frame for a page, by those of its neighbours or by its address; 0 if there is none."""
        counts = self._counts
        for wish in (*self._neighbours(slot), *self._usual(va // PAGE)):
            word = counts[wish]
            if not word or word & _FREE:
                return wish
        return 0

    def _usual(self, page: int) -> list[int]:
        """The indices that a page has if nothing stands in the way, so that a process, its child and the child's child
        can each have an array in one piece.

        A program's lie from a quarter, a half and three quarters of RAM upwards, those of a stack and of what is below
        it from there downwards: an array must have no hole where the frame of somebody's stack is.
        """
        place = page if page < _PAGES // 2 else page - _PAGES
        return [(place + self.total * quarter // 4) % self.total for quarter in (1, 2, 3)]

    def _neighbours(self, slot: int) -> list[int]:
        """Indices of the frames that would continue those of the pages beside a leaf entry."""
        at, words = slot - RAM_BASE >> 3, self._ram.words64
        before = words[at - 1] >> 10 if at & 511 else 0
        behind = words[at + 1] >> 10 if at + 1 & 511 else 0
        wishes = [before + 1 - self._first] if before else []
        if behind:
            wishes.append(behind - 1 - self._first)
        return [wish for wish in wishes if 0 <= wish < len(self._counts)]

    def _pop(self) -> int:
        """The index of the frame that was freed last, and is free still; 0 if there is none."""
        while self._top:
            self._top -= 1
            index = int(self._freed[self._top])
            word = self._counts[index] & ~_LISTED
            self._set(index, word)
            if word & _FREE:
                return index
        return 0

    def _never_used(self) -> int:
        """The lowest index that was never used."""
        while self._counts[self._fresh]:
            self._fresh += 1
        return self._fresh

    def count(self, ppn: int) -> int:
        """The number of holders; 0 if the frame is free."""
        word: int = self._counts[ppn - self._first]
        return 0 if word & _FREE else word & _COUNT

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
        if word & _COUNT == 1:
            self._set(index, _FREE | _LISTED)
            if not word & _LISTED:
                self._freed[self._top] = index
                self._ram.mark_dirty(self._stack + (self._top >> 10))
                self._top += 1
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
        counts, first, pages, stack, top, freed = self._counts, self._first, set(), self._freed, self._top, 0
        for ppn in ppns:
            index = ppn - first
            word = counts[index]
            assert 0 < word < _FREE, f"frame {ppn:#x} is released, but it is free"
            if word & _COUNT == 1:
                counts[index] = _FREE | _LISTED
                if not word & _LISTED:
                    stack[top] = index
                    top += 1
                freed += 1
            else:
                counts[index] = word - 1
            pages.add(index >> 10)
        pages.update(range(self._stack + (self._top >> 10), self._stack + (top + _PER_PAGE - 1 >> 10)))
        self._top = top
        self.used -= freed
        self._mark(pages)
        self._k.stats.pay("counts", len(ppns))
        if self._k.events.FrameReleased:
            self._tell_released(ppns)

    def snapshot(self) -> tuple[int, int, int, int]:
        """What RAM doesn't have: how high the stack is, and what was never used."""
        return self._top, self._fresh, self.used, self.most

    def restore(self, data: tuple[int, int, int, int]) -> None:
        """Takes back what `snapshot` gave, when RAM is back too."""
        self._top, self._fresh, self.used, self.most = data

    def in_use(self) -> list[int]:
        """All frames with a holder except the table's own, ascending. For the checker: it looks at every frame."""
        words = self._counts.tolist()
        table = 2 * self._stack
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
