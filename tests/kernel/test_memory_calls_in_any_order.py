"""The calls that change address spaces, by processes and threads that share and copy them, in any order.

No model says what each answers (test_memory_model.py has one); after every step the checker must find all counts true,
under each policy of fork, with memory short or not.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kernel.check import check, check_end
from kernel.kernel import Kernel
from kernel.pagetable import reached
from tests.kernel.puppet import DATA, HEAP, PATH_AT, Puppets
from vm.mmu import PTE_R, PTE_V, PTE_W, PTE_X
from vm.ram import RAM_BASE

PAGE = 4096
MASK = (1 << 64) - 1
# Places that lie close to each other, or at the edges of page tables.
BASES = (DATA, HEAP, 0x1000_0000, 0x101F_F000, 0x3F_0000_0000, 0x4000_0000 - 2 * PAGE, 0x3F_FFFF_B000)


places = st.builds(
    lambda base, page: base + page * PAGE, st.sampled_from(BASES), st.sampled_from((0, 0, 1, 1, *range(2, 9)))
)
lengths = st.sampled_from([0, 1, 1, 2, 3, 8, 512, 513]).map(lambda pages: pages * PAGE)
protections = st.sampled_from([3, 3, 3, 0, 1, 5, 7])
kinds = st.sampled_from([0x22, 0x32, 0x31, 0x21, 0x8032, 0x8031])  # private and shared, fixed or not, populated


def call(name: str, *arguments: object) -> st.SearchStrategy[tuple[object, ...]]:
    """A system call; arguments that are no strategies stand for themselves."""
    return st.tuples(st.just(name), *[a if isinstance(a, st.SearchStrategy) else st.just(a) for a in arguments])


steps = st.one_of(
    call("clone", st.sampled_from([17, 17, 17, 0x111, 0x50F00])),
    call("clone", 17),
    call("mmap", places, lengths, protections, kinds, MASK, 0),
    call("mmap", places, lengths, protections, kinds, MASK, 0),
    call("munmap", places, lengths),
    call("mprotect", places, lengths, protections),
    call("mremap", places, lengths, lengths, st.sampled_from([0, 1, 3]), places),
    call("madvise", places, lengths, st.sampled_from([4, 8, 10, 11, 18, 19, 20, 21, 22, 23])),
    call("brk", st.integers(0, 20 * PAGE).map(lambda size: HEAP + size)),
    call("mlock", places, lengths),
    call("mlockall", st.integers(1, 7)),
    call("execve", PATH_AT, 0, 0),
    call("exit_group", 3),
    call("wait4", MASK, 0, 1),
    call("uname", places.map(lambda place: place - 100)),
    st.tuples(st.sampled_from(["load", "store"]), places, st.integers(0, 1000)),
    st.tuples(st.just("store"), places, st.integers(0, 1000)),
)


@given(
    st.lists(st.tuples(st.integers(0, 7), steps), min_size=10, max_size=60),
    st.sampled_from(["shared-tables", "shared-tables", "cow", "eager"]),
    st.sampled_from([1 << 20, 6 << 20]),
)
def test_whatever_is_done_to_memory_all_counts_stay_true(
    todo: list[tuple[int, tuple[object, ...]]], policy: str, memory: int
) -> None:
    p = Puppets(memory=memory, max_procs=10, pid_max=310, fork=policy)
    for place in BASES[2:-1]:
        p.call(1, "mmap", place, 9 * PAGE, 3, 0x32, MASK, 0)
    child = p.fork(1)
    for place in BASES[:1] + BASES[2:-1]:
        p.store(child, place, 1)
        p.store(child, place + PAGE, 1)
    for who, step in todo:
        ready = [tid for tid in p.k.tasks.ids() if p.k.tasks.peek(tid).state == "R" and not p.k.tasks.peek(tid).pending]
        if not ready or p.k.outcome is not None:
            break
        do(p, ready[who % len(ready)], step)
        check(p.k)
        assert stale(p.k) == []
    if p.k.outcome is None and p.k.tasks.peek(1).state == "R" and not p.k.tasks.peek(1).pending:
        p.call(1, "exit_group", 0)
        check_end(p.k)


NEEDED = {"load": PTE_V | PTE_R, "store": PTE_V | PTE_W, "fetch": PTE_V | PTE_X}


def stale(k: Kernel) -> list[tuple[int, str, int]]:
    """(address space, access, page) of what the TLB still lets through, though the page tables don't say so."""
    found = []
    for mm_id in k.mms.ids():
        mm = k.mms.peek(mm_id)
        if mm.generation != k.asid_generation or mm.asid not in k.machine.tlb.spaces:
            continue
        for access, needed in NEEDED.items():
            for page, offset in getattr(k.machine.tlb.spaces[mm.asid], access).items():
                entry = reached(k, mm.root, page)
                if entry & needed != needed or (entry >> 10) * PAGE - RAM_BASE != page + offset:
                    found.append((mm_id, access, page))
    return found


def do(p: Puppets, tid: int, step: tuple[object, ...]) -> None:
    """Pid 1 does nothing that could end it: the machine would end with it."""
    name, *numbers = step
    arguments = [int(str(number)) for number in numbers]
    if name == "store" and tid != 1:
        p.store(tid, arguments[0], arguments[1])
    elif name == "load" and tid != 1:
        p.load(tid, arguments[0])
    elif name not in ("load", "store") and (name != "exit_group" or tid != 1):
        p.call(tid, str(name), *arguments)
