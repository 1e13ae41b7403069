"""Snapshots of RAM: each holds the pages written since the one before it, and points to that one.

first ──▶ second ──▶ third        restoring `fourth` from `third` puts back the pages that third holds,
             └─────▶ fourth       that fourth holds, and that were written since third
"""

from __future__ import annotations

from vm.ram import PAGE, PAGE_SHIFT, Ram
from vm.tlb import Tlb

_ZERO_PAGE = bytes(PAGE)


class Snapshot:
    """The state of a machine: `pages` (frame number → 4096 bytes) over those of `before`, clock and retired count."""

    __slots__ = ("before", "clock", "depth", "pages", "retired")

    def __init__(self, before: Snapshot | None, pages: dict[int, bytes], clock: int, retired: int) -> None:
        self.before, self.pages, self.clock, self.retired = before, pages, clock, retired
        self.depth: int = before.depth + 1 if before else 0

    def page(self, frame: int) -> bytes:
        """The content of a frame; zeros if it was never written."""
        at: Snapshot | None = self
        while at is not None:
            if frame in at.pages:
                return at.pages[frame]
            at = at.before
        return _ZERO_PAGE


def take(ram: Ram, tlb: Tlb, before: Snapshot | None, clock: int, retired: int) -> Snapshot:
    """A snapshot over `before`, which must be the last that was taken or restored."""
    tlb.close_stores()
    first = ram.first_ppn
    pages = {frame: ram.read(frame + first << PAGE_SHIFT, PAGE) for frame in ram.take_dirty()}
    return Snapshot(before, pages, clock, retired)


def restore(ram: Ram, tlb: Tlb, base: Snapshot | None, target: Snapshot) -> None:
    """Make RAM what it was at `target`, from a state that is `base` plus what is dirty."""
    for frame in sorted(set(ram.dirty) | _differing(base, target)):
        ram.write(frame + ram.first_ppn << PAGE_SHIFT, target.page(frame))
    ram.take_dirty()
    tlb.sfence(None, None)


def _differing(base: Snapshot | None, target: Snapshot | None) -> set[int]:
    """Frames that some snapshot holds between the two and the last one common to both."""
    frames: set[int] = set()
    while base is not target:
        if target is None or (base is not None and base.depth >= target.depth):
            assert base is not None
            frames |= base.pages.keys()
            base = base.before
        else:
            frames |= target.pages.keys()
            target = target.before
    return frames
