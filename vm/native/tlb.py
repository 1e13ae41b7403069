"""The TLB as native code reads it: one block of memory per address space, of direct-mapped entries.

Load, store and fetch entries stand one after the other; an entry is a tag (the page's address, or NONE) and a value
(host address - virtual address; for a fetch the address of the page's records). Blocks are handed from address space
to address space: the one that ran longest ago gives its own up, and finds its entries again by walking.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

from vm.native.layout import FETCH_ENTRIES, RUNS, RUNS_SIZE, TLB_ENTRIES
from vm.ram import PAGE_SHIFT
from vm.tlb import AddressSpace

_MASK = (1 << 64) - 1
_SIZE = (2 * TLB_ENTRIES + FETCH_ENTRIES) * 16
#: access → (first word, entries)
_PLACE = {
    "load": (0, TLB_ENTRIES),
    "store": (2 * TLB_ENTRIES, TLB_ENTRIES),
    "fetch": (4 * TLB_ENTRIES, FETCH_ENTRIES),
}
#: Blocks there are at most: 64 address spaces may take turns without walking anew.
MOST_BLOCKS = 64


def address_of(buffer: Any) -> int:
    """The host address of a writable buffer, which must not be resized or freed while native code may use it."""
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


class Block:
    """The memory of one address space's native TLB. `address` is where it begins."""

    __slots__ = ("address", "clean", "memory", "words")

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, TLB_ENTRIES * 16 + RUNS + RUNS_SIZE)
        self.words: memoryview = memoryview(self.memory).cast("Q")
        self.address = address_of(self.memory)
        self.clean = False  # whether it is empty for sure: native code has not run with it
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        if not self.clean:
            ctypes.memset(self.address, 0xFF, _SIZE)
            self.clean = True

    def clear_kind(self, access: str) -> None:
        """Forget all entries of one kind."""
        first, entries = _PLACE[access]
        if not self.clean:
            ctypes.memset(self.address + first * 8, 0xFF, entries * 16)

    def put(self, access: str, page: int, value: int) -> None:
        """Add an entry, in the place of whatever has its index."""
        self.clean = False
        first, entries = _PLACE[access]
        at = first + 2 * (page >> PAGE_SHIFT & entries - 1)
        self.words[at] = page
        self.words[at + 1] = value & _MASK

    def drop(self, page: int) -> None:
        """Forget one page."""
        for first, entries in _PLACE.values():
            at = first + 2 * (page >> PAGE_SHIFT & entries - 1)
            if self.words[at] == page:
                self.words[at] = _MASK


class NativeSpace(AddressSpace):
    """An address space that may have a native block.

    `epoch` changes whenever its map of fetches does, and no other space ever has the same.
    """

    __slots__ = ("block", "epoch", "generation", "pool")

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.block: Block | None = None
        self.epoch = self.generation = pool.new_epoch()

    def insert(self, access: str, page: int, offset: int) -> None:
        """See AddressSpace; native code finds fetch entries another way: LlvmEngine adds them."""
        super().insert(access, page, offset)
        if access == "fetch":
            self.epoch = self.pool.new_epoch()
        elif self.block is not None:
            self.block.put(access, page, offset + self.pool.host)

    def clear(self) -> None:
        """See AddressSpace."""
        super().clear()
        self.epoch = self.generation = self.pool.new_epoch()
        if self.block is not None:
            self.block.clear()

    def drop(self, page: int) -> None:
        """See AddressSpace."""
        if page in self.fetch:
            self.epoch = self.pool.new_epoch()
        super().drop(page)
        self.generation = self.pool.new_epoch()
        if self.block is not None:
            self.block.drop(page)

    def close_stores(self) -> None:
        """See AddressSpace."""
        super().close_stores()
        self.generation = self.pool.new_epoch()
        if self.block is not None:
            self.block.clear_kind("store")

    def forget_code(self) -> None:
        """See AddressSpace."""
        super().forget_code()
        if self.block is not None:
            self.block.clear_kind("fetch")

    def leave(self) -> None:
        """See AddressSpace."""
        self.pool.give_back(self)


class Pool:
    """The blocks, and who has them; whoever ran last comes last. `host`: the host address of RAM's first byte."""

    def __init__(self, host: int) -> None:
        self.host = host
        self._epochs = 0
        self._free: list[Block] = []
        self._owners: dict[NativeSpace, None] = {}

    def new_epoch(self) -> int:
        """A number that was never given before (nor is 0)."""
        self._epochs += 1
        return self._epochs

    def block_of(self, space: NativeSpace) -> Block:
        """The block of a space that is about to run."""
        if space.block is not None:
            del self._owners[space]
            self._owners[space] = None
            return space.block
        if not self._free and len(self._owners) >= MOST_BLOCKS:
            self.give_back(next(iter(self._owners)))
        block = self._free.pop() if self._free else Block()
        block.clear()
        space.block = block
        space.jump.clear()  # their pages are not in the block
        self._owners[space] = None
        return block

    def give_back(self, space: NativeSpace) -> None:
        """Take a space's block from it, if it has one."""
        if space.block is not None:
            self._free.append(space.block)
            space.block = None
            del self._owners[space]
