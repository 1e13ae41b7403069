"""Threads that call anything with anything, while others of their processes do too: errno or a signal, never worse."""

from __future__ import annotations

from random import Random

import pytest

from kernel.check import check
from kernel.task import RUNNING
from tests.kernel.puppet import DATA, RODATA, SYS, Puppets

SYS.update(
    {
        "exit": 93, "set_tid_address": 96, "unshare": 97, "futex": 98, "set_robust_list": 99, "get_robust_list": 100,
        "tkill": 130, "tgkill": 131, "rt_sigaction": 134, "rt_sigprocmask": 135, "pipe2": 59, "clone3": 435,
        "sched_setscheduler": 119, "dup3": 24,
    }
)  # fmt: skip
CALLS = sorted({*SYS} - {"nothing"})
WEIGHTED = CALLS + ["clone"] * 12 + ["futex"] * 15 + ["set_robust_list", "set_tid_address", "clone3"] * 3
FLAGS = (0x100, 0x200, 0x400, 0x800, 0x1000, 0x4000, 0x8000, 0x10000, 0x100000, 0x200000, 0x400000, 0x1000000)
POINTERS = (0, 8, DATA, DATA + 4, DATA + 8, DATA + 0xFF8, RODATA, RODATA + 0x800, 1 << 37, (1 << 64) - 8, DATA + 2)
NUMBERS = (0, 1, 2, 3, 7, 9, 10, 17, 18, 19, 24, 64, 65, 88, 128, 256, 4096, 1 << 31, (1 << 64) - 1)
WORDS = (0, 1, 17, 24, DATA, DATA + 8, DATA + 1, 1 << 31, 0x10100, (1 << 64) - 1)


def argument(random: Random, pids: list[int]) -> int:
    return random.choice((random.choice(POINTERS), random.choice(NUMBERS), random.choice(pids), random.getrandbits(64)))


def flags(random: Random) -> int:
    """Mostly a thread or a process that shares something."""
    usual = random.choice((17, 0x50F00, 0x350F00, 0x10D00, 0x900 | 17, 0x400 | 17, 0x4100 | 17))
    return usual | (random.choice(FLAGS) if random.random() < 0.4 else 0)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_that_threads_call_upsets_the_kernel(seed: int) -> None:
    random, p = Random(seed), Puppets(memory=4 << 20, max_procs=24, pid_max=400)
    for step in range(250):
        able = [tid for tid in p.k.tasks.ids() if p.k.tasks.peek(tid).state == RUNNING]
        if not able or p.k.outcome is not None:
            break
        tid = random.choice(able)
        if p.k.tasks.peek(tid).pending is not None or p.k.tasks.peek(tid).attention:
            p.run(tid)
            continue
        p.store(tid, DATA + 8 * random.randrange(16), random.choice(WORDS))
        name = random.choice(WEIGHTED)
        if p.alive(tid) and not (tid == 1 and name in ("exit", "exit_group")):
            arguments = [argument(random, p.k.tasks.ids()) for _ in range(6)]
            if name == "clone":
                arguments[0] = flags(random)
            p.call(tid, name, *arguments)
        if step % 5 == 0:
            check(p.k)
    check(p.k)
