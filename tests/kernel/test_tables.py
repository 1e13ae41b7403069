"""The kernel's own furniture: tables, frames, wait queues, the door, the page cache, the checker."""

from __future__ import annotations

import pytest

from kernel.check import CheckError, check
from kernel.door import Door
from kernel.errno import OutOfMemory
from kernel.events import Bus, Reap
from kernel.table import Record, Table
from kernel.wait_queues import WaitQueues
from tests.kernel.puppet import DATA, HEAP, Puppets


class Row(Record):
    __slots__ = ("number", "items", "names")

    def __init__(self, number: int) -> None:
        self.number = number
        self.items = [number]
        self.names = {"a": [1]}


def test_a_snapshot_of_a_table_does_not_see_what_happens_later() -> None:
    table = Table(Row)
    first, second = table.add(Row(1)), table.add(Row(2))
    snapshot = table.snapshot()
    table[first].items.append(5)
    table[first].names["a"].append(2)
    table.remove(second)
    third = table.add(Row(3))
    table.restore(snapshot)
    assert table.ids() == [first, second]
    assert (table.peek(first).items, table.peek(first).names) == ([1], {"a": [1]})
    assert table.add(Row(4)) == third, "ids go on from where they were"


def test_rows_that_nobody_reached_are_not_copied_again() -> None:
    table = Table(Row)
    for number in range(3):
        table.add(Row(number))
    _, before = table.snapshot()
    table[2].number = 9
    table.peek(1)
    _, after = table.snapshot()
    assert [before[i] is after[i] for i in (1, 2, 3)] == [True, False, True]


def test_frames_are_handed_out_zeroed_and_counted() -> None:
    k = Puppets().k
    frames = k.frames
    used = frames.used
    ppn = frames.alloc()
    k.machine.ram.write(ppn << 12, b"x" * 4096)
    frames.hold(ppn)
    assert (frames.count(ppn), frames.used) == (2, used + 1)
    frames.release(ppn)
    frames.release(ppn)
    assert (frames.count(ppn), frames.used) == (0, used)
    assert frames.alloc() == ppn, "the last one freed is the first one used"
    assert k.machine.ram.read(ppn << 12, 4096) == bytes(4096)
    frames.release(ppn)


def test_a_frame_cannot_be_released_more_often_than_it_is_held() -> None:
    frames = Puppets().k.frames
    ppn = frames.alloc()
    frames.release(ppn)
    with pytest.raises(AssertionError, match="released"):
        frames.release(ppn)
    with pytest.raises(AssertionError, match="held"):
        frames.hold(ppn)


def test_every_frame_can_be_had_and_then_none() -> None:
    p = Puppets()
    frames = p.k.frames
    p.store(1, DATA, 1)
    held = []
    with pytest.raises(OutOfMemory):
        while True:
            held.append(frames.alloc())
    assert frames.used == frames.total
    assert len(set(held)) == len(held)
    frames.release_many(held)
    check(p.k)


def test_who_waits_first_is_woken_first() -> None:
    queues = WaitQueues()
    key, other = ("pipe-read", 1), ("pipe-write", 1)
    for tid in (5, 3, 9):
        queues.park(tid, (key, other), None)
    queues.unpark(3, (key, other))
    assert queues.waiting(key) == queues.waiting(other) == [5, 9]
    queues.unpark(5, (key, other))
    queues.unpark(9, (key, other))
    assert queues.awaited() == []


def test_the_earliest_deadline_comes_first_and_equal_ones_in_order() -> None:
    queues = WaitQueues()
    for tid, deadline in ((1, 30), (2, 10), (3, 10)):
        queues.park(tid, (("timer",),), deadline)
    found = []
    while (first := queues.next_deadline()) is not None:
        found.append(first)
        queues.drop_deadline()
    assert found == [(10, 2), (10, 3), (30, 1)]


def test_a_door_that_was_set_back_gives_the_same_input_and_does_not_repeat_its_output() -> None:
    door = Door(b"abcdef", seed=3)
    door.write(1, b"one ")
    assert door.read_input(2) == b"ab"
    state = door.snapshot()
    expected = (door.read_input(3), door.random(9), door.read_input(10), door.read_input(10))
    door.write(1, b"two three")
    door.restore(state)
    assert (door.read_input(3), door.random(9), door.read_input(10), door.read_input(10)) == expected
    door.write(1, b"two ")
    door.write(1, b"three four")
    assert door.output[1] == b"one two three four"


def test_events_reach_those_who_listen_in_their_order() -> None:
    bus, heard = Bus(), []
    assert not bus.Reap
    bus.on(Reap, lambda event: heard.append(("first", event.pid)))
    bus.on(Reap, lambda event: heard.append(("second", event.pid)))
    assert bus.Reap
    bus.emit(Reap(0, 1, 2, 0))
    assert heard == [("first", 2), ("second", 2)]


def test_reading_the_page_cache_over_holes_and_pages() -> None:
    k = Puppets().k
    cache = k.page_cache
    cache.fill = lambda k, inode, index: None
    cache.write(k, 77, 5000, b"hello")
    assert cache.read(k, 77, 4090, 920) == bytes(910) + b"hello" + bytes(5)
    used = k.frames.used
    cache.truncate(k, 77, 5002)
    assert cache.read(k, 77, 5000, 5) == b"he\0\0\0"
    cache.truncate(k, 77, 0)
    assert k.frames.used == used - 1
    assert cache.page(k, 77, 1) is None


def test_the_checker_notices_a_lost_frame_a_lost_pid_and_a_lost_child() -> None:
    for harm in (
        lambda p: p.k.frames.alloc(),
        lambda p: p.k.frames.hold(p.k.page_cache.frames()[0][2]),
        lambda p: p.k.pids.alloc(),
        lambda p: p.k.groups[1].children.clear(),
        lambda p: p.k.tasks[1].children.clear(),
        lambda p: p.k.tasks[1].ready.append((p.k.groups.peek(2).join, 2)),
        lambda p: p.k.pgroups[1].members.pop(2),
        lambda p: setattr(p.k.pgroups[1], "stopped", 1),
        lambda p: p.k.sessions[1].groups.clear(),
        lambda p: p.k.run_queue.append(1),
        lambda p: setattr(p.k.mms[p.k.tasks.peek(1).mm], "resident", 99),
        lambda p: setattr(p.k.groups[2], "zombie", True),
        lambda p: p.k.fs_structs[1].__setattr__("users", 2),
    ):
        p = Puppets()
        p.fork(1)
        p.call(1, "brk", HEAP + 4096)
        check(p.k)
        harm(p)
        with pytest.raises(CheckError):
            check(p.k)
