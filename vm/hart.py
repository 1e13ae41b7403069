"""A hart's registers in one block of memory, which every engine uses in place."""

from __future__ import annotations

from vm.isa.expr import NO_RESERVATION

#: Word indices in the block: x0 to x31 come first.
PC, SATP, RESERVATION = 32, 33, 34
#: Where native code writes what goes to x0: no state.
SINK = 63
WORDS = 64
_STATE = SINK * 8
_MASK = (1 << 64) - 1


class Hart:
    """The user-visible registers of one task: x0..x31, pc, satp and the reservation of lr/sc.

    `x` is a memoryview of 64-bit words: x[0] to x[31] are the registers; x[0] is 0 and is never written.
    A context switch passes another Hart to Machine.run and copies nothing.
    """

    __slots__ = ("address", "block", "x")

    def __init__(self, saved: bytes | None = None) -> None:
        self.block = bytearray(WORDS * 8)
        self.x: memoryview = memoryview(self.block).cast("Q")
        self.address = 0  # where native code finds the block: `locate` says it
        if saved is None:
            self.clear_reservation()
        else:
            self.load(saved)

    @property
    def pc(self) -> int:
        """The address of the next instruction."""
        return int(self.x[PC])

    @pc.setter
    def pc(self, value: int) -> None:
        self.x[PC] = value & _MASK

    @property
    def satp(self) -> int:
        """Mode, ASID and root page table, as in Privileged, "satp": see mmu.make_satp."""
        return int(self.x[SATP])

    @satp.setter
    def satp(self, value: int) -> None:
        self.x[SATP] = value & _MASK

    @property
    def reservation(self) -> int:
        """The address that lr reserved, or NO_RESERVATION."""
        return int(self.x[RESERVATION])

    def locate(self) -> int:
        """The host address of the block, which is `address` from now on."""
        from ctypes import addressof, c_char

        self.address = addressof(c_char.from_buffer(self.block))
        return self.address

    def clear_reservation(self) -> None:
        """What a switch of task does: the next sc fails."""
        self.x[RESERVATION] = NO_RESERVATION

    def save(self) -> bytes:
        """The whole state, as bytes."""
        return bytes(self.block[:_STATE])

    def load(self, saved: bytes) -> None:
        """Become what save() gave."""
        self.block[: len(saved)] = saved

    def __reduce__(self) -> tuple[type[Hart], tuple[bytes]]:
        return Hart, (self.save(),)
