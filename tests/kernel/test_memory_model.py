"""mmap, munmap, mprotect, fork, stores and loads in any order over a few pages, against dictionaries."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kernel.check import check, check_end
from kernel.errno import ENOMEM
from kernel.signal_numbers import SIGBUS, SIGSEGV
from kernel.user_memory import copy_out
from tests.kernel.puppet import DATA, Puppets

PAGE = 4096
PAGES = 8
BASE = 0x20_4000_0000 - 4 * 4096  # half of the pages are below another upper table, too
R, W = 1, 2
SHARED, PRIVATE, FIXED, ANON = 1, 2, 0x10, 0x20
FILE = 0  # the object that is the memfd; others are shared anonymous memory

pages = st.integers(0, PAGES - 1)
prots = st.sampled_from([0, R, R | W, R | W])
ranges = st.tuples(pages, st.integers(1, 3))
who = st.integers(0, 5)


class Page(NamedTuple):
    """What a process has at one page: private pages have a value of their own once they were written."""

    prot: int
    shared: bool
    thing: int  # the object behind it, -1: none
    index: int  # page of the object
    value: int | None  # what was written there privately; None: nothing yet
    fork: str = ""  # what madvise said a child gets


class Memory(RuleBasedStateMachine):
    """`spaces`: pid → page → Page; `objects`: what the pages of each shared object say."""

    policy = "cow"

    @initialize()
    def boot(self) -> None:
        self.p = Puppets(memory=4 << 20, fork=self.policy)
        self.spaces: dict[int, dict[int, Page]] = {1: {}}
        self.objects: dict[int, list[int]] = {FILE: [0] * PAGES}
        self.size = PAGES
        self.next = 1
        copy_out(self.p.k, self.p.k.tasks[1], DATA, b"m\0")
        fd = self.p.call(1, "memfd_create", DATA, 0)
        assert fd is not None
        self.fd = fd
        assert self.p.call(1, "ftruncate", self.fd, PAGES * PAGE) == 0

    def pid(self, number: int) -> int:
        return sorted(self.spaces)[number % len(self.spaces)]

    @rule(number=who, where=ranges, prot=prots, shared=st.booleans(), file=st.booleans(), index=pages)
    def mmap(self, number: int, where: tuple[int, int], prot: int, shared: bool, file: bool, index: int) -> None:
        pid, (first, count) = self.pid(number), where
        flags = FIXED | (SHARED if shared else PRIVATE) | (0 if file else ANON)
        fd, offset = (self.fd, index * PAGE) if file else (-1, 0)
        assert (
            self.p.call(pid, "mmap", BASE + first * PAGE, count * PAGE, prot, flags, fd, offset) == BASE + first * PAGE
        )
        thing = FILE if file else -1
        if shared and not file:
            thing, self.next = self.next, self.next + 1
            self.objects[thing] = [0] * count
        for page in range(count):
            at = page + (index if file else 0)
            self.spaces[pid][first + page] = Page(prot, shared, thing, at, None)

    @rule(number=who, where=ranges)
    def munmap(self, number: int, where: tuple[int, int]) -> None:
        pid, (first, count) = self.pid(number), where
        assert self.p.call(pid, "munmap", BASE + first * PAGE, count * PAGE) == 0
        for page in range(first, first + count):
            self.spaces[pid].pop(page, None)

    @rule(number=who, half=st.sampled_from([0, 1, 2]))
    def munmap_whole_tables(self, number: int, half: int) -> None:
        """The lower half of the pages, the upper one, or both, with all that could be below the same page tables."""
        pid = self.pid(number)
        first, last = (0, PAGES // 2) if half == 0 else (PAGES // 2, PAGES) if half == 1 else (0, PAGES)
        start = BASE + first * PAGE & -(1 << 30)
        assert self.p.call(pid, "munmap", start, 2 << 30 if half == 2 else 1 << 30) == 0
        for page in range(first, last):
            self.spaces[pid].pop(page, None)

    @rule(number=who, where=ranges, prot=prots)
    def mprotect(self, number: int, where: tuple[int, int], prot: int) -> None:
        pid, (first, count) = self.pid(number), where
        expected = 0
        for page in range(first, first + count):
            if page not in self.spaces[pid]:
                expected = -ENOMEM
                break
            self.spaces[pid][page] = self.spaces[pid][page]._replace(prot=prot)
        assert self.p.call(pid, "mprotect", BASE + first * PAGE, count * PAGE, prot) == expected

    @rule(number=who, page=pages, advice=st.sampled_from([4, 10, 11, 18, 19]))
    def madvise(self, number: int, page: int, advice: int) -> None:
        pid = self.pid(number)
        old = self.spaces[pid].get(page)
        refused = old is not None and advice == 18 and (old.shared or old.thing >= 0)
        result = self.p.call(pid, "madvise", BASE + page * PAGE, PAGE, advice)
        assert result == (-ENOMEM if old is None else -22 if refused else 0)
        if old is None or refused:
            return
        if advice == 4:
            self.spaces[pid][page] = old._replace(value=None)
        elif advice in (10, 11):
            self.spaces[pid][page] = old._replace(fork=old.fork.replace("d", "") + "d" * (advice == 10))
        else:
            self.spaces[pid][page] = old._replace(fork=old.fork.replace("w", "") + "w" * (advice == 18))

    @rule(number=who, source=pages, to=pages)
    def mremap(self, number: int, source: int, to: int) -> None:
        pid = self.pid(number)
        old = self.spaces[pid].get(source)
        result = self.p.call(pid, "mremap", BASE + source * PAGE, PAGE, PAGE, 3, BASE + to * PAGE)
        if old is None or source == to:
            assert result == (-14 if old is None else -22)
            return
        assert result == BASE + to * PAGE
        self.spaces[pid][to] = self.spaces[pid].pop(source)

    @precondition(lambda self: len(self.spaces) < 5)
    @rule(number=who)
    def fork(self, number: int) -> None:
        pid = self.pid(number)
        child = self.p.fork(pid)
        assert child > 0
        self.spaces[child] = {
            page: old._replace(value=None) if "w" in old.fork else old
            for page, old in self.spaces[pid].items()
            if "d" not in old.fork
        }

    @rule(size=st.integers(0, PAGES))
    def truncate(self, size: int) -> None:
        assert self.p.call(1, "ftruncate", self.fd, size * PAGE) == 0
        self.size = size
        self.objects[FILE][size:] = [0] * (PAGES - size)
        for space in self.spaces.values():
            for page, old in list(space.items()):
                if old.thing == FILE and old.index >= size:
                    space[page] = old._replace(value=None)

    def behind(self, old: Page) -> bool:
        end = self.size if old.thing == FILE else len(self.objects.get(old.thing, []))
        return old.thing >= 0 and old.index >= end

    def ended(self, pid: int, signals: int) -> None:
        """The process died of it; pid 1 would end the machine, so it is never made to."""
        assert self.p.k.groups.peek(pid).death.signal == signals
        del self.spaces[pid]

    @rule(number=who, page=pages, value=st.integers(1, 100))
    def store(self, number: int, page: int, value: int) -> None:
        pid = self.pid(number)
        old = self.spaces[pid].get(page)
        fails = SIGSEGV if old is None or not old.prot & W else SIGBUS if self.behind(old) and old.value is None else 0
        if fails and pid == 1:
            return
        assert self.p.store(pid, BASE + page * PAGE, value) == (not fails)
        if fails:
            self.ended(pid, fails)
        elif old is not None and old.shared:
            self.objects[old.thing][old.index] = value
        elif old is not None:
            self.spaces[pid][page] = old._replace(value=value)

    @rule(number=who, page=pages)
    def load(self, number: int, page: int) -> None:
        pid = self.pid(number)
        old = self.spaces[pid].get(page)
        fails = SIGSEGV if old is None or not old.prot else SIGBUS if self.behind(old) and old.value is None else 0
        if fails and pid == 1:
            return
        found = self.p.load(pid, BASE + page * PAGE)
        if fails:
            self.ended(pid, fails)
        elif old is not None:
            behind = self.objects[old.thing][old.index] if old.thing >= 0 else 0
            assert found == (behind if old.value is None else old.value)

    @precondition(lambda self: len(self.spaces) > 1)
    @rule(number=who)
    def exit(self, number: int) -> None:
        pid = max(self.pid(number), 2)
        pid = pid if pid in self.spaces else max(self.spaces)
        self.p.call(pid, "exit_group", 0)
        del self.spaces[pid]

    @invariant()
    def the_books_are_right(self) -> None:
        check(self.p.k)

    def teardown(self) -> None:
        if hasattr(self, "p"):
            self.p.call(1, "exit_group", 0)
            check_end(self.p.k)


class SharedTables(Memory):
    policy = "shared-tables"


class Eager(Memory):
    policy = "eager"


FEWER = settings().max_examples // 3  # for the policies that aren't the default
TestMemory = Memory.TestCase
TestSharedTables = SharedTables.TestCase
TestEager = Eager.TestCase
TestMemory.settings = settings(stateful_step_count=40, max_examples=FEWER)
TestSharedTables.settings = settings(stateful_step_count=40)
TestEager.settings = settings(stateful_step_count=25, max_examples=FEWER)
