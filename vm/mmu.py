"""Sv39 (Privileged, "Sv39: Page-Based 39-bit Virtual-Memory System"): page tables in RAM, walked as the manual says.

A virtual address:   | sign 63:39 | VPN[2] 38:30 | VPN[1] 29:21 | VPN[0] 20:12 | offset 11:0 |
A page table entry:  | reserved 63:54 | PPN 53:10 | RSW 9:8 | D 7 | A 6 | G 5 | U 4 | X 3 | W 2 | R 1 | V 0 |

All accesses are from U-mode. The hardware sets A and D itself (Svadu).
"""

from __future__ import annotations

from vm.ram import CODE, DIRTY, OPEN, PAGE, PAGE_SHIFT, RAM_BASE, Ram
from vm.tlb import AddressSpace, Tlb
from vm.trap import Cause, HardwareFault

PTE_V, PTE_R, PTE_W, PTE_X, PTE_U, PTE_G, PTE_A, PTE_D = (1 << bit for bit in range(8))
#: Bits that the hardware ignores and the kernel may use.
PTE_RSW = 0b11 << 8
PTE_RESERVED = 0x3FF << 54
PPN_MASK = (1 << 44) - 1
SATP_SV39 = 8
BARE = -1
_OFFSET = PAGE - 1
#: The bits of an entry that must be those of PTE_V alone for it to point to the next table.
_POINTER_BITS = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | PTE_U | PTE_RESERVED
#: Bits 63:38 of the highest addresses: an address is the sign extension of its low 39 bits.
_HIGHEST = (1 << 26) - 1

_PAGE_FAULT = {"load": Cause.LOAD_PAGE, "store": Cause.STORE_PAGE, "fetch": Cause.FETCH_PAGE}
_ACCESS_FAULT = {"load": Cause.LOAD_ACCESS, "store": Cause.STORE_ACCESS, "fetch": Cause.FETCH_ACCESS}
_NEEDED = {"load": PTE_V | PTE_U | PTE_R, "store": PTE_V | PTE_U | PTE_W, "fetch": PTE_V | PTE_U | PTE_X}
_MARKS = {"load": PTE_A, "store": PTE_A | PTE_D, "fetch": PTE_A}


def make_satp(asid: int, root_ppn: int) -> int:
    """The satp register for Sv39: mode 8, a 16-bit ASID, the ppn of the root table."""
    return SATP_SV39 << 60 | asid << 44 | root_ppn


def asid_of(satp: int) -> int:
    """The key of satp's entries in the TLB: its ASID, or BARE when translation is off."""
    return satp >> 44 & 0xFFFF if satp >> 60 else BARE


def ppn_of(pte: int) -> int:
    """The physical page number in a page table entry."""
    return pte >> 10 & PPN_MASK


def make_pte(ppn: int, flags: int) -> int:
    """A page table entry for frame `ppn` with PTE_ flags."""
    return ppn << 10 | flags


class PageFault(HardwareFault):
    """A page or access fault: `cause` and `tval` (the virtual address) as in Trap."""


class Mmu:
    """Translates virtual addresses of a satp, through the TLB."""

    def __init__(self, ram: Ram, tlb: Tlb) -> None:
        self.ram, self.tlb = ram, tlb

    def translate(self, satp: int, va: int, access: str) -> int:
        """The physical address of `va` for access "load", "store" or "fetch"; fills the TLB, sets A and D.

        Raises PageFault. After a "store" the frame is marked dirty; the caller writes through Ram.write if
        the frame may hold code.
        """
        page = va & ~_OFFSET
        space = self.tlb.space(asid_of(satp))
        offset = getattr(space, access).get(page)
        if offset is None:
            offset = self._fill(space, satp, va, page, access)
        return int(va + offset + RAM_BASE)

    def _fill(self, space: AddressSpace, satp: int, va: int, page: int, access: str) -> int:
        """Walk, and keep the translation if nothing stands against it."""
        if access == "fetch":
            self.tlb.fetch_misses += 1
        else:
            self.tlb.misses += 1
        frame_pa = self._frame(satp, va, access, _MARKS[access])
        offset = frame_pa - RAM_BASE - page
        frame = frame_pa - RAM_BASE >> PAGE_SHIFT
        if access != "store" or self._open(frame):
            self.tlb.made_entry()
            space.insert(access, page, offset)
        return offset

    def check(self, satp: int, va: int, access: str) -> int:
        """What translate would return or raise, and change nothing."""
        return self._frame(satp, va, access, 0) | va & _OFFSET

    def is_settled(self, satp: int, va: int, access: str) -> bool:
        """Whether `translate` would succeed, and leave all page table entries as they are."""
        try:
            self._frame(satp, va, access, 0)
        except PageFault:
            return False
        return not satp >> 60 or self._leaf_entry(satp, va) & _MARKS[access] == _MARKS[access]

    def _leaf_entry(self, satp: int, va: int) -> int:
        """The leaf entry of an address that has one."""
        table = satp & PPN_MASK
        for shift in (30, 21, 12):
            pte = self.ram.read64((table << PAGE_SHIFT) + (va >> shift & 511) * 8)
            if pte & _POINTER_BITS != PTE_V:
                break
            table = pte >> 10 & PPN_MASK
        return pte

    def _frame(self, satp: int, va: int, access: str, marks: int) -> int:
        """The physical address of the 4 KiB frame of `va`, in RAM; its leaf entry gets the bits `marks`."""
        frame_pa = self._walk(satp, va, access, marks) if satp >> 60 else va & ~_OFFSET
        if not self.ram.contains(frame_pa, PAGE):
            raise PageFault(_ACCESS_FAULT[access], va)
        return frame_pa

    def _open(self, frame: int) -> bool:
        """Before stores may reach a frame unseen: mark it. False if it holds translated code: each store is seen."""
        self.ram.mark_dirty(frame)
        if self.ram.flags[frame] & CODE:
            return False
        self.ram.flags[frame] |= OPEN | DIRTY
        return True

    def _walk(self, satp: int, va: int, access: str, marks: int) -> int:
        """The physical address of the 4 KiB frame of `va` (Privileged, "Virtual Address Translation Process").

        A hot path: it reads RAM's words itself.
        """
        if va >> 38 and va >> 38 != _HIGHEST:
            raise PageFault(_PAGE_FAULT[access], va)
        words, size = self.ram.words64, self.ram.size
        table = ((satp & PPN_MASK) << PAGE_SHIFT) - RAM_BASE
        for shift in (30, 21, 12):
            at = table + (va >> shift & 511) * 8
            if not 0 <= at < size:
                raise PageFault(_ACCESS_FAULT[access], va)
            pte = words[at >> 3]
            if pte & _POINTER_BITS != PTE_V:
                return self._leaf(pte, at, shift, va, access, marks)
            table = ((pte >> 10 & PPN_MASK) << PAGE_SHIFT) - RAM_BASE
        raise PageFault(_PAGE_FAULT[access], va)

    def _leaf(self, pte: int, at: int, shift: int, va: int, access: str, marks: int) -> int:
        """Check a leaf, or what is no table: its bits, permissions and alignment; set the bits `marks` in it."""
        below = (1 << shift) - PAGE
        pa = (pte >> 10 & PPN_MASK) << PAGE_SHIFT
        needed = _NEEDED[access]
        if pte & needed != needed or pte & PTE_RESERVED or pte & (PTE_R | PTE_W) == PTE_W or pa & below:
            raise PageFault(_PAGE_FAULT[access], va)
        if shift > PAGE_SHIFT:
            self.tlb.superpages[0] = 1
        wanted = pte | marks
        if wanted != pte:
            self.ram.write64(at + RAM_BASE, wanted)
        return pa | va & below
