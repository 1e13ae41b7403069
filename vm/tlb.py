"""The translation lookaside buffer: per address space (ASID) and kind of access, page address → offset.

An entry says that a page may be accessed in this way *with nothing left to do*: permissions hold, A is set,
and for a store D is set, the frame is marked dirty, and nobody holds translations of its code. Whatever is not
here goes to the MMU. An entry's value is what to add to a virtual address to index RAM's bytes.
Entries of different ASIDs don't meet, so that going from one address space to another and back refills nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Entries of one kind in one address space before they are dropped: bounds the host's memory.
CAPACITY = 16384
#: Entries that may be made in all address spaces together before all are dropped: some 30 MB of the host's.
MOST_ENTRIES = 1 << 18


class AddressSpace:
    """What the TLB holds for one ASID: three maps from page address to offset, and the engine's jump cache."""

    __slots__ = ("fetch", "jump", "load", "store")

    def __init__(self) -> None:
        self.load: dict[int, int] = {}
        self.store: dict[int, int] = {}
        self.fetch: dict[int, int] = {}
        self.jump: dict[int, Any] = {}

    def insert(self, access: str, page: int, offset: int) -> None:
        """Add an entry for access "load", "store" or "fetch"."""
        entries: dict[int, int] = getattr(self, access)
        if len(entries) >= CAPACITY:
            entries.clear()
            if access == "fetch":  # the jump cache may know no page that the map of fetches does not
                self.forget_code()
        entries[page] = offset

    def clear(self) -> None:
        """Forget everything, in place: an engine may hold on to the maps."""
        self.load.clear()
        self.store.clear()
        self.fetch.clear()
        self.jump.clear()

    def drop(self, page: int) -> None:
        """Forget the page at virtual address `page`."""
        self.load.pop(page, None)
        self.store.pop(page, None)
        if self.fetch.pop(page, None) is not None:
            self.jump.clear()

    def close_stores(self) -> None:
        """Forget the store entries: the next store to each page is seen again."""
        self.store.clear()

    def forget_code(self) -> None:
        """Some translation of code is no longer valid."""
        self.jump.clear()

    def leave(self) -> None:
        """The ASID is given up: what else belongs to the space may be used for another."""


class Tlb:
    """The TLB of the machine, filled by the MMU and emptied by sfence.vma.

    `misses` counts walks for loads and stores, `fetch_misses` those for instructions. An engine that keeps more for
    each address space says so with `begin`.
    """

    def __init__(self) -> None:
        self.spaces: dict[int, AddressSpace] = {}
        self.misses = 0
        self.fetch_misses = 0
        self._entries = 0
        #: One word, not 0 once a superpage was in use: its pages are separate entries, but one sfence of any of them
        #: counts for all. Native code that walks writes it too.
        self.superpages: memoryview = memoryview(bytearray(8)).cast("Q")
        self._make: Callable[[], AddressSpace] = AddressSpace

    def begin(self, make: Callable[[], AddressSpace], superpages: memoryview) -> None:
        """Start empty, with address spaces that `make` gives, and the word `superpages` of an engine's memory, 0."""
        self.sfence(None, None)
        self.spaces.clear()
        self._make, self.superpages = make, superpages

    def space(self, key: int) -> AddressSpace:
        """The entries of one address space (a satp's ASID, or BARE), made when first asked for."""
        found = self.spaces.get(key)
        if found is None:
            found = self.spaces[key] = self._make()
        return found

    def made_entry(self) -> None:
        """The MMU adds an entry: past MOST_ENTRIES all are forgotten first, in place."""
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            self._entries = 0
            for space in self.spaces.values():
                space.clear()

    def sfence(self, asid: int | None, page: int | None) -> None:
        """sfence.vma (Privileged, "SFENCE.VMA"): forget one page or all, of one address space or all.

        One page of one address space comes first: every page that is copied on write is one.
        """
        if asid is not None and page is not None and not self.superpages[0]:
            if asid in self.spaces:
                self.spaces[asid].drop(page)
            return
        if asid is None:
            chosen = list(self.spaces.values())
        else:
            chosen = [self.spaces[asid]] if asid in self.spaces else []
        for space in chosen:
            if page is None or self.superpages[0]:
                space.clear()
            else:
                space.drop(page)
        if asid is not None and page is None and chosen:
            self.spaces.pop(asid).leave()

    def close_stores(self) -> None:
        """Forget all store entries: the next store to each page is seen again."""
        for space in self.spaces.values():
            space.close_stores()

    def forget_code(self) -> None:
        """Some translation of code is no longer valid, in any address space."""
        for space in self.spaces.values():
            space.forget_code()
