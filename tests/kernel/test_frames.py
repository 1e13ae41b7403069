"""Which frame is handed out: never one that somebody has, zeroed, and where a page wants it if it is free there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.check import check
from kernel.errno import OutOfMemory
from kernel.frames import Frames
from kernel.pagetable import own
from tests.kernel.puppet import HEAP, Puppets

PAGE = 4096
#: What may be done: take any frame, take one for page number n, let go of the n-th of ours, hold it once more.
_steps = st.lists(
    st.tuples(st.sampled_from(["any", "place", "place", "release", "hold"]), st.integers(0, 11)), max_size=40
)


def machine() -> Puppets:
    """A small machine, with some frames that were freed before, in an order that is not theirs."""
    p = Puppets(memory=1 << 20)
    frames = p.k.frames
    taken = [frames.alloc() for _ in range(20)]
    for ppn in taken:
        p.k.machine.ram.write(ppn * PAGE, b"x" * PAGE)
    for ppn in (*taken[::3], *taken[1::3], *taken[2::3]):
        frames.release(ppn)
    p.call(1, "brk", HEAP + 8 * PAGE)
    return p


@given(_steps)
def test_nobody_gets_a_frame_that_another_has(steps: list[tuple[str, int]]) -> None:
    p = machine()
    frames, ram = p.k.frames, p.k.machine.ram
    root = p.k.mms[p.k.tasks[1].mm].root
    slot = own(p.k, root, HEAP + (4 << 20))
    used, ours = frames.used, dict[int, int]()
    for what, number in steps:
        if what in ("any", "place"):
            ppn = frames.alloc(place=(slot + 8 * number, HEAP + (4 << 20) + number * PAGE) if what == "place" else None)
            assert ppn not in ours and frames.count(ppn) == 1
            assert ram.read(ppn * PAGE, PAGE) == bytes(PAGE)
            ram.write(ppn * PAGE, b"y" * PAGE)
            ours[ppn] = 1
        elif ours:
            ppn = list(ours)[number % len(ours)]
            frames.hold(ppn) if what == "hold" else frames.release(ppn)
            ours[ppn] += 1 if what == "hold" else -1
            assert frames.count(ppn) == ours[ppn]
            if not ours[ppn]:
                del ours[ppn]
        assert frames.used == used + len(ours)
    frames.release_many([ppn for ppn, count in ours.items() for _ in range(count)])
    check(p.k)
    assert all_that_are_left(frames) == frames.total


def all_that_are_left(frames: Frames) -> int:
    """Take every frame there is; how many are in use then."""
    taken = set()
    with pytest.raises(OutOfMemory):
        while True:
            ppn = frames.alloc()
            assert ppn not in taken
            taken.add(ppn)
    return frames.used


def test_a_page_that_comes_and_goes_leaves_no_trace() -> None:
    """More often than there is room for on the stack of freed frames."""
    p = machine()
    frames, root = p.k.frames, p.k.mms[p.k.tasks[1].mm].root
    place = (own(p.k, root, HEAP), HEAP)
    for _ in range(2 * frames.total):
        frames.release(frames.alloc(place=place))
    check(p.k)
    assert all_that_are_left(frames) == frames.total


def test_pages_in_a_row_get_frames_in_a_row_in_whatever_order_they_are_touched() -> None:
    p = machine()
    for page in (5, 0, 7, 2, 6, 1, 4, 3):
        p.store(1, HEAP + page * PAGE, page)
    assert rising(p, 1) == 8


def test_a_child_that_writes_a_page_after_the_other_gets_its_own_frames_in_a_row() -> None:
    p = machine()
    for page in range(8):
        p.store(1, HEAP + page * PAGE, page)
    child = p.fork(1)
    for page in (5, 0, 7, 2, 6, 1, 4, 3):
        p.store(child, HEAP + page * PAGE, page)
    assert rising(p, child) == 8
    assert not set(ppns(p, child)) & set(ppns(p, 1))


def test_frames_are_in_a_row_when_programs_have_come_and_gone() -> None:
    p = machine()
    for _ in range(5):
        child = p.fork(1)
        for page in range(8):
            p.store(child, HEAP + page * PAGE, page)
        assert rising(p, child) == 8
        p.call(child, "exit_group", 0)
        p.call(1, "wait4", child, 0, 0, 0)


def ppns(p: Puppets, pid: int) -> list[int]:
    """The frames of the heap's eight pages."""
    root = p.k.mms[p.k.tasks[pid].mm].root
    return [p.k.machine.ram.read64(own(p.k, root, HEAP + page * PAGE)) >> 10 for page in range(8)]


def rising(p: Puppets, pid: int) -> int:
    """How many of the first eight pages' frames follow the first one in order."""
    found = ppns(p, pid)
    return sum(ppn == found[0] + page for page, ppn in enumerate(found))
