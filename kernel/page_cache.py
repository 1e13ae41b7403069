"""File data in guest frames, keyed (inode, page index): the one place where a file's bytes are.

Everybody who looks at a file looks at these frames: read and write copy from and to them, private mappings hold them
read-only, so that two execs of one program share its text. A page that isn't here is made on first use: `fill` (set
by kernel/fs) asks the file's source, if it has one; otherwise the page is a hole, which reads as zeros.

The cache has one hold on each of its frames. Pages that can be filled again (`clean`) and that nobody else holds are
given back when memory runs out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

Fill = Callable[["Kernel", int, int], bytes | None]
_ZEROS = bytes(PAGE)


def no_source(k: Kernel, inode_id: int, index: int) -> bytes | None:
    """The `fill` of files that have no source: what was never written is a hole."""
    return None


class PageCache:
    """Sizes are the file system's business: these functions trust their caller about where a file ends."""

    __slots__ = ("_by_inode", "_clean", "fill")

    def __init__(self) -> None:
        self._by_inode: dict[int, dict[int, int]] = {}  # inode id → page index → ppn
        self._clean: dict[tuple[int, int], None] = {}  # pages equal to what `fill` gives, oldest first
        self.fill: Fill = no_source

    def page(self, k: Kernel, inode_id: int, index: int, create: bool = False) -> int | None:
        """The frame of a page, filled from its source on first use.

        None for a hole, unless `create`: then it becomes a page of zeros. Raises OutOfMemory, and whatever `fill` does.
        """
        pages = self._by_inode.get(inode_id)
        ppn = pages.get(index) if pages else None
        if ppn is not None:
            return ppn
        data = self.fill(k, inode_id, index)
        if data is None and not create:
            return None
        ppn = k.frames.alloc()
        if data is not None:
            k.machine.ram.write(ppn * PAGE, data[:PAGE])
            self._clean[inode_id, index] = None
        self._by_inode.setdefault(inode_id, {})[index] = ppn
        return ppn

    def read(self, k: Kernel, inode_id: int, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`; holes are zeros."""
        parts = []
        while size:
            at = offset % PAGE
            step = min(size, PAGE - at)
            ppn = self.page(k, inode_id, offset // PAGE)
            parts.append(_ZEROS[:step] if ppn is None else k.machine.ram.read(ppn * PAGE + at, step))
            offset += step
            size -= step
        return b"".join(parts)

    def write(self, k: Kernel, inode_id: int, offset: int, data: bytes | memoryview) -> None:
        """Puts `data` at `offset`. Raises OutOfMemory, with the pages before that written."""
        view = memoryview(data)
        while len(view):
            at = offset % PAGE
            step = min(len(view), PAGE - at)
            ppn = self.page(k, inode_id, offset // PAGE, create=True)
            assert ppn is not None
            self._clean.pop((inode_id, offset // PAGE), None)
            k.machine.ram.write(ppn * PAGE + at, view[:step])
            offset += step
            view = view[step:]

    def present(self, inode_id: int, index: int) -> int | None:
        """The frame of a page if it is here; nothing is filled."""
        return self._by_inode.get(inode_id, {}).get(index)

    def indexes(self, inode_id: int) -> Collection[int]:
        """Which of its pages are here; not to be kept."""
        return self._by_inode.get(inode_id, {}).keys()

    def soil(self, inode_id: int, index: int) -> None:
        """The page may be changed behind the cache's back from now on: it can't be filled again."""
        self._clean.pop((inode_id, index), None)

    def truncate(self, k: Kernel, inode_id: int, size: int) -> None:
        """The file ends at `size` now: gives up the pages behind it and zeroes the rest of the last one.

        Who has a dropped page mapped keeps its frame. With size 0 nothing of the inode is left (its last close).
        """
        pages = self._by_inode.get(inode_id, {})
        for index in [i for i in pages if i * PAGE >= size]:
            self._clean.pop((inode_id, index), None)
            k.frames.release(pages.pop(index))
        last = pages.get(size // PAGE)
        if last is not None:
            self._clean.pop((inode_id, size // PAGE), None)
            k.machine.ram.write(last * PAGE + size % PAGE, _ZEROS[size % PAGE :])
        if not pages:
            self._by_inode.pop(inode_id, None)

    def shrink(self, k: Kernel) -> int:
        """Memory is short: gives back clean pages that only the cache holds. Returns how many frames that freed."""
        freed = 0
        for inode_id, index in list(self._clean):
            pages = self._by_inode[inode_id]
            if k.frames.count(pages[index]) == 1:
                k.frames.release(pages.pop(index))
                del self._clean[inode_id, index]
                freed += 1
                if not pages:
                    del self._by_inode[inode_id]
        return freed

    def frames(self) -> list[tuple[int, int, int]]:
        """(inode id, page index, ppn) of every page, in order."""
        return [(i, index, p[index]) for i, p in sorted(self._by_inode.items()) for index in sorted(p)]

    def snapshot(self) -> tuple[Any, ...]:
        """Which frame has which page: the bytes are in RAM."""
        return {i: dict(pages) for i, pages in self._by_inode.items()}, dict(self._clean)

    def restore(self, data: tuple[Any, ...]) -> None:
        """Takes back what `snapshot` gave, when RAM is back too."""
        self._by_inode = {i: dict(pages) for i, pages in data[0].items()}
        self._clean = dict(data[1])
