"""Sv39 as the privileged manual says it, step by step and as plainly as can be: what the MMU is compared with.

Written from "Virtual Address Translation Process" and "Sv39" of the privileged manual, not from vm/mmu.py.
The hardware sets A and D (Svadu); all accesses are from U-mode, without MXR and SUM.
"""

from __future__ import annotations

from typing import NamedTuple

V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))

PAGE_FAULT = {"load": 13, "store": 15, "fetch": 12}
ACCESS_FAULT = {"load": 5, "store": 7, "fetch": 1}
MISALIGNED = {"load": 4, "store": 6}


class Fault(Exception):
    """cause and tval of an exception."""

    def __init__(self, cause: int, tval: int) -> None:
        self.cause, self.tval = cause, tval
        super().__init__(f"cause {cause}, tval {tval:#x}")


class Access(NamedTuple):
    """What a program does: kind "load", "store", "lr", "amo" or "fetch", at an address, so many bytes."""

    kind: str
    va: int
    size: int


class Elsewhere(Exception):
    """Memory that the model has, but knows nothing about."""


class Model:
    """`ram` (addresses) is memory, of which only `slot` from `base` on is known; the root table is its first frame."""

    def __init__(self, slot: bytearray, base: int, ram: range) -> None:
        self.slot, self.base, self.ram = slot, base, ram

    def places(self, access: Access) -> list[tuple[int, int]]:
        """The (physical address, bytes) that an access touches: two where it crosses a page. Raises Fault.

        A and D are set. A fault in the second page leaves the first page's D as it was: updates of D must be
        exact ("Svade/Svadu, ordering on PTE updates"), and nothing is written. Its A may be set (speculation).
        """
        kind = {"lr": "load", "amo": "store"}.get(access.kind, access.kind)
        if access.kind in ("lr", "amo") and access.va % access.size:
            raise Fault(MISALIGNED[kind], access.va)
        room = 4096 - access.va % 4096
        if access.size <= room:
            return [(self.translate(access.va, kind), access.size)]
        beyond = (access.va + room) % (1 << 64)
        if kind == "store":
            self.translate(access.va, kind, update=False)
            second = self.translate(beyond, kind)
            return [(self.translate(access.va, kind), room), (second, access.size - room)]
        return [(self.translate(access.va, kind), room), (self.translate(beyond, kind), access.size - room)]

    def translate(self, va: int, kind: str, update: bool = True) -> int:
        """The physical address of one byte."""
        upper = va >> 38
        if upper not in (0, (1 << 26) - 1):  # bits 63 to 39 must equal bit 38
            raise Fault(PAGE_FAULT[kind], va)
        a = self.base
        i = 2
        while True:
            vpn = va >> (12 + 9 * i) & 0x1FF
            at = a + vpn * 8
            if at not in self.ram:
                raise Fault(ACCESS_FAULT[kind], va)
            pte = int.from_bytes(self.read(at, 8), "little")
            ppn = pte >> 10 & (1 << 44) - 1
            reserved = pte >> 54  # no Svnapot, no Svpbmt
            if pte & V == 0 or (pte & R == 0 and pte & W != 0) or reserved:
                raise Fault(PAGE_FAULT[kind], va)
            if pte & R or pte & X:
                break
            if pte & (A | D | U):  # reserved in a pointer to the next level
                raise Fault(PAGE_FAULT[kind], va)
            i -= 1
            if i < 0:
                raise Fault(PAGE_FAULT[kind], va)
            a = ppn * 4096
        allowed = pte & {"load": R, "store": W, "fetch": X}[kind]
        misaligned_superpage = ppn % (1 << 9 * i)
        if not allowed or not pte & U or misaligned_superpage:
            raise Fault(PAGE_FAULT[kind], va)
        size_of_page = 4096 << 9 * i
        pa = ppn * 4096 + va % size_of_page
        if update:
            pte |= A | (D if kind == "store" else 0)
            self.write(at, pte.to_bytes(8, "little"))
        if pa not in self.ram:
            raise Fault(ACCESS_FAULT[kind], va)
        return pa

    def read(self, pa: int, size: int) -> bytes:
        """Bytes of physical memory."""
        at = self._index(pa)
        return bytes(self.slot[at : at + size])

    def write(self, pa: int, data: bytes) -> None:
        """Change physical memory."""
        at = self._index(pa)
        self.slot[at : at + len(data)] = data

    def _index(self, pa: int) -> int:
        if not self.base <= pa < self.base + len(self.slot):
            raise Elsewhere
        return pa - self.base
