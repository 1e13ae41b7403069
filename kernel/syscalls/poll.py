"""System calls that wait for files to become ready: ppoll and pselect6 (riscv64 has no poll and no select).

Both answer from kernel/fs/readiness.py. A call that finds nothing waits on the keys of all its files at once; whatever
wakes it makes it look at them all again.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel import itimer, limits, signals
from kernel.errno import EBADF, EFAULT, EINVAL, SysError
from kernel.fs import readiness
from kernel.fs.readiness import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_in_words, copy_out
from kernel.wait_queues import NO_HANDLER, WaitKey, WouldBlock

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

NS = 1_000_000_000
SET_SIZE = 8  # bytes of a sigset_t
# What select's three sets ask for: fs/select.c.
SELECT_IN = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL
SELECT_OUT = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL
SELECT_EXCEPT = POLLPRI | POLLNVAL
_SETS = (SELECT_IN, SELECT_OUT, SELECT_EXCEPT)
_SIGNAL: WaitKey = ("signal",)  # what somebody waits on who waits for no file

Look = Callable[[], tuple[int, list[WaitKey]]]


@syscall(73, "ppoll", "fds*", "nfds", "timeout*", "mask*", "size")
def sys_ppoll(k: Kernel, t: Task, fds: int, count: int, timeout: int, mask: int, size: int) -> int:
    """ppoll(2). Raises EFAULT, EINVAL (timeout, size of the set, more files than a process may have), EINTR."""
    deadline = _begin(k, t, timeout, mask, size)

    def look() -> tuple[int, list[WaitKey]]:
        if count & 0xFFFFFFFF > limits.soft(k, t, limits.NOFILE):
            raise SysError(EINVAL)
        return _look_at_all(k, t, fds, count & 0xFFFFFFFF)

    return _wait(k, t, deadline, timeout, look)


def _look_at_all(k: Kernel, t: Task, fds: int, count: int) -> tuple[int, list[WaitKey]]:
    """Stores what each struct pollfd's file is ready for; how many are, and what to wait on for the others."""
    data, ready = bytearray(copy_in(k, t, fds, 8 * count)), 0
    keys: list[WaitKey] = []
    for at in range(0, 8 * count, 8):
        fd, wanted, _ = unpack("<iHH", data[at : at + 8])
        found = 0
        if fd >= 0:
            state = readiness.of_descriptor(k, t, fd, wanted)
            found = state.mask & (wanted | POLLERR | POLLHUP | POLLNVAL)
            ready += found != 0
            keys += state.keys
        data[at + 6 : at + 8] = pack("<H", found)
    if ready or t.pending is None:
        for at in range(0, 8 * count, 8):
            copy_out(k, t, fds + at + 6, data[at + 6 : at + 8])
    return ready, keys


@syscall(72, "pselect6", "n", "readfds*", "writefds*", "exceptfds*", "timeout*", "mask*")
def sys_pselect6(k: Kernel, t: Task, n: int, reads: int, writes: int, excepts: int, timeout: int, mask: int) -> int:
    """pselect6(2). Raises EBADF, EFAULT, EINVAL, EINTR. `mask` points to a pointer to the set, and its size."""
    address, size = copy_in_words(k, t, mask, 2) if mask and t.pending is None else (0, SET_SIZE)
    deadline = _begin(k, t, timeout, address, size)

    def look() -> tuple[int, list[WaitKey]]:
        if signed32(n) < 0:
            raise SysError(EINVAL)
        return _select(k, t, min(signed32(n), _table_size(k, t)), (reads, writes, excepts), _is_over(k, deadline))

    return _wait(k, t, deadline, timeout, look)


def _table_size(k: Kernel, t: Task) -> int:
    """Descriptors that fit into the process's table as Linux would have grown it: select looks at no more."""
    size, highest = 64, max(k.fdtables.peek(t.fdtable).slots, default=0)
    while size <= highest:
        size *= 2
    return size


def _select(k: Kernel, t: Task, n: int, places: tuple[int, ...], over: bool) -> tuple[int, list[WaitKey]]:
    """As _look_at_all. The sets are written only when the call ends: `over`, or something is ready."""
    size = (n + 63) // 64 * 8
    inside = (1 << n) - 1
    sets = [int.from_bytes(copy_in(k, t, place, size), "little") & inside if place else 0 for place in places]
    found, keys = _look_at_sets(k, t, sets)
    ready = sum(bits.bit_count() for bits in found)
    if ready or (over and not signals.interrupts(k, t, NO_HANDLER)):
        for place, bits in zip(places, found, strict=True):
            if place:
                copy_out(k, t, place, bits.to_bytes(size, "little"))
    return ready, keys


def _look_at_sets(k: Kernel, t: Task, sets: list[int]) -> tuple[list[int], list[WaitKey]]:
    """Which bits of each set are ready, and what to wait on for all. Raises EBADF."""
    asked, found = sets[0] | sets[1] | sets[2], [0, 0, 0]
    keys: list[WaitKey] = []
    slots = k.fdtables.peek(t.fdtable).slots
    while asked:
        bit = asked & -asked
        asked -= bit
        fd = bit.bit_length() - 1
        if fd not in slots:
            raise SysError(EBADF)
        wanted = sum(_SETS[i] for i in range(3) if sets[i] & bit)
        state = readiness.of(k, t, slots[fd][0], wanted)
        keys += state.keys
        for i in range(3):
            found[i] |= bit if sets[i] & bit and state.mask & _SETS[i] else 0
    return found, keys


def _begin(k: Kernel, t: Task, timeout: int, mask: int, size: int) -> int | None:
    """The first time: the deadline (None: never, 0: at once), and the caller's mask is replaced. Later: the deadline.

    Raises EFAULT, EINVAL.
    """
    if t.pending is not None:
        return t.pending.deadline
    deadline = None
    if timeout:
        seconds, ns = unpack("<2q", copy_in(k, t, timeout, 16))
        if seconds < 0 or not 0 <= ns < NS:
            raise SysError(EINVAL)
        wait = int(seconds * NS + ns)
        deadline = min(k.now + wait, itimer.LAST) if wait else 0
    if mask:
        if size != SET_SIZE:
            raise SysError(EINVAL)
        blocked = int.from_bytes(copy_in(k, t, mask, SET_SIZE), "little")
        t.saved_mask = t.blocked
        signals.set_blocked(k, t, blocked)
    return deadline


def _is_over(k: Kernel, deadline: int | None) -> bool:
    return deadline is not None and k.now >= deadline


def _wait(k: Kernel, t: Task, deadline: int | None, timeout: int, look: Look) -> int:
    """`look` until something is ready, the deadline has passed or a signal comes; what is left of the time is stored.

    A signal that waits already wins against a time that is over, but not against a file that is ready.
    """
    try:
        ready, keys = look()
    except SysError:
        _store_rest(k, t, deadline, timeout)
        raise
    interrupted = signals.interrupts(k, t, NO_HANDLER)
    if ready or (_is_over(k, deadline) and not (interrupted and t.pending is None)):
        _store_rest(k, t, deadline, timeout)
        return ready
    if interrupted:
        _store_rest(k, t, deadline, timeout)
    raise WouldBlock(tuple(dict.fromkeys(keys)) or _SIGNAL, deadline, restart=NO_HANDLER)


def _store_rest(k: Kernel, t: Task, deadline: int | None, timeout: int) -> None:
    """Linux stores what is left, unless the timeout was 0; where that can't be written, the result is the same."""
    if not timeout or not deadline:
        return
    try:
        copy_out(k, t, timeout, pack("<2q", *divmod(max(deadline - k.now, 0), NS)))
    except SysError as error:
        if error.errno != EFAULT:
            raise
