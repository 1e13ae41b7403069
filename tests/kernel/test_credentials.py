"""Who a process is, who it may become, and what that allows: here, and on the Linux that runs the test."""

from __future__ import annotations

import ctypes
import os
import pickle
from collections.abc import Callable
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.credentials import ALL
from kernel.errno import EAGAIN, EFAULT, EINVAL, EPERM, ESRCH
from kernel.kernel import Kernel
from kernel.signal_numbers import SIGCONT, SIGKILL, SIGTERM
from tests.kernel.fs.box import BAD, MEMORY, Box
from tests.kernel.fs.linux import need_linux
from tests.kernel.machines import assemble, machine
from tests.oracles import lacking

V3 = 0x20080522
# x86-64's numbers of the same calls; those of riscv64 are in the table of system calls.
NUMBERS = {
    "setuid": 105, "setgid": 106, "setreuid": 113, "setregid": 114, "getgroups": 115, "setgroups": 116,
    "setresuid": 117, "getresuid": 118, "setresgid": 119, "getresgid": 120, "setfsuid": 122, "setfsgid": 123,
    "capget": 125, "capset": 126,
}  # fmt: skip


class Host:
    """The calls of a Box, made by this process: a child that has nothing to lose."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.syscall.restype = ctypes.c_long
        self.memory = ctypes.create_string_buffer(4096)
        self.at = ctypes.addressof(self.memory)

    def call(self, name: str, *arguments: int) -> int:
        values = [ctypes.c_long(value) for value in (*arguments, 0, 0, 0)[:3]]
        result = int(self.libc.syscall(NUMBERS[name], *values))
        return -ctypes.get_errno() if result == -1 else result

    def poke(self, data: bytes, at: int) -> int:
        ctypes.memmove(at, data, len(data))
        return at

    def peek(self, size: int, at: int) -> bytes:
        return ctypes.string_at(at, size)


def in_a_child(work: Callable[[], Any]) -> Any:
    """What `work` returns, done by a child of this process."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writer, pickle.dumps(work()))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return pickle.loads(answer)


def capabilities(side: Any, at: int) -> tuple[int, int, int]:
    """(effective, permitted, inheritable)."""
    side.poke(pack("<Ii", V3, 0), at)
    assert side.call("capget", at, at + 8) == 0
    words = unpack("<6I", side.peek(24, at + 8))
    effective, permitted, inheritable = (words[i] | words[i + 3] << 32 for i in range(3))
    return effective, permitted, inheritable


def show(side: Any, at: int, mask: int) -> list[Any]:
    """All that a process can ask about itself; of capabilities, those that the host's root has."""
    ids = []
    for name in ("getresuid", "getresgid"):
        assert side.call(name, at, at + 4, at + 8) == 0
        ids += unpack("<3I", side.peek(12, at))
    ids += [side.call("setfsuid", -1), side.call("setfsgid", -1)]
    return [*ids, *(powers & mask for powers in capabilities(side, at))]


def play(side: Any, at: int, mask: int, calls: list[tuple[Any, ...]]) -> list[Any]:
    results = []
    for name, *arguments in calls:
        if name == "setgroups":
            side.poke(pack(f"<{len(arguments)}I", *arguments), at)
            results.append(side.call(name, len(arguments), at))
            count = side.call("getgroups", 100, at)
            results.append(unpack(f"<{count}I", side.peek(4 * count, at)))
        elif name == "capset":
            words = [value >> shift & 0xFFFFFFFF for shift in (0, 32) for value in arguments]
            side.poke(pack("<Ii6I", V3, 0, *words), at)
            results.append(side.call(name, at, at + 8))
        else:
            results.append(side.call(name, *arguments))
        results.append(show(side, at, mask))
    return results


IDS = st.sampled_from([0, 0, 1000, 1000, 1001, 2000, -1, 1 << 31, (1 << 32) - 2])
SETS = st.sampled_from([0, 0, 0xC0, 0xFF, 1 << 7, (1 << 64) - 1, 0xDF])
CALLS = st.one_of(
    st.tuples(st.sampled_from(["setuid", "setgid", "setfsuid", "setfsgid"]), IDS),
    st.tuples(st.sampled_from(["setreuid", "setregid"]), IDS, IDS),
    st.tuples(st.sampled_from(["setresuid", "setresgid"]), IDS, IDS, IDS),
    st.lists(st.sampled_from([0, 5, 1000, 7, 7]), max_size=4).map(lambda groups: ("setgroups", *groups)),
    st.tuples(st.just("capset"), SETS, SETS, SETS),
)


@given(st.lists(CALLS, min_size=1, max_size=12))
def test_ids_and_capabilities_change_as_on_linux(calls: list[tuple[Any, ...]]) -> None:
    need_linux()
    if os.geteuid() or os.uname().machine != "x86_64":
        lacking("only root can become others, and the numbers are x86-64's")

    def there() -> tuple[int, list[Any]]:
        host = Host()
        host.call("setgroups", 0, 0)
        permitted = capabilities(host, host.at)[1]
        host.poke(pack("<Ii6I", V3, 0, *[permitted & 0xFFFFFFFF] * 2, 0, *[permitted >> 32] * 2, 0), host.at)
        assert host.call("capset", host.at, host.at + 8) == 0
        return permitted, play(host, host.at, permitted, [clip(call, permitted) for call in calls])

    mask, expected = in_a_child(there)
    box = Box(root=True)
    # The host's root may have fewer capabilities than all.
    box.task.cred = box.task.cred._replace(permitted=mask, effective=mask)
    assert play(box, MEMORY, mask, [clip(call, mask) for call in calls]) == expected
    box.check()


def clip(call: tuple[Any, ...], mask: int) -> tuple[Any, ...]:
    """Capabilities that the host's root has not are not asked for."""
    return (call[0], *(value & mask for value in call[1:])) if call[0] == "capset" else call


@pytest.mark.parametrize(("root", "number"), [(False, 1000), (True, 0)])
def test_the_machine_is_one_user_and_the_auxiliary_vector_agrees(root: bool, number: int) -> None:
    """AT_UID 11, AT_EUID 12, AT_GID 13, AT_EGID 14, AT_SECURE 23."""
    k = machine({"test": assemble("_start: exit 0")}, [b"test"], root=root)
    vector = auxiliary_vector(k, 1)
    assert [vector[key] for key in (11, 12, 13, 14, 23)] == [number] * 4 + [0]
    box = Box(root=root)
    assert [box.call(name) for name in ("getuid", "geteuid", "getgid", "getegid")] == [number] * 4
    assert capabilities(box, MEMORY) == ((ALL, ALL, 0) if root else (0, 0, 0))


def auxiliary_vector(k: Kernel, tid: int) -> dict[int, int]:
    """What a process that has just begun finds behind its environment."""
    from kernel.user_memory import copy_in_words

    t = k.tasks[tid]
    words = copy_in_words(k, t, t.hart.x[2], 200)
    at = words.index(0, words.index(0, 1) + 1) + 1  # behind the ends of argv and envp
    return dict(zip(words[at::2], words[at + 1 :: 2], strict=False))


@pytest.mark.parametrize(
    ("mode", "before", "after", "secure"),
    [
        (0o755, (1000, 1000, 1000), (1000, 1000, 1000), 0),
        (0o4755, (1000, 1000, 1000), (1000, 0, 0), 1),
        (0o4755, (0, 0, 0), (0, 0, 0), 0),
        (0o755, (1000, 0, 0), (1000, 0, 0), 1),
        (0o755, (1000, 1001, 1000), (1000, 1001, 1001), 1),
        (0o755, (0, 1000, 0), (0, 1000, 1000), 1),
    ],
)
def test_a_set_user_id_program_runs_as_its_owner(
    mode: int, before: tuple[int, ...], after: tuple[int, ...], secure: int
) -> None:
    """execve(2). The program can't trust its environment if it isn't who its caller really is."""
    box = Box(programs=Only({"test": assemble("_start: exit 0")}), root=True)
    inode = box.raw_stat("/bin/test")[1]
    box.k.inodes[inode].mode = 0o100000 | mode
    assert box.call("setresuid", *before) == 0
    cred = box.task.cred
    box.call("execve", box.string("/bin/test"), 0, 0)
    new = box.task.cred
    assert (new.uid, new.euid, new.suid) == after
    assert new.fsuid == new.euid
    assert bool(new.effective) == (new.euid == 0)
    assert bool(new.permitted) == (0 in (new.uid, new.euid))
    assert new.gid == cred.gid
    assert auxiliary_vector(box.k, 1)[23] == secure
    assert auxiliary_vector(box.k, 1)[12] == new.euid


class Only:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def names(self) -> list[str]:
        return list(self.files)

    def load(self, name: str) -> bytes:
        return self.files[name]


def test_a_set_group_id_bit_counts_only_where_the_group_may_run_it() -> None:
    """Without the group's x it marks files for mandatory locking, once: inode(7)."""
    for mode, egid in ((0o2755, 0), (0o2745, 1000)):
        box = Box(programs=Only({"test": assemble("_start: exit 0")}))
        box.k.inodes[box.raw_stat("/bin/test")[1]].mode = 0o100000 | mode
        box.call("execve", box.string("/bin/test"), 0, 0)
        assert (box.task.cred.gid, box.task.cred.egid, box.task.cred.sgid) == (1000, egid, egid)


def test_a_child_is_who_its_parent_is() -> None:
    box = Box(root=True)
    box.call("setgroups", 2, box.poke(pack("<2I", 7, 5)))
    box.call("setresuid", 1, 2, 3)
    child = box.fork()
    assert child.task.cred is box.task.cred
    assert child.task.cred.groups == (5, 7)
    child.call("setresuid", 2, 2, 2)
    assert box.task.cred.uid == 1


def test_one_signals_ones_own_and_root_everybody() -> None:
    box = Box(root=True)
    mine, other = box.fork(), box.fork()
    mine.call("setresuid", 1000, 1000, 1000)
    other.call("setresuid", 1001, 1001, 1001)
    assert mine.call("kill", other.task.tgid, 0) == -EPERM
    assert mine.call("kill", other.task.tgid, SIGTERM) == -EPERM
    assert mine.call("tkill", other.task.tid, SIGTERM) == -EPERM
    assert mine.call("tgkill", other.task.tgid, other.task.tid, SIGTERM) == -EPERM
    assert mine.call("kill", other.task.tgid, 65) == -EINVAL
    assert mine.call("kill", 99, SIGTERM) == -ESRCH
    assert mine.call("kill", mine.task.tgid, 0) == 0
    assert mine.call("kill", other.task.tgid, SIGCONT) == 0, "in the same session"
    info = pack("<iii", SIGTERM, 0, -1).ljust(128, b"\0")
    assert mine.call("rt_sigqueueinfo", other.task.tgid, SIGTERM, mine.poke(info)) == -EPERM
    assert mine.call("kill", -1, SIGKILL) == 0, "Linux says so, though nobody was reached"
    assert other.task.tid in box.k.tasks
    assert box.call("kill", other.task.tgid, SIGKILL) == 0


def test_a_zombie_is_still_somebodys() -> None:
    box = Box(root=True)
    mine, other = box.fork(), box.fork()
    mine.call("setuid", 1000)
    other.exit()
    assert mine.call("kill", other.task.tgid, SIGTERM) == -EPERM
    assert box.call("kill", other.task.tgid, SIGTERM) == 0


def test_who_gets_a_signal_sees_the_real_user_of_who_sent_it() -> None:
    box = Box(root=True)
    child = box.fork()
    child.call("setresuid", 1000, 0, 0)
    box.call("rt_sigprocmask", 0, box.poke(b"\xff" * 8), 0, 8)
    child.call("kill", box.task.tgid, SIGTERM)
    mask = box.poke((1 << SIGTERM - 1).to_bytes(8, "little"))
    assert box.call("rt_sigtimedwait", mask, MEMORY + 64, box.poke(bytes(16), MEMORY + 32), 8) == SIGTERM
    assert unpack("<iI", box.peek(8, MEMORY + 80)) == (child.task.tgid, 1000)
    assert box.call("rt_sigtimedwait", mask, MEMORY + 64, box.poke(bytes(16), MEMORY + 32), 8) == -EAGAIN


def test_hostile_arguments_of_these_calls_are_answered() -> None:
    box = Box()
    assert box.call("getresuid", BAD, 0, 0) == -EFAULT
    assert box.call("getgroups", -1, MEMORY) == -EINVAL
    assert box.call("getgroups", 0, BAD) == 0
    assert box.call("setgroups", 0, 0) == -EPERM
    assert box.call("capget", BAD, 0) == -EFAULT
    assert box.call("capget", box.poke(pack("<Ii", 1, 0)), 0) == 0
    assert int.from_bytes(box.peek(4), "little") == V3
    assert box.call("capget", box.poke(pack("<Ii", 1, 0)), MEMORY + 8) == -EINVAL
    assert box.call("capget", box.poke(pack("<Ii", V3, -1)), MEMORY + 8) == -EINVAL
    assert box.call("capget", box.poke(pack("<Ii", V3, 99)), MEMORY + 8) == -ESRCH
    assert box.call("capset", box.poke(pack("<Ii", V3, 99)), MEMORY + 8) == -EPERM
    root = Box(root=True)
    assert root.call("setgroups", 65537, MEMORY) == -EINVAL
    assert root.call("setgroups", 1, BAD) == -EFAULT
    assert root.call("setgroups", 1, root.poke(b"\xff" * 4)) == -EINVAL
    assert root.call("setuid", -1) == root.call("setgid", -1) == -EINVAL
