"""Who runs when: fair, exact to the instruction, and the same every time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from kernel import events, mm, scheduler
from kernel.check import check_end
from kernel.config import MIN_SLICE, Config
from kernel.door import Door
from kernel.wait_queues import CONSOLE
from tests.kernel.machines import Bin, assemble, machine, record, run

THREE_SPINNERS = """
_start: fork
        beqz    a0, spin
        fork
        beqz    a0, spin
spin:   addi    s0, s0, 1
        j       spin
"""

# Two children print while the parent waits for both.
CHATTER = """
_start: fork
        beqz    a0, child
        fork
        beqz    a0, child
        wait
        wait
        exit    3
child:  sys     172
        mv      s1, a0
        li      s0, 20
1:      li      t0, 300
2:      addi    t0, t0, -1
        bnez    t0, 2b
        andi    a0, s1, 7
        addi    a0, a0, 'a'
        sb      a0, -8(sp)
        li      a0, 1
        addi    a1, sp, -8
        li      a2, 1
        sys     64
        addi    s0, s0, -1
        bnez    s0, 1b
        exit    0
"""


def test_tasks_that_never_stop_get_the_same_share() -> None:
    k = machine({"test": assemble(THREE_SPINNERS)}, [b"test"], quantum=1000)
    k.run(until=30_000)
    shares = [k.tasks.peek(tid).instructions for tid in k.tasks.ids()]
    assert len(shares) == 3
    assert sum(shares) == 30_000
    assert max(shares) - min(shares) <= 1000


def test_a_slice_ends_after_exactly_the_quantum() -> None:
    k = machine({"test": assemble(THREE_SPINNERS)}, [b"test"], quantum=777)
    switches: list[events.Switch] = []
    k.events.on(events.Switch, switches.append)
    k.run(until=20_000)
    times = [event.at for event in switches]
    assert {later - earlier for earlier, later in pairwise(times)} == {777}


def test_a_slice_is_never_so_short_that_an_lr_sc_loop_could_not_finish() -> None:
    k = machine({"test": assemble(THREE_SPINNERS)}, [b"test"], quantum=1)
    switches: list[events.Switch] = []
    k.events.on(events.Switch, switches.append)
    k.run(until=5_000)
    times = [event.at for event in switches]
    assert min(later - earlier for earlier, later in pairwise(times)) >= MIN_SLICE


@pytest.mark.parametrize("most", [0, 1, 2, 63, 64, 65, 1000, 12_345])
def test_max_insns_stops_all_processes_together_after_exactly_so_many(most: int) -> None:
    k, outcome = run(THREE_SPINNERS, max_insns=most, quantum=500)
    assert (outcome.kind, k.machine.retired) == ("max-insns", most)


def test_the_last_system_call_of_a_program_comes_after_its_last_instruction_and_needs_one_more() -> None:
    k, outcome = run(CHATTER)
    needed = k.machine.retired
    assert (outcome.kind, outcome.status) == ("exited", 3)
    assert run(CHATTER, max_insns=needed + 1)[1].kind == "exited"
    assert run(CHATTER, max_insns=needed)[1].kind == "max-insns"


def test_the_same_options_give_the_same_run() -> None:
    configs: tuple[dict[str, Any], ...] = ({}, {"quantum": 100}, {"sched": "random", "seed": 5, "quantum": 500})
    for config in configs:
        logs = []
        for _ in range(2):
            k = machine({"test": assemble(CHATTER)}, [b"test"], **config)
            logs.append(record(k))
            k.run()
        assert logs[0] == logs[1]


def test_a_random_schedule_is_chosen_by_its_seed() -> None:
    outputs = {bytes(run(CHATTER, sched="random", seed=seed, quantum=700)[0].door.output[1]) for seed in range(6)}
    assert len(outputs) > 1
    assert {bytes(sorted(output)) for output in outputs} == {b"c" * 20 + b"d" * 20}


def test_where_a_run_is_paused_changes_nothing() -> None:
    whole = machine({"test": assemble(CHATTER)}, [b"test"], quantum=300)
    expected = record(whole)
    whole.run()
    parts = machine({"test": assemble(CHATTER)}, [b"test"], quantum=300)
    log = record(parts)
    for step in (1, 2, 3, 64, 100, 299, 300, 301, 1000):
        outcome = parts.run(until=parts.machine.retired + step)
        assert outcome.kind == "paused"
    parts.run()
    assert log == expected


def test_listening_to_every_instruction_changes_nothing() -> None:
    plain = machine({"test": assemble(CHATTER)}, [b"test"], quantum=300)
    expected = record(plain)
    plain.run()
    stepped = machine({"test": assemble(CHATTER)}, [b"test"], quantum=300)
    log = record(stepped)
    instructions: list[events.Insn] = []
    stepped.events.on(events.Insn, instructions.append)
    stepped.run()
    assert log == expected
    assert [event.at for event in instructions] == list(range(1, stepped.machine.retired + 1))


def test_an_instruction_event_tells_what_changed_from_what_to_what() -> None:
    k = machine(
        {"test": assemble("_start: li t0, 5\n addi t0, t0, 2\n sd t0, -8(sp)\n sd zero, -8(sp)\n exit 0")}, [b"test"]
    )
    log: list[events.Insn] = []
    k.events.on(events.Insn, log.append)
    k.run()
    at = log[2].memory[0][0]
    assert [event.registers for event in log[:3]] == [((5, 0, 5),), ((5, 5, 7),), ()]
    assert [event.memory for event in log[1:4]] == [(), ((at, 8, 0, 7),), ((at, 8, 7, 0),)]


def test_sched_yield_gives_the_hart_away_at_once() -> None:
    text = """
_start: fork
        beqz    a0, child
        sys     124
        li      t0, 1
1:      j       1b
child:  exit    0
"""
    k = machine({"test": assemble(text)}, [b"test"], quantum=100_000)
    k.run(until=50)
    assert [k.groups.peek(tgid).zombie for tgid in k.groups.ids()] == [False, True]


def test_a_switch_of_task_breaks_a_reservation() -> None:
    text = """
_start: addi    s1, sp, -8
        fork
        beqz    a0, spin
        sd      zero, (s1)
        lr.d    t0, (s1)
        li      t1, 200
1:      addi    t1, t1, -1
        bnez    t1, 1b
        sc.d    a0, zero, (s1)
        snez    a0, a0
        sys     94
spin:   j       spin
"""
    assert run(text, quantum=100)[1].status == 1
    assert run(text, quantum=100_000)[1].status == 0


def test_when_nobody_can_ever_run_again_that_is_a_deadlock_with_names() -> None:
    text = """
_start: addi    a0, sp, -8
        li      a1, 0
        sys     59
        fork
        bnez    a0, parent
        lw      a0, -8(sp)
        addi    a1, sp, -64
        li      a2, 1
        sys     63
parent: wait
        exit    0
"""
    _, outcome = run(text)
    assert outcome.kind == "deadlock"
    parent, child = outcome.waiters
    assert (parent.tid, parent.call, parent.keys) == (1, "wait4", (("child", 1),))
    assert (child.tid, child.call, child.keys[0][0]) == (2, "read", "pipe-read")


def test_an_idle_machine_jumps_to_the_next_deadline() -> None:
    text = """
_start: li      t0, 3600
        sd      t0, -16(sp)
        sd      zero, -8(sp)
        addi    a0, sp, -16
        li      a1, 0
        sys     101
        exit    0
"""
    k, outcome = run(text)
    assert outcome.status == 0
    assert k.machine.retired < 20
    assert k.now >= 3600 * 10**9


class SlowDoor(Door):
    """Input that arrives only after the machine has been idle, 5 ms later."""

    arrived = False

    def ready(self) -> bool:
        return self.arrived

    def wait(self, timeout: int | None, for_input: bool) -> int | None:
        self.arrived = True
        return 5_000_000


def test_a_machine_that_waits_for_input_asks_the_world() -> None:
    from kernel import boot

    text = """
_start: li      a0, 0
        addi    a1, sp, -8
        li      a2, 1
        sys     63
        lbu     a0, -8(sp)
        sys     94
"""
    k = boot.prepare(Config(memory=2 << 20), SlowDoor(b"\x07"), Bin({"test": assemble(text)}))
    boot.start(k, b"/bin/test", [b"test"])
    blocks: list[events.Block] = []
    k.events.on(events.Block, blocks.append)
    assert k.run().status == 7
    assert [block.keys for block in blocks] == [(CONSOLE,)]
    assert 5_000_000 < k.now < 5_001_000


def test_going_from_one_address_space_to_another_and_back_refills_no_tlb_entry() -> None:
    text = """
_start: fork
1:      ld      t0, -8(sp)
        sd      t0, -16(sp)
        j       1b
"""
    k = machine({"test": assemble(text)}, [b"test"], quantum=100)
    k.run(until=1_000)
    switches, before = k.stats.switches, k.machine.stats
    k.run(until=10_000)
    assert k.stats.switches - switches == 90
    for name in ("tlb_misses", "fetch_misses"):
        assert k.machine.stats[name] == before[name]


def test_when_address_space_ids_run_out_they_are_given_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mm, "ASIDS", 3)
    text = """
        .data
        .balign 4096
value:  .dword  0
        .text
_start: li      s0, 6
        la      s2, value
1:      fork
        beqz    a0, child
        addi    s0, s0, -1
        bnez    s0, 1b
        li      s0, 6
        li      s1, 0
2:      addi    a1, sp, -8
        li      a0, -1
        li      a2, 0
        li      a3, 0
        sys     260
        lbu     t0, -7(sp)
        add     s1, s1, t0
        addi    s0, s0, -1
        bnez    s0, 2b
        mv      a0, s1
        sys     94
child:  sd      s0, (s2)
        li      t0, 500
3:      ld      t1, (s2)
        bne     t1, s0, bad
        addi    t0, t0, -1
        bnez    t0, 3b
        mv      a0, s0
        sys     94
bad:    exit    100
"""
    k, outcome = run(text, quantum=100)
    assert outcome.status == 1 + 2 + 3 + 4 + 5 + 6
    assert k.asid_generation > 10
    check_end(k)


# A child sleeps again and again for odd times while its parent computes and asks for the time at odd moments.
SLEEPER_BESIDE = """
_start: fork
        beqz    a0, child
        li      s0, 40
1:      li      t0, 1777
2:      addi    t0, t0, -1
        bnez    t0, 2b
        sys     172
        addi    s0, s0, -1
        bnez    s0, 1b
        wait
        exit    0
child:  li      s0, 9
3:      sd      zero, -16(sp)
        li      t0, 7001
        sd      t0, -8(sp)
        addi    a0, sp, -16
        li      a1, 0
        sys     101
        addi    s0, s0, -1
        bnez    s0, 3b
        exit    0
"""


@pytest.mark.parametrize("quantum", [64, 333, 1000])
def test_slices_whose_ends_nobody_notices_run_as_one_and_change_nothing(
    quantum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = []
    for most in (0, 50_000):
        monkeypatch.setattr(scheduler, "MOST_ALONE", most)
        k = machine({"test": assemble(SLEEPER_BESIDE)}, [b"test"], quantum=quantum)
        log = record(k)
        logs.append((log, k.run(), k.machine.retired, k.slice_end))
    assert logs[0] == logs[1]
