"""Traps as values: why the hart stopped, and where."""

from __future__ import annotations

from typing import NamedTuple

from vm.isa.cause import Cause

__all__ = ["Cause", "Exit", "HardwareFault", "Trap", "trapped"]


class Trap(NamedTuple):
    """A trap as the manual describes it: `cause` (a Cause), the pc of the trapping instruction, and tval.

    tval is the faulting address for page, access and misaligned faults, the instruction word for ILLEGAL, the
    target for INSTRUCTION_MISALIGNED, the pc for BREAKPOINT, and 0 for ECALL (Privileged, stval).
    """

    cause: int
    pc: int
    tval: int


class Exit(NamedTuple):
    """Why a run ended: after `retired` instructions, by a trap, or with trap None because the budget is used up."""

    retired: int
    trap: Trap | None


_tuple = tuple.__new__


def trapped(retired: int, cause: int, pc: int, tval: int) -> Exit:
    """Exit(retired, Trap(cause, pc, tval)), made in half the time: each system call needs one."""
    return _tuple(Exit, (retired, _tuple(Trap, (cause, pc, tval))))


class HardwareFault(Exception):
    """An access that the hardware refuses: `cause` and `tval` as in Trap. Never leaves run()."""

    def __init__(self, cause: int, tval: int) -> None:
        self.cause, self.tval = cause, tval

    def __str__(self) -> str:
        return f"cause {self.cause} at {self.tval:#x}"
