"""Deadlines of sleeps that were cut short do not pile up."""

from __future__ import annotations

from kernel.wait_queues import TIMER, WaitQueues


def test_a_sleep_that_is_cut_short_again_and_again_leaves_a_bounded_heap() -> None:
    queues = WaitQueues()
    queues.park(1, (TIMER,), 5)
    for round_ in range(10_000):
        queues.park(2, (TIMER,), 1_000_000 + round_)
        queues.unpark(2, (TIMER,))
    assert len(queues.snapshot()[1]) < 200
    assert queues.next_deadline() == (5, 1)


def test_those_who_sleep_on_are_woken_in_the_order_of_their_deadlines() -> None:
    queues = WaitQueues()
    for tid in range(100):
        queues.park(tid, (TIMER,), 1000 - tid)
    for tid in range(0, 100, 2):
        queues.unpark(tid, (TIMER,))
        queues.park(tid, (TIMER,), 5000 + tid)
    woken = []
    while (first := queues.next_deadline()) is not None:
        queues.drop_deadline()
        woken.append(first)
    live = [(deadline, tid) for deadline, tid in woken if deadline == (5000 + tid if tid % 2 == 0 else 1000 - tid)]
    assert live == sorted((5000 + tid if tid % 2 == 0 else 1000 - tid, tid) for tid in range(100))
