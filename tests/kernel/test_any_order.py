"""fork, threads, store, exec, exit, wait, kill, groups, brk in any order, by several processes, against a plain model.

The model of a process is a dict of words, and another for a mapping that it shares with its relatives. After every
step each process's memory must be what its model says, the reference counts what the page tables say, and after the
last exit nothing may be left.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kernel import pagetable
from kernel.check import check, check_end
from kernel.errno import EACCES, EAGAIN, ECHILD, ENOMEM, EPERM, ESRCH
from kernel.syscalls.misc import UTSNAME
from tests.kernel.puppet import DATA, DATA_BYTES, DATA_END, DATA_SIZE, HEAP, Puppets

PAGE = 4096
STACK = 0x3F_FFFF_F000
SPOTS = [
    *(DATA, DATA + 8, DATA + PAGE - 8, DATA + PAGE, DATA + DATA_SIZE - 8, DATA + DATA_SIZE + 8 & -8),
    *(DATA + 2 * PAGE, DATA_END - 8, HEAP, HEAP + PAGE, HEAP + 2 * PAGE + 16, HEAP + 700 * PAGE),
    *(STACK - 4 * PAGE, STACK - 40 * PAGE, STACK - 2000 * PAGE),
]
SHARED_AT = 0x2000_0000  # pid 1 maps it before anything happens
SHARED_SPOTS = [SHARED_AT, SHARED_AT + PAGE - 8, SHARED_AT + PAGE + 16]
THREAD = 0x50F00  # CLONE_VM and what goes with it
NAMES = b"".join(field.ljust(65, b"\0") for field in UTSNAME)


def initial(va: int) -> int:
    """What a fresh puppet has at `va`."""
    offset = va - DATA
    return int.from_bytes(DATA_BYTES[offset : offset + 8].ljust(8, b"\0"), "little") if 0 <= offset < DATA_SIZE else 0


class Model:
    """One process as it should be."""

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.words: dict[int, int] = {}
        self.brk = HEAP
        self.status: int | None = None  # once it is a zombie
        self.threads: list[int] = []  # tids beside the leader's
        self.group = 1
        self.has_execed = False
        self.shared: dict[int, int] | None = None  # the words of the shared mapping, if it has it

    def copy(self, parent: int) -> Model:
        child = Model(parent)
        child.words, child.brk = dict(self.words), self.brk
        child.group, child.shared = self.group, self.shared
        return child

    def accessible(self, va: int) -> bool:
        if va in SHARED_SPOTS:
            return self.shared is not None
        return va < HEAP or va >= STACK - (8 << 20) or va < (self.brk + PAGE - 1 & -PAGE)

    def value(self, va: int) -> int:
        if va in SHARED_SPOTS and self.shared is not None:
            return self.shared.get(va, 0)
        return self.words.get(va, initial(va))


class AnyOrder(RuleBasedStateMachine):
    memory = 4 << 20
    policy = "cow"

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[int, Model] = {}

    @initialize()
    def boot(self) -> None:
        self.p = Puppets(memory=self.memory, max_procs=12, pid_max=400, fork=self.policy)
        self.models[1] = Model(0)

    @precondition(lambda self: not self.p.alive(1))
    @rule()
    def boot_again(self) -> None:
        """Memory has run out for pid 1 itself, which ends the machine: nothing may be left of it."""
        check_end(self.p.k)
        self.models.clear()
        self.boot()

    # --- choosing ---------------------------------------------------------------------------------------

    def pick(self, number: int) -> int:
        living = sorted(pid for pid, model in self.models.items() if model.status is None)
        return living[number % len(living)]

    def one_of(self, pid: int, number: int) -> int:
        """One of its threads."""
        tids = [pid, *self.models[pid].threads]
        return tids[number % len(tids)]

    def ended(self, pid: int, status: int) -> None:
        """The process is a zombie; its children are init's."""
        self.models[pid].status = status
        self.models[pid].threads = []
        for model in self.models.values():
            if model.parent == pid:
                model.parent = 1

    def killed_for_memory(self, pid: int) -> bool:
        """Did the last access end the process because there was no frame left? Then the model's process ends too."""
        if self.p.alive(pid):
            return False
        outcome = self.p.k.outcome
        death = self.p.k.groups.peek(pid).death if outcome is None else outcome.death
        assert death is not None
        assert "out of memory" in death.note
        if pid != 1:
            self.ended(pid, 9)
        return True

    # --- what processes do ------------------------------------------------------------------------------

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 35), va=st.sampled_from([*SPOTS, *SHARED_SPOTS]), value=st.integers(0, (1 << 64) - 1))
    def store(self, who: int, va: int, value: int) -> None:
        pid = self.pick(who)
        model, tid = self.models[pid], self.one_of(pid, who // 7)
        if not model.accessible(va):
            if pid != 1:
                assert not self.p.store(tid, va, value)
                self.ended(pid, 11)
        elif self.p.store(tid, va, value) or not self.killed_for_memory(pid):
            (model.words if va not in SHARED_SPOTS or model.shared is None else model.shared)[va] = value

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 35), va=st.sampled_from([*SPOTS, *SHARED_SPOTS]))
    def load(self, who: int, va: int) -> None:
        pid = self.pick(who)
        if self.models[pid].accessible(va):
            value = self.p.load(self.one_of(pid, who // 7), va)
            assert self.killed_for_memory(pid) or value == self.models[pid].value(va)

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), va=st.sampled_from([DATA, DATA + PAGE - 8, DATA + 2 * PAGE + 1000, HEAP]))
    def kernel_write(self, who: int, va: int) -> None:
        """uname stores 390 bytes, over the end of a page too."""
        pid = self.pick(who)
        model = self.models[pid]
        result = self.p.call(pid, "uname", va)
        if result == 0:
            assert b"".join(self.peek(pid, va + at, 65) for at in range(0, 390, 65)) == NAMES
        elif result == -ENOMEM:
            assert self.p.k.frames.used > self.p.k.frames.total - 4
        else:
            assert not model.accessible(va) or not model.accessible(va + 389)
        self.accept(pid, va)

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), pages=st.integers(0, 800), odd=st.booleans())
    def brk(self, who: int, pages: int, odd: bool) -> None:
        pid = self.pick(who)
        model, wanted = self.models[pid], HEAP + pages * PAGE + 5 * odd
        result = self.p.call(pid, "brk", wanted)
        if result != wanted:
            assert pages * PAGE > self.memory - (64 << 10) and result == model.brk
            return
        end = wanted + PAGE - 1 & -PAGE
        model.words = {va: word for va, word in model.words.items() if not end <= va < STACK - (8 << 20)}
        model.brk = wanted

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11))
    def fork(self, who: int) -> None:
        pid = self.pick(who)
        child = self.p.fork(pid)
        if child > 0:
            assert child not in self.numbers(), "a pid was given out twice"
            self.models[child] = self.models[pid].copy(pid)
        elif child == -EAGAIN:
            assert len(self.numbers()) == 12
        else:
            assert child == -ENOMEM

    def numbers(self) -> list[int]:
        """The pids and tids that are taken."""
        return [*self.models, *[tid for model in self.models.values() for tid in model.threads]]

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11))
    def thread(self, who: int) -> None:
        pid = self.pick(who)
        tid = self.p.call(self.one_of(pid, who // 3), "clone", THREAD)
        assert tid is not None
        if tid > 0:
            assert tid not in self.numbers(), "a tid was given out twice"
            self.models[pid].threads.append(tid)
        else:
            assert tid == -EAGAIN
            assert len(self.numbers()) == 12

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), code=st.integers(0, 255))
    def thread_leaves(self, who: int, code: int) -> None:
        model = self.models[self.pick(who)]
        if model.threads:
            self.p.call(model.threads.pop(who % len(model.threads)), "exit", code)

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), whom=st.integers(0, 11))
    def setpgid(self, who: int, whom: int) -> None:
        pid, child = self.pick(who), self.pick(whom)
        model = self.models[child]
        result = self.p.call(pid, "setpgid", child, child)
        if pid == child or (model.parent == pid and not model.has_execed):
            assert result == (0 if child != 1 else -EPERM), "pid 1 leads the session"
            model.group = child
        else:
            assert result == (-EACCES if model.parent == pid else -ESRCH)

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), whom=st.integers(0, 11))
    def wait_for_a_group(self, who: int, whom: int) -> None:
        pid, group = self.pick(who), self.models[self.pick(whom)].group
        family = {c: m for c, m in self.models.items() if m.parent == pid and m.group == group and group != 1}
        zombies = [child for child, model in family.items() if model.status is not None]
        if group != 1:
            result = self.p.call(pid, "wait4", -group, 0, 1)
            assert result in (zombies or [0] if family else [-ECHILD])
            if zombies:
                del self.models[result or 0]

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11))
    def execute(self, who: int) -> None:
        pid = self.pick(who)
        result = self.p.execute(pid)
        if result == 0:
            model = Model(self.models[pid].parent)
            model.group, model.has_execed = self.models[pid].group, True
            self.models[pid] = model
        else:
            assert result == -ENOMEM

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), code=st.integers(0, 255))
    def leave(self, who: int, code: int) -> None:
        pid = self.pick(who)
        if pid != 1:
            self.p.call(self.one_of(pid, code), "exit_group", code)
            self.ended(pid, code << 8)

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), whom=st.integers(0, 11))
    def kill(self, who: int, whom: int) -> None:
        pid, target = self.pick(who), self.pick(whom)
        assert self.p.call(pid, "kill", target, 9) == 0 or pid == target
        if target != 1:
            if self.p.alive(target):
                self.p.run(target)
            self.ended(target, 9)

    @precondition(lambda self: self.p.alive(1))
    @rule(who=st.integers(0, 11), which=st.integers(0, 11))
    def wait(self, who: int, which: int) -> None:
        pid = self.pick(who)
        children = [child for child, model in self.models.items() if model.parent == pid]
        target = -1 if which == 0 or not children else children[which % len(children)]
        result = self.p.call(pid, "wait4", target, 0, 1)
        zombies = [c for c in children if self.models[c].status is not None and target in (-1, c)]
        if not children:
            assert result == -ECHILD
        elif not zombies:
            assert result == 0
        else:
            assert result in zombies
            del self.models[result]

    # --- what must be true --------------------------------------------------------------------------------

    def peek(self, pid: int, va: int, size: int) -> bytes:
        """Bytes of a process's memory as the page tables and files have them, without touching anything."""
        k = self.p.k
        root = k.mms.peek(k.tasks.peek(pid).mm).root
        if va % PAGE + size > PAGE:
            here = PAGE - va % PAGE
            return self.peek(pid, va, here) + self.peek(pid, va + here, size - here)
        slot = pagetable.find(k, root, va)
        entry = k.machine.ram.read64(slot) if slot else 0
        if not entry and va in SHARED_SPOTS:
            return (self.models[pid].shared or {}).get(va, 0).to_bytes(size, "little")  # whoever touches it finds it
        if not entry:
            return b"".join(initial(at).to_bytes(8, "little")[:1] for at in range(va, va + size))
        return k.machine.ram.read((entry >> 10) * PAGE + va % PAGE, size)

    def accept(self, pid: int, va: int) -> None:
        """What a call has written, whole or not, is in the model from now on."""
        for at in range(va & -8, va + 400, 8):
            if self.models[pid].accessible(at):
                self.models[pid].words[at] = int.from_bytes(self.peek(pid, at, 8), "little")

    @invariant()
    def contents_are_the_models(self) -> None:
        for pid, model in self.models.items():
            if model.status is None and self.p.alive(pid):
                for va in {*SPOTS, *SHARED_SPOTS, *model.words}:
                    if model.accessible(va):
                        assert int.from_bytes(self.peek(pid, va, 8), "little") == model.value(va), (pid, hex(va))

    @invariant()
    def the_kernel_agrees_with_itself(self) -> None:
        if self.models:
            check(self.p.k)

    @invariant()
    def parents_are_the_models(self) -> None:
        if self.models and self.p.alive(1):
            groups = self.p.k.groups
            assert groups.ids() == sorted(self.models)
            for pid, model in self.models.items():
                group = groups.peek(pid)
                assert (group.parent, group.zombie) == (model.parent, model.status is not None)
                assert group.pgid == model.group
                assert list(group.threads) == ([pid, *model.threads] if model.status is None else [])
                assert not group.zombie or group.status == model.status

    def teardown(self) -> None:
        if self.models:
            if self.p.alive(1):
                self.p.call(1, "exit_group", 0)
            check_end(self.p.k)


class LittleMemory(AnyOrder):
    """The same where memory runs out all the time."""

    memory = 300 << 10


class SharedTables(AnyOrder):
    policy = "shared-tables"


class LittleMemorySharedTables(LittleMemory):
    policy = "shared-tables"


class Eager(AnyOrder):
    policy = "eager"


class LittleMemoryEager(LittleMemory):
    policy = "eager"


FEWER = settings().max_examples // 3  # for the policies that aren't the default
TestAnyOrder = AnyOrder.TestCase
TestLittleMemory = LittleMemory.TestCase
TestSharedTables = SharedTables.TestCase
TestLittleMemorySharedTables = LittleMemorySharedTables.TestCase
TestEager = Eager.TestCase
TestLittleMemoryEager = LittleMemoryEager.TestCase
TestAnyOrder.settings = TestLittleMemory.settings = settings(stateful_step_count=40, max_examples=FEWER)
TestSharedTables.settings = TestLittleMemorySharedTables.settings = settings(stateful_step_count=40)
TestEager.settings = TestLittleMemoryEager.settings = settings(stateful_step_count=25, max_examples=FEWER)
