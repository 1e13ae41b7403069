"""The machine is a value: taken anywhere and put back, it goes on identically; and taking it is cheap."""

from __future__ import annotations

from kernel.check import check
from kernel.kernel import Kernel
from tests.kernel.machines import assemble, machine, record
from tests.kernel.puppet import DATA, Puppets

# A parent and two children that use everything a snapshot must hold: memory, pipes, sleep, input, random bytes, output.
BUSY = """
        .data
word:   .dword  1
        .text
_start: addi    sp, sp, -64
        addi    a0, sp, 56
        li      a1, 0
        sys     59
        fork
        beqz    a0, child
        fork
        beqz    a0, sleeper
        lw      a0, 56(sp)
        mv      a1, sp
        li      a2, 8
        sys     63
        li      a0, 1
        mv      a1, sp
        li      a2, 8
        sys     64
        li      a0, 0
        mv      a1, sp
        li      a2, 5
        sys     63
        mv      a2, a0
        li      a0, 1
        mv      a1, sp
        sys     64
        wait
        wait
        exit    4
child:  la      s0, word
        li      s1, 300
1:      ld      t0, (s0)
        addi    t0, t0, 3
        sd      t0, (s0)
        addi    s1, s1, -1
        bnez    s1, 1b
        mv      a0, sp
        li      a1, 8
        li      a2, 0
        sys     278
        lw      a0, 60(sp)
        mv      a1, sp
        li      a2, 8
        sys     64
        exit    1
sleeper:
        sd      zero, (sp)
        li      t0, 2000
        sd      t0, 8(sp)
        mv      a0, sp
        li      a1, 0
        sys     101
        exit    2
"""


def busy() -> Kernel:
    return machine({"test": assemble(BUSY)}, [b"test"], b"hello", quantum=100)


def test_a_snapshot_taken_anywhere_goes_on_identically() -> None:
    whole = busy()
    expected = record(whole)
    outcome = whole.run()
    assert outcome.status == 4
    total = whole.machine.retired
    for cut in range(0, total, 37):
        k = busy()
        log = record(k)
        k.run(until=cut)
        snapshot, seen = k.snapshot(), len(log)
        for _ in range(2):
            assert k.run() == outcome
            assert log[seen:] == expected[seen:]
            assert k.machine.clock == whole.machine.clock
            assert k.stats.freeze() == whole.stats.freeze()
            assert k.door.output == whole.door.output, "what was said before isn't said again"
            k.restore(snapshot)
            del log[seen:]
        check(k)


def test_one_can_go_back_and_forth_between_many_snapshots() -> None:
    whole = busy()
    whole.run()
    k = busy()
    snapshots = []
    for cut in range(0, whole.machine.retired, 100):
        k.run(until=cut)
        snapshots.append(k.snapshot())
    for index in (3, 0, len(snapshots) - 1, 1, 5, 2):
        k.restore(snapshots[index])
        check(k)
        assert k.machine.retired == snapshots[index].machine.retired
        k.run(until=k.machine.retired + 50)
    k.restore(snapshots[2])
    assert k.run() == whole.outcome
    assert k.door.output == whole.door.output


def test_a_snapshot_copies_the_objects_that_were_reached_and_shares_the_others() -> None:
    p = Puppets(max_procs=100, fork="cow")
    children = [p.fork(1) for _ in range(50)]
    first = p.k.snapshot()
    p.store(children[0], DATA, 1)
    second = p.k.snapshot()
    tasks = [(first.tables[0][1][tid], second.tables[0][1][tid]) for tid in p.k.tasks.ids()]
    assert sum(old is not new for old, new in tasks) <= 2
    assert len(second.machine.pages) <= 4


def test_kernel_objects_are_plain_data() -> None:
    k = busy()
    k.run(until=200)
    for _, rows in k.snapshot().tables:
        for row in rows.values():
            assert is_plain(row), row


def is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(is_plain(key) and is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (int, str, bytes))
