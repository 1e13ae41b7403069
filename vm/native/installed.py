"""The regions in use: which frames each was made from, so that it goes when one of them changes."""

from __future__ import annotations

from array import array
from typing import Any

from vm.native.layout import GUARD_WORDS, REFUSED
from vm.native.tlb import address_of
from vm.ram import PAGE, PAGE_SHIFT, RAM_BASE

#: A part of a frame that a region was made from: its page's address, the ppn, low and high offset.
Part = tuple[int, int, int, int]


class Installed:
    """A region: its entry, what it was made from (the entry's frame first), and its code, freed with this."""

    __slots__ = ("entry", "guard", "library", "parts")

    def __init__(self, entry: int, parts: list[Part]) -> None:
        self.entry, self.parts = entry, parts
        self.guard = array("Q", bytes(8 * GUARD_WORDS)) if len(parts) > 1 else array("Q", bytes(8))
        self.library: Any = None

    @property
    def guard_address(self) -> int:
        """Where native code finds the guard."""
        return address_of(self.guard)

    def check(self, fetches: dict[int, int], epoch: int) -> None:
        """Note whether an address space, at this epoch, has every page where the region has it from."""
        fits = all(page in fetches and fetched_from(fetches, page) == ppn for page, ppn, _, _ in self.parts)
        self.guard[epoch % GUARD_WORDS] = epoch if fits else epoch | REFUSED


def fetched_from(fetches: dict[int, int], page: int) -> int:
    """The ppn that a page has in the TLB's map of fetches."""
    return (page + fetches[page] + RAM_BASE) >> PAGE_SHIFT


class Regions:
    """By the frame and the address of their entries, and by all frames that they were made from."""

    def __init__(self) -> None:
        self._entries: dict[int, dict[int, Installed | None]] = {}
        self._uses: dict[int, dict[Installed, None]] = {}

    def at(self, ppn: int, pc: int) -> Installed | None:
        """The region that is entered there."""
        return self._entries.get(ppn, {}).get(pc)

    def known(self, ppn: int, pc: int) -> bool:
        """Whether there is one, or one was asked for."""
        return pc in self._entries.get(ppn, ())

    def expect(self, ppn: int, pc: int) -> None:
        """One was asked for."""
        self._entries.setdefault(ppn, {})[pc] = None

    def unexpect(self, ppn: int, pc: int) -> None:
        """What was asked for does not come: it may be asked for again, if it has not been and came."""
        if self.at(ppn, pc) is None:
            self.forget(ppn, pc)

    def forget(self, ppn: int, pc: int) -> None:
        """It may be asked for again."""
        self._entries.get(ppn, {}).pop(pc, None)

    def add(self, region: Installed) -> None:
        """From now on it is in use."""
        self._entries.setdefault(region.parts[0][1], {})[region.entry] = region
        for _, ppn, _, _ in region.parts:
            self._uses.setdefault(ppn, {})[region] = None

    def drop(self, ppn: int, low: int, high: int) -> list[Installed]:
        """Bytes of a frame change: those that were made from them, which are in use no more."""
        gone = [region for region in self._uses.get(ppn, ()) if _overlap(region, ppn, low, high)]
        for region in gone:
            self.discard(region)
        if high - low == PAGE:
            self._entries.pop(ppn, None)
        return gone

    def discard(self, region: Installed) -> None:
        """It is in use no more. (A frame that lies at two addresses may be two of its parts.)"""
        self.forget(region.parts[0][1], region.entry)
        for used in dict.fromkeys(ppn for _, ppn, _, _ in region.parts):
            self._uses[used].pop(region, None)
            if not self._uses[used]:
                del self._uses[used]

    def __len__(self) -> int:
        return sum(region is not None for regions in self._entries.values() for region in regions.values())

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._uses.clear()


def _overlap(region: Installed, ppn: int, low: int, high: int) -> bool:
    return any(used == ppn and start < high and low < end for _, used, start, end in region.parts)
