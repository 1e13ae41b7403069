"""Both engines on the same machine: programs put together from pieces, and the states that a run goes through.

A piece is a hot loop that does what a translation might get wrong: it faults and is mended by a handler, writes pages
that a fork shares, changes or protects code that runs, or shares words with another thread. All that a piece finds is
mixed into s11, which the program prints; a timer's handler mixes in where it came in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from kernel.check import check
from kernel.door import STDOUT
from kernel.kernel import Kernel, Outcome
from tests.kernel.machines import assemble, machine, record

#: Jumps after which what they jump to becomes a region.
HOT = 4
FORKS = ("eager", "cow", "shared-tables")


class Kept:
    """What the engine has compiled, for all machines of a test."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def load(self, name: str) -> bytes | None:
        """See ObjectCache."""
        return self.objects.get(name)

    def store(self, name: str, content: bytes) -> None:
        """See ObjectCache."""
        self.objects[name] = content


class Case(NamedTuple):
    """A program, how its machine is made, and after how many instructions it is stopped, again and again."""

    text: str
    quantum: int
    fork: str
    sched: str
    stops: tuple[int, ...]


class Run(NamedTuple):
    """What is compared: how it ended, each stop's state, every event, the output, all memory at the end."""

    outcome: Outcome
    retired: int
    stops: list[tuple[int, str]]
    log: list[object]
    output: bytes
    memory: str


#: A run longer than this has gone wrong, on both engines.
MOST = 150_000


def state(k: Kernel) -> str:
    """A digest of every task's registers, pc and count, and of who has the hart."""
    digest = hashlib.blake2b(f"{k.machine.retired} {k.machine.clock} {k.current}".encode(), digest_size=8)
    for tid in k.tasks.ids():
        task = k.tasks.peek(tid)
        digest.update(f" {tid} {task.state} {task.instructions} ".encode() + task.hart.save())
    return digest.hexdigest()


def go(k: Kernel, stops: Sequence[int]) -> Run:
    """Run to the end; on the way stop after each of `stops` instructions, the last of which repeats."""
    log, seen, turn = record(k), [], 0
    while True:
        outcome = k.run(until=k.machine.retired + stops[min(turn, len(stops) - 1)])
        turn += 1
        seen.append((k.machine.retired, state(k)))
        if outcome.kind != "paused":
            break
    check(k)
    assert isinstance(k.door.output[STDOUT], bytearray)
    memory = hashlib.blake2b(k.machine.ram.bytes, digest_size=8).hexdigest()
    return Run(outcome, k.machine.retired, seen, log, bytes(k.door.output[STDOUT]), memory)


def run(case: Case, engine: str, objects: Kept) -> tuple[Run, dict[str, int]]:
    """The case on an engine, and the engine's figures."""
    k = machine(
        {"test": assemble(case.text)},
        [b"test"],
        engine=engine,
        quantum=case.quantum,
        fork=case.fork,
        sched=case.sched,
        seed=case.quantum,
        max_insns=MOST,
        objects=objects,
    )
    return go(k, case.stops), k.machine.stats


START = """
        .macro mix value
        slli    t6, s11, 5
        add     s11, s11, t6
        xor     s11, s11, \\value
        .endm
        .macro protect at, size, prot
        mv      a0, \\at
        li      a1, \\size
        li      a2, \\prot
        sys     226
        .endm
        .bss
        .balign 4096
area:   .zero   16384
stacks: .zero   32768
word:   .zero   8
done:   .zero   8
status: .zero   8
result: .zero   8
ticks:  .zero   8
        .data
        .balign 8
mend_action:    .dword  mend, 0x10000004, 0
tick_action:    .dword  tick, 0x10000004, 0
        .text
mend:   ld      a0, 16(a1)              # si_addr: open its page for everything
        srli    a0, a0, 12
        slli    a0, a0, 12
        li      a1, 4096
        li      a2, 7
        sys     226
        ret
tick:   ld      t0, 176(a2)             # the pc at which it came
        la      t1, ticks
        ld      t2, 0(t1)
        slli    t3, t2, 5
        add     t2, t2, t3
        xor     t2, t2, t0
        sd      t2, 0(t1)
        ret
_start:
        li      a0, 11
        la      a1, mend_action
        li      a2, 0
        li      a3, 8
        sys     134
        li      a0, 14
        la      a1, tick_action
        li      a2, 0
        li      a3, 8
        sys     134
        li      a0, 0
        li      a1, 4096
        li      a2, 7
        li      a3, 0x22
        li      a4, -1
        li      a5, 0
        sys     222
        mv      s2, a0
        li      s11, 1
"""

END = """
        la      a1, ticks
        ld      t0, 0(a1)
        mix     t0
        la      a1, result
        sd      s11, 0(a1)
        li      a0, 1
        li      a2, 8
        sys     64
        exit    0
"""


def timer(microseconds: int) -> str:
    """SIGALRM again and again from now on; 0: no more of them."""
    return f"""
        .data
        .balign 8
every:  .dword  0, {microseconds}, 0, {microseconds}
        .text
        li      a0, 0
        la      a1, every
        li      a2, 0
        sys     103
"""


def arithmetic(n: int, rounds: int) -> str:
    """Numbers, and the count of instructions, which must be exact inside a region."""
    return f"""
        li      t0, {rounds}
p{n}:   mul     t1, t0, s11
        csrr    t2, instret
        mix     t1
        mix     t2
        addi    t0, t0, -1
        bnez    t0, p{n}
"""


def writes(n: int, stride: int, rounds: int) -> str:
    """A loop that adds to words of the area."""
    return f"""
        la      t0, area
        li      t1, {rounds}
        li      t3, {stride}
p{n}:   ld      t2, 0(t0)
        add     t2, t2, s11
        sd      t2, 0(t0)
        mix     t2
        add     t0, t0, t3
        addi    t1, t1, -1
        bnez    t1, p{n}
"""


def faults(n: int, stride: int, rounds: int, prot: int) -> str:
    """The same, but each page must be mended in the middle of the loop."""
    return f"        la      t0, area\n        protect t0, 16384, {prot}\n" + writes(n, stride, rounds)


def forks(n: int, stride: int, rounds: int) -> str:
    """Parent and child write to pages that they share until then."""
    return f"""
        fork
        mv      s1, a0
        mix     s1
        {writes(n, stride, rounds)}
        bnez    s1, p{n}_parent
        andi    a0, s11, 63
        sys     94
p{n}_parent:
        li      a0, -1
        la      a1, status
        li      a2, 0
        li      a3, 0
        sys     260
        la      a1, status
        lwu     t0, 0(a1)
        mix     t0
"""


def new_code(n: int, rounds: int, inner: int, before: str) -> str:
    """A loop on a page of its own runs; each round changes its first instruction, after `before`."""
    return f"""
        j       p{n}
p{n}_source:
        addi    t1, t1, 1
        xor     t1, t1, t0
        addi    t0, t0, -1
        bnez    t0, p{n}_source
        ret
p{n}:   {copy(n, 5)}
        li      s3, {rounds}
p{n}_again:
        {before}
        lw      t2, 0(s2)
        lui     t3, 0x100
        addw    t2, t2, t3
        sw      t2, 0(s2)
        {before and before.replace("4096, 3", "4096, 5")}
        li      t0, {inner}
        li      t1, 0
        jalr    s2
        mix     t1
        addi    s3, s3, -1
        bnez    s3, p{n}_again
"""


def copy(n: int, words: int) -> str:
    """The source's words to the page of code."""
    return f"""
        protect s2, 4096, 7
        la      t0, p{n}_source
        mv      t1, s2
        li      t2, {words}
p{n}_copy:
        lw      t3, 0(t0)
        sw      t3, 0(t1)
        addi    t0, t0, 4
        addi    t1, t1, 4
        addi    t2, t2, -1
        bnez    t2, p{n}_copy
"""


def rewrites_itself(n: int, rounds: int, fence: str) -> str:
    """A loop that changes the instruction at its own beginning in every round, or every eighth."""
    return f"""
        j       p{n}
p{n}_source:
        addi    t1, t1, 1
        andi    t2, t0, 7
        bnez    t2, p{n}_on
        lw      t2, 0(s2)
        addw    t2, t2, t3
        sw      t2, 0(s2)
        {fence}
p{n}_on:
        addi    t0, t0, -1
        bnez    t0, p{n}_source
        ret
p{n}:   {copy(n, 10 if fence else 9)}
        li      t0, {rounds}
        li      t1, 0
        lui     t3, 0x100
        jalr    s2
        mix     t1
"""


ATOMIC = {
    "amo": "amoadd.d t2, t1, (t0)",
    "lr-sc": "1: lr.d t2, (t0)\n        add     t2, t2, t1\n        sc.d    t3, t2, (t0)\n        bnez    t3, 1b",
    "plain": "ld t2, 0(t0)\n        add     t2, t2, t1\n        sd      t2, 0(t0)",
}


def threads(n: int, rounds: int, how: str) -> str:
    """Two threads add to one word; with "plain" they lose some, and both engines must lose the same."""
    loop = """
        la      t0, word
        li      t1, 3
        li      t5, {rounds}
{label}: {add}
        mix     t2
        addi    t5, t5, -1
        bnez    t5, {label}
"""
    return f"""
        li      a0, 0x10f00
        la      a1, stacks
        li      t0, {4096 * (n + 1)}
        add     a1, a1, t0
        li      a2, 0
        li      a3, 0
        li      a4, 0
        sys     220
        bnez    a0, p{n}_main
        {loop.format(label=f"p{n}_thread", rounds=rounds, add=ATOMIC[how])}
        la      t0, done
        li      t1, 1
        amoadd.d zero, t1, (t0)
        li      a0, 0
        sys     93
p{n}_main:
        {loop.format(label=f"p{n}", rounds=rounds + 7, add=ATOMIC[how])}
        la      t0, done
p{n}_join:
        ld      t1, 0(t0)
        beqz    t1, p{n}_join
        sd      zero, 0(t0)
        la      t0, word
        ld      t1, 0(t0)
        mix     t1
"""


def jumps(n: int, rounds: int, mask: int) -> str:
    """Calls through a register, to one of several functions in turn."""
    return f"""
        la      s3, p{n}_table
        li      s4, {rounds}
p{n}:   andi    t1, s4, {mask}
        slli    t1, t1, 3
        add     t1, t1, s3
        jalr    t1
        addi    s4, s4, -1
        bnez    s4, p{n}
        j       p{n}_end
p{n}_table:
        addi    s11, s11, 11
        ret
        slli    s11, s11, 1
        ret
        xori    s11, s11, 85
        ret
        sub     s11, s11, s4
        ret
p{n}_end:
"""


_rounds = st.sampled_from((20, 33, 64, 100))
_strides = st.sampled_from((8, 120, 160))
PIECES = {
    "arithmetic": st.builds(lambda rounds: lambda n: arithmetic(n, rounds), _rounds),
    "faults": st.builds(
        lambda stride, rounds, prot: lambda n: faults(n, stride, rounds, prot),
        _strides,
        _rounds,
        st.sampled_from((0, 1)),
    ),
    "forks": st.builds(lambda stride, rounds: lambda n: forks(n, stride, rounds), _strides, _rounds),
    "new code": st.builds(
        lambda rounds, inner, before: lambda n: new_code(n, rounds, inner, before),
        st.integers(3, 12),
        st.integers(5, 40),
        st.sampled_from(("", "fence.i")),
    ),
    "protected code": st.builds(
        lambda rounds, inner: lambda n: new_code(n, rounds, inner, "protect s2, 4096, 3"),
        st.integers(3, 12),
        st.integers(5, 40),
    ),
    "rewrites itself": st.builds(
        lambda rounds, fence: lambda n: rewrites_itself(n, rounds, fence), _rounds, st.sampled_from(("", "fence.i"))
    ),
    "threads": st.builds(
        lambda rounds, how: lambda n: threads(n, rounds, how), _rounds, st.sampled_from(sorted(ATOMIC))
    ),
    "jumps": st.builds(lambda rounds, mask: lambda n: jumps(n, rounds, mask), _rounds, st.sampled_from((0, 1, 3))),
}


@st.composite
def cases(draw: st.DrawFn, kind: str) -> Case:
    """A program with a piece of this kind, others before or behind it, and perhaps a timer."""
    others = draw(st.lists(st.sampled_from(sorted(PIECES)), max_size=2))
    kinds = draw(st.permutations([kind, *others]))
    pieces = "".join(draw(PIECES[name])(n) for n, name in enumerate(kinds))
    microseconds = draw(st.sampled_from((0, 1, 1, 2, 5)))
    text = START + (timer(microseconds) if microseconds else "") + pieces + END
    ones = (1,) * draw(st.sampled_from((0, 0, 100)))
    stops = (draw(st.integers(1, 3000)), *ones, *draw(st.lists(st.integers(1, 200), max_size=20)))
    return Case(
        text,
        draw(st.sampled_from((64, 65, 97, 300, 1000, 100_000))),
        draw(st.sampled_from(FORKS)),
        draw(st.sampled_from(("rr", "rr", "random"))),
        (*stops, draw(st.sampled_from((77, 501, 4001)))),
    )
