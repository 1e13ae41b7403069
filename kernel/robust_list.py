"""Robust futexes: a thread that ends with locks in its hands marks them, so that others can tell: get_robust_list(2).

The list is the program's own, in its memory; the kernel knows its head only, and trusts nothing of it:

    head →   0 first entry | 8 offset from an entry to its futex | 16 entry being locked or unlocked, or 0
    entry →  0 next entry, at last the head again; bit 0 says that the lock is a PI one

Source: exit_robust_list and handle_futex_death in Linux's kernel/futex/core.c.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kernel import futex
from kernel.errno import SysError
from kernel.user_memory import copy_in_words, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

HEAD_SIZE = 24
MOST = 2048  # entries looked at: a list may be a ring
WAITERS, OWNER_DIED, TID_MASK = 0x80000000, 0x40000000, 0x3FFFFFFF
_MASK = (1 << 64) - 1


class _Broken(Exception):
    """A futex of the list can't be reached: the walk ends here, and the pending entry isn't looked at either."""


def walk(k: Kernel, t: Task) -> None:
    """The task gives up its memory: the locks it holds are marked, as far as the list can be followed."""
    head, t.robust_list = t.robust_list, 0
    with suppress(SysError, _Broken):
        first, offset, pending = copy_in_words(k, t, head, 3)
        try:
            _walk_entries(k, t, head, first, offset, pending & ~1)
        except SysError:
            return  # an entry that can't be read
        if pending & ~1:
            _bury(k, t, (pending & ~1) + offset, bool(pending & 1), True)


def _walk_entries(k: Kernel, t: Task, head: int, entry: int, offset: int, pending: int) -> None:
    for _ in range(MOST):
        pi, entry = bool(entry & 1), entry & ~1
        if entry == head:
            return
        error = None
        following = 0
        try:
            following = copy_in_words(k, t, entry, 1)[0]  # before anybody is woken who might free it
        except SysError as caught:
            error = caught
        if entry != pending:
            _bury(k, t, entry + offset, pi, False)
        if error is not None:
            raise error
        entry = following


def _bury(k: Kernel, t: Task, address: int, pi: bool, pending: bool) -> None:
    """One lock: if it is the task's, its owner has died, and one who waits for it shall see that. Raises _Broken."""
    address &= _MASK
    if address % 4:
        raise _Broken
    try:
        value = futex.load(k, t, address)
        owner = value & TID_MASK
        if owner == t.tid:
            copy_out(k, t, address, (value & WAITERS | OWNER_DIED).to_bytes(4, "little"))
    except SysError:
        raise _Broken from None
    unlocked_without_a_wake = pending and not pi and not owner
    if unlocked_without_a_wake or (owner == t.tid and not pi and value & WAITERS):
        with suppress(SysError):
            futex.wake(k, futex.key_of(k, t, address, True), 1)
