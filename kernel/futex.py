"""futex(2): a word in a program's memory that tasks can sleep on until another one says so.

The kernel keeps nothing of a futex but who waits on it. What is the same futex is decided by its key:

    ("futex", mm, address)           FUTEX_PRIVATE_FLAG: the address, among tasks with one memory
    ("futex-mm", mm, address)        without the flag, in memory that is nobody else's
    ("futex-file", inode, offset)    without the flag, in a shared mapping: the place in what is mapped

The first two never meet, as on Linux: a waiter with the flag isn't woken by a waker without it.
A waiter's `pending.progress` is the bitset it waits with, or WOKEN. Source: kernel/futex/ in Linux.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kernel import scheduler, signals
from kernel.errno import EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT, SysError
from kernel.mm import PROT_WRITE, SHARED, TASK_SIZE, find
from kernel.user_memory import copy_in, copy_out
from kernel.wait_queues import NO_HANDLER, RESTART, WaitKey, WouldBlock
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

ANY = 0xFFFFFFFF  # FUTEX_BITSET_MATCH_ANY
WOKEN = 0
_MASK = 0xFFFFFFFF


def key_of(k: Kernel, t: Task, address: int, shared: bool) -> WaitKey:
    """Which futex is at `address`? SysError EINVAL (not aligned), EFAULT."""
    if address % 4:
        raise SysError(EINVAL)
    if address > TASK_SIZE - 4:
        raise SysError(EFAULT)
    if not shared:
        return ("futex", t.mm, address)
    copy_in(k, t, address, 4)
    vma = find(k.mms.peek(t.mm), address)
    assert vma is not None
    offset = vma.offset + address - vma.start
    if vma.flags & SHARED:
        return ("futex-file", vma.inode, offset)
    if vma.prot & PROT_WRITE:
        return ("futex-mm", t.mm, address)
    frame = k.machine.translate(t.hart, address, "load") // PAGE
    if not vma.inode or frame != k.page_cache.present(vma.inode, offset // PAGE):
        raise SysError(EFAULT)  # a private page that can only be read: no store could ever wake anybody
    return ("futex-file", vma.inode, offset)


def load(k: Kernel, t: Task, address: int) -> int:
    """The futex's value. SysError(EFAULT)."""
    return int.from_bytes(copy_in(k, t, address, 4), "little")


def wait(k: Kernel, t: Task, address: int, shared: bool, value: int, bitset: int, deadline: int | None) -> int:
    """FUTEX_WAIT_BITSET: sleeps while the word is `value`. 0 if woken.

    SysError EAGAIN (it is another value), ETIMEDOUT, EINVAL (no bit to wait for), EFAULT.
    """
    restart = RESTART if deadline is None else NO_HANDLER
    if t.pending is not None:
        if t.pending.progress == WOKEN:
            return 0
        if deadline is not None and k.now >= deadline:
            raise SysError(ETIMEDOUT)
        if signals.interrupts(k, t, restart):
            raise WouldBlock(t.pending.keys, deadline, bitset, restart)
    if not bitset:
        raise SysError(EINVAL)
    key = key_of(k, t, address, shared)
    if load(k, t, address) != value:
        raise SysError(EAGAIN)
    if deadline is not None and k.now >= deadline:
        raise SysError(ETIMEDOUT)
    raise WouldBlock(key, deadline, bitset, restart)


def wake(k: Kernel, key: WaitKey, count: int, bitset: int = ANY) -> int:
    """Wakes those who wait for one of the bits, first come first: `count` of them, one at least. Returns how many."""
    chosen = []
    for tid in k.wait_queues.queue(key):
        pending = k.tasks.peek(tid).pending
        assert pending is not None
        if cast("int", pending.progress) & bitset:
            chosen.append(tid)
            if len(chosen) >= count:
                break
    for tid in chosen:
        _wake_one(k, tid, key)
    return len(chosen)


def _wake_one(k: Kernel, tid: int, key: WaitKey) -> None:
    t = k.tasks[tid]
    assert t.pending is not None
    scheduler.unblock(k, t, key)
    t.pending = t.pending._replace(progress=WOKEN)


def requeue(k: Kernel, key: WaitKey, other: WaitKey, wakes: int, moves: int) -> int:
    """FUTEX_REQUEUE: wakes some and lets up to `moves` others wait on `other` instead; returns how many of both."""
    tids = k.wait_queues.waiting(key)[: wakes + moves]
    for tid in tids[:wakes]:
        _wake_one(k, tid, key)
    for tid in tids[wakes:]:
        if key != other:
            scheduler.requeue(k, k.tasks[tid], (other,))
    return len(tids)


def operate(k: Kernel, t: Task, address: int, encoded: int) -> bool:
    """FUTEX_WAKE_OP's operation on the second word; was the comparison with its old value true?

    SysError ENOSYS for an operation, or (after the store) a comparison, that there isn't; EFAULT.
    """
    operation, comparison = encoded >> 28 & 7, encoded >> 24 & 15
    argument, other = _signed(encoded >> 12, 12), _signed(encoded, 12)
    if encoded >> 31:
        argument = 1 << (argument & 31)
    old = load(k, t, address)
    new = {0: argument, 1: old + argument, 2: old | argument, 3: old & ~argument, 4: old ^ argument}.get(operation)
    if new is None:
        raise SysError(ENOSYS)
    copy_out(k, t, address, (new & _MASK).to_bytes(4, "little"))
    value = _signed(old, 32)
    results = (value == other, value != other, value < other, value <= other, value > other, value >= other)
    if comparison >= len(results):
        raise SysError(ENOSYS)
    return results[comparison]


def _signed(value: int, bits: int) -> int:
    """The low `bits` bits as a signed number."""
    sign = 1 << bits - 1
    return (value & 2 * sign - 1 ^ sign) - sign
