"""Memory runs out in the middle of fork or exec, at every point where it can: ENOMEM, and no frame is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel.check import check, check_end
from kernel.errno import ENOMEM, OutOfMemory
from kernel.frames import Frames
from kernel.signal_numbers import SIGKILL
from tests.kernel.puppet import DATA, DATA_END, HEAP, Puppets

PAGE = 4096


class Injector:
    """From now on, the allocation after `left` others fails, and all that follow."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 1 << 30
        real = Frames.alloc

        def alloc(frames: Frames, zero: bool = True, place: tuple[int, int] | None = None) -> int:
            if self.left == 0:
                raise OutOfMemory
            self.left -= 1
            return real(frames, zero, place)

        monkeypatch.setattr(Frames, "alloc", alloc)


def private(p: Puppets) -> int:
    """Frames in use but for those of the page cache, which a failed attempt may well have filled."""
    return p.k.frames.used - len(p.k.page_cache.frames())


def busy(**config: str) -> Puppets:
    """A process with pages in four leaf tables: data, heap, deep in the stack."""
    p = Puppets(memory=4 << 20, **config)
    p.call(1, "brk", HEAP + (3 << 20))
    for va in (DATA, DATA + PAGE, DATA_END - 8, HEAP, HEAP + (2 << 20), 0x3F_FFFF_0000, 0x3F_FFC0_0000):
        p.store(1, va, va)
    return p


def sweep(p: Puppets, injector: Injector, action: Callable[[], int]) -> int:
    """Lets `action` fail at its first allocation, its second, and so on until it succeeds; how often it failed."""
    before, used = p.k.snapshot(), private(p)
    failures = 0
    while True:
        injector.left = failures
        result = action()
        injector.left = 1 << 30
        check(p.k)
        if result >= 0:
            return failures
        assert result == -ENOMEM
        assert private(p) == used, "frames are lost"
        assert p.load(1, DATA) == DATA
        assert p.store(1, HEAP, 5), "the caller can go on"
        check(p.k)
        p.k.restore(before)
        failures += 1


@pytest.mark.parametrize(
    ("policy", "allocations"),
    [("cow", 7), ("shared-tables", 1), ("eager", 15)],  # the root; two upper and four leaf tables; eight pages
)
def test_fork_that_runs_out_of_memory_anywhere_leaves_everything_as_it_was(
    monkeypatch: pytest.MonkeyPatch, policy: str, allocations: int
) -> None:
    p = busy(fork=policy)
    assert sweep(p, Injector(monkeypatch), lambda: p.fork(1)) == allocations


def test_exec_that_runs_out_of_memory_anywhere_leaves_the_caller_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    p = busy()
    failures = sweep(p, Injector(monkeypatch), lambda: p.execute(1))
    assert failures >= 6  # the root, tables for .data and the stack, the page where .bss begins, the stack
    assert p.load(1, HEAP - 8) == 0


def test_a_process_that_touches_memory_when_there_is_none_is_killed_and_the_others_go_on() -> None:
    p = Puppets(memory=2 << 20)
    child = p.fork(1)
    va = HEAP
    end = va + p.k.frames.total * PAGE
    assert p.call(child, "brk", end) == end
    while p.store(child, va, 1):
        va += PAGE
    death = p.k.groups.peek(child).death
    assert death.signal == SIGKILL
    assert "out of memory" in death.note
    assert p.store(1, DATA, 1)
    check(p.k)


def test_a_system_call_that_finds_no_memory_says_so() -> None:
    p = Puppets(memory=1 << 20)
    p.call(1, "brk", HEAP + (800 << 10))
    keep = []
    while True:
        try:
            keep.append(p.k.frames.alloc())
        except OutOfMemory:
            break
    assert p.call(1, "uname", HEAP) == -ENOMEM
    p.k.frames.release_many(keep)
    assert p.call(1, "uname", HEAP) == 0
    check(p.k)


def test_cached_pages_of_files_give_way_when_memory_runs_out() -> None:
    p = Puppets(memory=1 << 20)
    cached = len(p.k.page_cache.frames())
    for va in (DATA, DATA + PAGE):
        p.store(1, va, 1)
    p.call(1, "brk", HEAP + (700 << 10))
    keep = [p.k.frames.alloc() for _ in range(p.k.frames.total - p.k.frames.used)]
    assert p.store(1, HEAP, 1), "a cached page was given back for this one"
    assert len(p.k.page_cache.frames()) < cached + 2
    p.k.frames.release_many(keep)
    assert p.execute(1) == 0
    p.call(1, "exit_group", 0)
    check_end(p.k)


def test_a_heap_that_could_not_shrink_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """brk(2) of the kernel never returns an error, only where the heap ends."""
    p = busy()
    end, child = HEAP + (3 << 20), p.fork(1)
    injector = Injector(monkeypatch)
    injector.left = 0
    assert p.call(child, "brk", HEAP + (1 << 20)) == end
    injector.left = 1 << 30
    check(p.k)
    assert p.load(child, HEAP + (2 << 20)) == HEAP + (2 << 20)
    assert p.call(child, "brk", HEAP + (1 << 20)) == HEAP + (1 << 20)
    assert p.load(1, HEAP + (2 << 20)) == HEAP + (2 << 20)
    check(p.k)
