"""Who has the hart: preemptive round robin, time slices counted in instructions, and what an idle machine does.

A slice is `quantum` instructions (never under MIN_SLICE, so that every lr/sc loop can finish in one); system calls
and faults are part of it. When it ends, the task goes to the end of the run queue. A task that sleeps, stops or ends
gives up the hart at once. The `random` scheduler takes any runnable task, for a slice of any length up to the quantum.

Where a run is paused and gone on with changes nothing: the slice's end is kept in the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import cpu_time, itimer, mm, signals, trap
from kernel.config import MIN_SLICE
from kernel.syscalls import table
from kernel.task import RUNNING, SLEEPING, STOPPED, Task
from kernel.wait_queues import CONSOLE, TIMER, WaitKey

if TYPE_CHECKING:
    from kernel.kernel import Kernel, Outcome

_FOREVER = 1 << 63
#: Instructions that may run without a look at the world, while nobody waits for anything.
MOST_ALONE = 2_000_000
_MASK = (1 << 64) - 1


def run(k: Kernel, until: int | None) -> Outcome:
    """Runs until pid 1 has ended, nobody can run, Config.max_insns or `until` instructions have retired."""
    from kernel.kernel import Outcome

    most = _FOREVER if k.config.max_insns is None else k.config.max_insns
    limit = most if until is None else min(until, most)
    while k.outcome is None:
        if not k.current and not _pick(k):
            _idle(k)
        elif k.machine.retired >= limit:
            kind = "max-insns" if limit == most else "paused"
            return Outcome(kind, 0)
        else:
            _run_current(k, limit)
    return k.outcome


def _run_current(k: Kernel, limit: int) -> None:
    """The current task runs until it gives up the hart, its slice ends, or the limit is reached (a hot path)."""
    t = k.tasks[k.current]
    tid, machine, far = t.tid, k.machine, 0
    while k.current == tid:
        if t.attention and (t.pending is None or t.pending.interrupted):
            signals.deliver(k, t)
        elif t.pending is not None:
            table.resume(k, t)
        else:
            end = far or k.slice_end
            budget = (end if end < limit else limit) - machine.retired
            if budget <= 0:
                if machine.retired >= limit:
                    return
                _end_slice(k, t)
                far = _alone_until(k, t)
                continue
            if k.events.Insn:
                from kernel.step import run as run_stepwise

                stopped = run_stepwise(k, t, budget)
            else:
                stopped = machine.run(t.hart, budget)
            t.instructions += stopped.retired
            if far:
                _pass_slices(k, stopped.trap is not None)
                far = 0
            if stopped.trap is not None:
                trap.handle(k, t, stopped.trap)


def _end_slice(k: Kernel, t: Task) -> None:
    """The slice is used up: somebody else's turn, if there is anybody."""
    _look_outside(k)
    cpu_time.check(k, t.tgid)
    if k.run_queue:
        k.run_queue.append(t.tid)
        k.current = 0
        _count_switch(k, t, 1)
    else:
        _begin_slice(k)


def _alone_until(k: Kernel, t: Task) -> int:
    """Where the first slice ends at whose end anything can happen; 0 if that is the current one.

    Slices whose ends nobody would notice run as one, since going to the machine and back costs as much as 10,000
    instructions. What is looked at when a slice ends must be looked at here.
    """
    if k.run_queue or k.config.sched == "random" or k.events.Insn or k.wait_queues.waiting(CONSOLE):
        return 0
    if k.groups.peek(t.tgid).cpu_alarm:
        return 0
    quantum = max(k.config.quantum, MIN_SLICE)
    slices = MOST_ALONE // quantum
    first = k.wait_queues.next_deadline()
    if first is not None:
        ends = k.now + k.slice_end - k.machine.retired
        slices = min(slices, -((ends - first[0]) // quantum))
    return k.slice_end + max(slices, 0) * quantum


def _pass_slices(k: Kernel, trapped: bool) -> None:
    """The current slice is the one that a run of several has come to: its end lies ahead, or right here."""
    quantum = max(k.config.quantum, MIN_SLICE)
    past = k.machine.retired - k.slice_end
    if past >= 0:
        k.slice_end += (past // quantum + 1 if trapped else -(-past // quantum)) * quantum


def _begin_slice(k: Kernel) -> None:
    length = max(k.config.quantum, MIN_SLICE)
    if k.config.sched == "random":
        length = MIN_SLICE + _random(k) % (length - MIN_SLICE + 1)
    k.slice_end = k.machine.retired + length


def _pick(k: Kernel) -> bool:
    """Gives the hart to a runnable task. False if there is none."""
    _look_outside(k)
    queue = k.run_queue
    if not queue:
        return False
    if k.config.sched == "random":
        queue.rotate(-(_random(k) % len(queue)))
    _switch(k, k.tasks[queue.popleft()])
    return True


def _switch(k: Kernel, t: Task) -> None:
    previous = k.last_ran
    k.current = k.last_ran = t.tid
    _begin_slice(k)
    mm.activate(k, t)
    if previous != t.tid:
        t.hart.clear_reservation()
        k.stats.switches += 1
        if k.events.Switch:
            from kernel.events import Switch

            k.events.emit(Switch(k.machine.retired, t.tid, previous))


def _look_outside(k: Kernel) -> None:
    """Wakes those whose deadline has passed, and those who wait for input if there is some."""
    queues = k.wait_queues
    while (first := queues.next_deadline()) is not None and first[0] <= k.now:
        queues.drop_deadline()
        _expire(k, *first)
    while key := k.door.key(k.now):
        _press(k, key)
    if queues.waiting(CONSOLE) and k.door.read_ready():
        wake(k, CONSOLE, None)


def _press(k: Kernel, signal: int) -> None:
    from kernel.fs import tty

    tty.pressed(k, signal)


def _expire(k: Kernel, deadline: int, tid: int) -> None:
    if _is_due(k, deadline, tid):
        if tid < 0:
            itimer.expire(k, -tid)
        else:
            unblock(k, k.tasks[tid], TIMER)


def _is_due(k: Kernel, deadline: int, tid: int) -> bool:
    """Does the task still wait for this deadline? (Entries of those that were woken otherwise stay in the heap.)"""
    if tid < 0:
        return itimer.is_due(k, -tid, deadline)
    if tid not in k.tasks:
        return False
    t = k.tasks.peek(tid)
    return t.state == SLEEPING and t.pending is not None and t.pending.deadline == deadline


def _idle(k: Kernel) -> None:
    """Nobody can run: time jumps to the next deadline, or the world is waited for, or this is a deadlock."""
    queues = k.wait_queues
    while (first := queues.next_deadline()) is not None and not _is_due(k, *first):
        queues.drop_deadline()
    for_input = bool(queues.waiting(CONSOLE))
    if first is None and not for_input and not _may_be_interrupted(k):
        k.outcome = _deadlock(k)
        return
    passed = k.door.wait(None if first is None else first[0] - k.now, for_input)
    if passed is not None:
        k.machine.clock += passed
    elif first is not None:
        k.machine.clock = first[0]


def _may_be_interrupted(k: Kernel) -> bool:
    """Is a person there who could press Ctrl-C, and would anybody do anything about it?"""
    if not k.door.interruptible():
        return False
    from kernel.fs import tty

    return tty.awaits_key(k)


def _deadlock(k: Kernel) -> Outcome:
    from kernel.kernel import Outcome, Waiter

    waiters = []
    for tid in k.tasks.ids():
        t = k.tasks.peek(tid)
        call, keys = ("", ()) if t.pending is None else (table.TABLE[t.pending.call].name, t.pending.keys)
        waiters.append(Waiter(tid, t.tgid, t.comm, t.state, call, keys))
    return Outcome("deadlock", 0, tuple(waiters))


def add(k: Kernel, t: Task) -> None:
    """A new task, RUNNING from birth, gets its place in the run queue."""
    k.run_queue.append(t.tid)


def park(k: Kernel, t: Task) -> None:
    """The task sleeps on what its `pending` says, until `wake`, its deadline, or a signal."""
    assert t.pending is not None
    t.state = SLEEPING
    k.wait_queues.park(t.tid, t.pending.keys, t.pending.deadline)
    _count_switch(k, t, 0)
    if k.current == t.tid:
        k.current = 0
    if k.events.Block:
        from kernel.events import Block

        k.events.emit(Block(k.machine.retired, t.tid, t.pending.keys, t.pending.deadline))


def wake(k: Kernel, key: WaitKey, limit: int | None) -> int:
    """Makes the tasks that wait on `key` runnable, first come first, at most `limit`; returns how many."""
    tids = k.wait_queues.waiting(key)[:limit]
    for tid in tids:
        unblock(k, k.tasks[tid], key)
    return len(tids)


def unblock(k: Kernel, t: Task, key: WaitKey) -> None:
    """A sleeping task wakes; `key` says why. Its `pending` stays: its handler runs again."""
    assert t.state == SLEEPING and t.pending is not None
    k.wait_queues.unpark(t.tid, t.pending.keys)
    if k.events.Wake:
        from kernel.events import Wake

        k.events.emit(Wake(k.machine.retired, t.tid, key))
    make_runnable(k, t)


def requeue(k: Kernel, t: Task, keys: tuple[WaitKey, ...]) -> None:
    """A sleeping task waits on other keys from now on, behind those who do already."""
    assert t.state == SLEEPING and t.pending is not None
    k.wait_queues.unpark(t.tid, t.pending.keys)
    t.pending = t.pending._replace(keys=keys)
    k.wait_queues.park(t.tid, keys, t.pending.deadline)


def make_runnable(k: Kernel, t: Task) -> None:
    """A task that slept or was stopped goes to the end of the run queue."""
    assert t.state != RUNNING
    t.state = RUNNING
    k.run_queue.append(t.tid)


def stop(k: Kernel, t: Task) -> None:
    """The task stands still until `make_runnable`. If it was in a system call, that is tried again then."""
    leave(k, t)
    t.state = STOPPED


def leave(k: Kernel, t: Task) -> None:
    """The task is on no queue any more and doesn't have the hart (it stops, or ends)."""
    if t.state == SLEEPING and t.pending is not None:
        k.wait_queues.unpark(t.tid, t.pending.keys)
    elif k.current == t.tid:
        k.current = 0
    elif t.state == RUNNING:
        k.run_queue.remove(t.tid)


def yield_now(k: Kernel) -> None:
    """sched_yield: the current slice ends here."""
    k.slice_end = k.machine.retired


def _count_switch(k: Kernel, t: Task, involuntary: int) -> None:
    group = k.groups[t.tgid]
    voluntary, forced = group.switches
    group.switches = (voluntary + 1 - involuntary, forced + involuntary)


def _random(k: Kernel) -> int:
    """The next number of the random scheduler (splitmix64 over its seed)."""
    k.schedule_state = (k.schedule_state + 0x9E3779B97F4A7C15) & _MASK
    z = k.schedule_state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
