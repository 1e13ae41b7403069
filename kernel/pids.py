"""Process ids: handed out upwards, wrapping at pid_max, and never twice while anybody goes by one.

A number is taken as long as it names a task, a thread group (a zombie too: it is free only after the reap), a process
group or a session: each of those has one hold on it. Free numbers are bits that are 1, 1024 to a word, with one more
word that says which words have any, so that finding the next one costs the same however many are taken.
"""

from __future__ import annotations

from typing import Any

from kernel.errno import EAGAIN, EEXIST, SysError

RESERVED = 300  # after the first round, numbers below are left to those who had them at boot (Linux's RESERVED_PIDS)
_BITS = 1024


class Pids:
    """Numbers 1 to pid_max - 1. `alloc` gives a number with one hold; every hold is matched by one `release`."""

    __slots__ = ("pid_max", "_free", "_words", "_next", "_holds", "_births", "given")

    def __init__(self, pid_max: int) -> None:
        self.pid_max = pid_max
        words = -(-pid_max // _BITS)
        self._free = [(1 << _BITS) - 1] * words
        self._free[-1] = (1 << (pid_max - (words - 1) * _BITS)) - 1
        self._free[0] &= ~1  # 0 is no pid
        self._words = (1 << words) - 1  # bit i: _free[i] isn't 0
        self._next = 1
        self._holds: dict[int, int] = {}
        self._births: dict[int, tuple[int, int]] = {}
        self.given = 0  # how many numbers were handed out so far

    def alloc(self, now: int = 0) -> int:
        """The next free number above the last one, wrapping at pid_max. SysError(EAGAIN) if there is none.

        `now` is the clock in ns: when whoever gets the number was born.
        """
        pid = self._at_or_above(self._next)
        if pid is None:
            pid = self._at_or_above(RESERVED if self.pid_max > RESERVED else 2)
        if pid is None:
            raise SysError(EAGAIN)
        self._next = pid + 1
        self._give(pid, now)
        return pid

    def take(self, pid: int, now: int = 0) -> None:
        """This number, which lies in 1 to pid_max - 1, with one hold. SysError(EEXIST) if it is taken."""
        if pid in self._holds:
            raise SysError(EEXIST)
        self._give(pid, now)

    def _give(self, pid: int, now: int) -> None:
        self._set_taken(pid)
        self._holds[pid] = 1
        self.given += 1
        self._births[pid] = (self.given, now)

    def serial(self, pid: int) -> int:
        """Which of all numbers handed out this one is, counted from 1: tells two users of a number apart. 0: free."""
        return self._births.get(pid, (0, 0))[0]

    def born(self, pid: int) -> int:
        """The clock in ns when a number that is taken was handed out."""
        return self._births[pid][1]

    def next_taken(self, pid: int) -> int | None:
        """The lowest number not below `pid` that is taken."""
        while pid < self.pid_max:
            word, bit = divmod(pid, _BITS)
            taken = (~self._free[word] & (1 << _BITS) - 1) >> bit
            pid = pid + _lowest(taken) if taken else (word + 1) * _BITS
            if pid in self._holds:
                return pid
            pid += bool(taken)
        return None

    @property
    def last(self) -> int:
        """The number handed out last."""
        return self._next - 1

    def hold(self, pid: int) -> None:
        """One more thing goes by this number, which is taken already."""
        self._holds[pid] += 1

    def release(self, pid: int) -> None:
        """One thing less goes by this number; the last one frees it."""
        holds = self._holds[pid] - 1
        if holds:
            self._holds[pid] = holds
            return
        del self._holds[pid], self._births[pid]
        self._free[pid // _BITS] |= 1 << pid % _BITS
        self._words |= 1 << pid // _BITS

    def holds(self) -> dict[int, int]:
        """Every number that is taken, with its holds. For the checker."""
        return dict(sorted(self._holds.items()))

    def snapshot(self) -> tuple[Any, ...]:
        """Plain data for `restore`."""
        return list(self._free), self._words, self._next, dict(self._holds), dict(self._births), self.given

    def restore(self, data: tuple[Any, ...]) -> None:
        """Takes back what `snapshot` gave."""
        free, self._words, self._next, holds, births, self.given = data
        self._free, self._holds, self._births = list(free), dict(holds), dict(births)

    def _at_or_above(self, pid: int) -> int | None:
        """The lowest free number that isn't below `pid`."""
        if pid >= self.pid_max:
            return None
        word, bit = divmod(pid, _BITS)
        here = self._free[word] >> bit
        if here:
            return pid + _lowest(here)
        later = self._words >> word + 1
        if not later:
            return None
        word += 1 + _lowest(later)
        return word * _BITS + _lowest(self._free[word])

    def _set_taken(self, pid: int) -> None:
        word = pid // _BITS
        self._free[word] &= ~(1 << pid % _BITS)
        if not self._free[word]:
            self._words &= ~(1 << word)


def _lowest(bits: int) -> int:
    """The number of the lowest bit that is 1."""
    return (bits & -bits).bit_length() - 1
