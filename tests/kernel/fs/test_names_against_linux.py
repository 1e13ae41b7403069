"""Names, links, owners and permissions in any order, by several users: the same answers, and the same tree after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kernel.fs.constants import O_CREAT, O_DIRECTORY, O_NONBLOCK, O_RDWR, O_TMPFILE_BIT, O_TRUNC, O_WRONLY
from tests.kernel.fs.box import Box
from tests.kernel.fs.linux import Linux, need_linux, shared_memory
from tests.oracles import lacking

need_linux()

NAMES = ["a", "b", "d", "d/a", "d/b", "e", "e/a", "d/c", "d/c/a", "l", "ld", "d/up", "loop", "s", "s/a", "t/a"]
STRANGE = [
    "",
    ".",
    "..",
    "d/.",
    "d/..",
    "d/c/..",
    "d/c/../..",
    "a/b",
    "a/",
    "d/",
    "l/",
    "ld/",
    "e//",
    "ld/a",
    "no/x",
]
PATHS = st.sampled_from([*NAMES, *NAMES, *STRANGE, "new", "new/", "d/new", "x" * 256, "d/" + "x" * 255, "d/up/a"])
FLAGS = st.sampled_from([0, 0, 0, 1, 2, 3, 8])
MODES = st.sampled_from([0, 0o777, 0o755, 0o644, 0o4755, 0o2755, 0o2750, 0o2644, 0o1777, 0o300, 0o500, 0o6777, 0o070])
USERS = st.sampled_from([0, 1000, 1000, 1001])
GROUPS = st.sampled_from([(), (1001,), (1000, 5)])
IDS = st.sampled_from([0, 1000, 1001, 5, -1])

KINDS = st.sampled_from([0o600, 0o100644, 0o10600, 0o140600, 0o40755, 0o20600, 0o170000])
CHANGES = st.one_of(
    st.tuples(st.just("rename"), PATHS, PATHS, FLAGS),
    st.tuples(st.just("rename"), PATHS, PATHS, FLAGS),
    st.tuples(st.just("link"), PATHS, PATHS, st.sampled_from([0, 0, 0x400, 1])),
    st.tuples(st.just("symlink"), st.sampled_from(["a", "d", "", "../a", "nowhere", "."]), PATHS),
    st.tuples(st.just("readlink"), PATHS, st.sampled_from([4096, 1, 0])),
    st.tuples(st.just("mkdir"), PATHS, MODES),
    st.tuples(st.just("unlink"), PATHS, st.sampled_from([0, 0x200])),
    st.tuples(st.just("create"), PATHS, MODES),
    st.tuples(st.just("write"), PATHS, st.sampled_from([0, O_TRUNC])),
    st.tuples(st.just("tmpfile"), PATHS, MODES),
    st.tuples(st.just("truncate"), PATHS, st.sampled_from([0, 1, 10_000, -1])),
    st.tuples(st.just("mknod"), PATHS, KINDS),
    st.tuples(st.just("access"), PATHS, st.integers(0, 7)),
    st.tuples(st.just("stat"), PATHS),
)
OWNERSHIP = st.one_of(
    st.tuples(st.just("chmod"), PATHS, MODES),
    st.tuples(st.just("chown"), PATHS, IDS, IDS, st.sampled_from([0, 0x100])),
    st.tuples(st.just("become"), USERS, GROUPS),
)


def make_tree(side: Any) -> None:
    for name in ("d", "d/c", "e", "s", "t"):
        side.mkdir("/tmp/" + name, 0o755)
    for name in ("a", "b", "d/a", "e/a", "s/a"):
        fd = side.open("/tmp/" + name, O_CREAT | O_RDWR, 0o644)
        side.write(fd, name.encode())
        side.close(fd)
    side.chmod("/tmp/s", 0o1777)
    side.chmod("/tmp/e", 0o2775)
    for target, name in (("a", "l"), ("d", "ld"), ("..", "d/up"), ("loop", "loop")):
        side.symlink(target, "/tmp/" + name)
    side.chdir("/tmp")


HOW = {"create": O_CREAT | O_WRONLY, "write": O_WRONLY, "tmpfile": O_TMPFILE_BIT | O_DIRECTORY | O_RDWR}


def play(side: Any, calls: list[tuple[Any, ...]]) -> list[Any]:
    results = []
    for name, *arguments in calls:
        if name in ("create", "write", "tmpfile"):
            path, number = arguments
            fd = side.open(path, O_NONBLOCK | (number if name == "write" else 0) | HOW[name], number)
            if fd >= 0:
                side.write(fd, b"new")
                side.close(fd)
            results.append(fd if fd < 0 else "opened")
        else:
            results.append(getattr(side, name)(*arguments))
    return results


def tree(side: Any, path: str = "/tmp") -> list[Any]:
    """Everything below a directory: type, mode, links, size, owner, target."""
    found = []
    for name in side.listing(path):
        below = f"{path}/{name.decode()}"
        found.append((below, side.stat(below, follow=False), side.owner(below), side.readlink(below)))
        if found[-1][1][0] & 0o170500 == 0o040500:  # a directory that its owner can look into
            found += tree(side, below)
    return found


def compare(calls: list[tuple[Any, ...]], root: bool) -> None:
    with tempfile.TemporaryDirectory(dir=shared_memory()) as folder:
        linux = Linux(Path(folder))
        if root:
            os.chown(folder, 0, 0)
            linux.become(0)
        for name in ("/tmp", "/bin", "/dev", "/proc"):
            linux.mkdir(name)
        linux.chmod("/", 0o755)
        linux.chmod("/tmp", 0o1777)
        make_tree(linux)
        expected = play(linux, calls)
        if root:
            linux.become(0)
        expected_tree = tree(linux)
        linux.finish()
    box = Box(root=root)
    make_tree(box)
    results = play(box, calls)
    if root:
        box.become(0)
    assert list(zip(calls, results, strict=True)) == list(zip(calls, expected, strict=True))
    assert tree(box) == expected_tree
    box.check()


@given(st.lists(CHANGES, max_size=25))
def test_any_calls_on_names_do_what_linux_does(calls: list[tuple[Any, ...]]) -> None:
    compare(calls, root=False)


@given(st.lists(st.one_of(CHANGES, OWNERSHIP, OWNERSHIP), max_size=25))
def test_several_users_may_do_to_each_others_files_what_linux_lets_them(calls: list[tuple[Any, ...]]) -> None:
    if os.geteuid():
        lacking("only root can become others")
    compare(calls, root=True)
