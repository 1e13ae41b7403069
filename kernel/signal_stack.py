"""sigaltstack(2): a second stack, for handlers with SA_ONSTACK. As Linux's do_sigaltstack."""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel.errno import EINVAL, ENOMEM, EPERM, SysError
from kernel.task import NO_STACK

if TYPE_CHECKING:
    from kernel.task import Task

SS_ONSTACK, SS_DISABLE, SS_AUTODISARM = 1, 2, 1 << 31
MINSIGSTKSZ = 2048
SIZE = 24  # struct stack_t: address, flags (32 bits), size


def holds(t: Task, sp: int) -> bool:
    """Does a stack pointer lie on the task's alternate stack? (Never, on one that is taken away when it is used.)"""
    address, size, flags = t.altstack
    return not flags & SS_AUTODISARM and address < sp <= address + size


def describe(t: Task, sp: int) -> bytes:
    """The stack_t that the program sees: whether it stands on the stack now is in it."""
    address, size, flags = t.altstack
    state = SS_DISABLE if not size else SS_ONSTACK if holds(t, sp) else 0
    return pack("<QIIQ", address, state | flags & SS_AUTODISARM, 0, size)


def change(t: Task, sp: int, data: bytes) -> None:
    """Takes a stack_t. SysError EPERM (on it now), EINVAL (flags), ENOMEM (too small)."""
    address, flags, _, size = unpack("<QIIQ", data)
    if holds(t, sp):
        raise SysError(EPERM)
    mode = flags & ~SS_AUTODISARM
    if mode not in (0, SS_ONSTACK, SS_DISABLE):
        raise SysError(EINVAL)
    if mode == SS_DISABLE:
        t.altstack = (0, 0, flags)
        return
    if size < MINSIGSTKSZ:
        raise SysError(ENOMEM)
    t.altstack = (address, size, flags)


def enter(t: Task, sp: int) -> int:
    """Where the frame of a handler with SA_ONSTACK begins to grow down from."""
    address, size, _ = t.altstack
    return address + size if size and not holds(t, sp) else sp


def disarm(t: Task) -> None:
    """A handler has begun: an SS_AUTODISARM stack is forgotten until it returns."""
    if t.altstack[2] & SS_AUTODISARM:
        t.altstack = NO_STACK
