"""The same calls here and on real Linux: the same results, errno included, in whatever order they come."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.fs.constants import (
    F_SETPIPE_SZ,
    O_APPEND,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from tests.kernel.fs.box import Box
from tests.kernel.fs.linux import Linux, need_linux, shared_memory

need_linux()


@pytest.fixture
def linux() -> Iterator[Linux]:
    with tempfile.TemporaryDirectory(dir=shared_memory()) as root:
        oracle = Linux(Path(root))
        yield oracle
        oracle.finish()


def make_tree(side: Any, top: str = "/tmp") -> None:
    """The same small tree on both sides."""
    if isinstance(side, Linux):
        for name in ("tmp", "bin", "dev", "proc"):
            side.mkdir("/" + name)
        side.chmod("/", 0o755)
        side.chmod("/tmp", 0o1777)
    side.mkdir(top + "/d")
    side.mkdir(top + "/d/e")
    side.mkdir(top + "/closed", 0o600)
    for name, mode in (("f", 0o644), ("d/g", 0o600), ("ro", 0o444), ("wo", 0o222), ("none", 0)):
        fd = side.open(f"{top}/{name}", O_CREAT | O_WRONLY, mode)
        side.write(fd, name.encode() * 3)
        side.close(fd)
    links = {"lf": "f", "ld": "d", "lds": "d/", "dangling": "nowhere", "loop": "loop", "a": "b", "b": "a/x"}
    links |= {"up": "..", "abs": top + "/d/g", "d/back": "../f", "lfs": "f/", "dot": "d/.", "deep": "dangling/x"}
    for name, target in links.items():
        side.symlink(target, f"{top}/{name}")
    previous = "f"
    for i in range(42):
        side.symlink(previous, f"{top}/chain{i}")
        previous = f"chain{i}"
    side.chdir(top)


NAMES = """
    f d d/g d/e ro wo none closed closed/x lf ld lds dangling loop a b up abs lfs dot deep new d/new missing/new f/new
    ld/g ld/back d/../f lds/.. up/tmp/f chain38 chain39 chain40 chain41 . .. / d/. d/.. f/. f/.. new/. missing/..
    dangling/.. closed/.. //tmp//f ./././f
""".split()  # noqa: SIM905 - one can read it
PATHS = [
    *NAMES,
    *[name + "/" for name in NAMES],
    "",
    "n" * 255,
    "n" * 256,
    "d/" + "n" * 256,
    "./" * 2047 + "f",
    "x" * 4095,
]
FLAGS = [
    0,
    O_WRONLY,
    O_RDWR,
    3,
    O_TRUNC,
    O_WRONLY | O_TRUNC,
    O_CREAT,
    O_CREAT | O_WRONLY,
    O_CREAT | O_EXCL,
    O_CREAT | O_EXCL | O_NOFOLLOW,
    O_CREAT | O_NOFOLLOW,
    O_CREAT | O_TRUNC | O_RDWR,
    O_DIRECTORY,
    O_DIRECTORY | O_WRONLY,
    O_DIRECTORY | O_NOFOLLOW,
    O_DIRECTORY | O_CREAT,
    O_NOFOLLOW,
    O_PATH,
    O_PATH | O_NOFOLLOW,
    O_PATH | O_CREAT,
    O_PATH | O_DIRECTORY,
]


def sign(result: Any) -> Any:
    """A descriptor's number is the machine's own business."""
    return "ok" if isinstance(result, int) and result >= 0 else result


@pytest.mark.parametrize("flags", FLAGS, ids=oct)
def test_open_answers_as_linux_does(linux: Linux, flags: int) -> None:
    box = Box()
    make_tree(box)
    make_tree(linux)
    differ = []
    for path in PATHS:
        results = []
        for side in (box, linux):
            fd = side.open(path, flags, 0o640)
            results.append((sign(fd), side.stat(path), side.fcntl(fd, 3) & 3 if fd >= 0 else None))
            if fd >= 0:
                side.close(fd)
        if results[0] != results[1]:
            differ.append((path[:40], *results))
        if flags & (O_CREAT | O_TRUNC):
            for side in (box, linux):
                for name in ("new", "d/new", "nowhere"):
                    side.unlink(name)
    assert not differ, "path, here, on Linux:\n" + "\n".join(map(str, differ))


@pytest.mark.parametrize("call", ["stat", "lstat", "unlink", "rmdir", "mkdir", "chdir", "r", "w", "x", "rwx", "exists"])
def test_calls_on_paths_answer_as_linux_does(linux: Linux, call: str) -> None:
    def make(side: Any, path: str) -> Any:
        match call:
            case "stat" | "lstat":
                return side.stat(path, call == "stat")
            case "unlink" | "rmdir":
                return side.unlink(path, 0x200 if call == "rmdir" else 0)
            case "mkdir":
                return side.mkdir(path), side.stat(path)
            case "chdir":
                return side.chdir(path), side.chdir("/tmp")
            case _:
                return side.access(path, {"r": 4, "w": 2, "x": 1, "rwx": 7, "exists": 0}[call])

    # The machine's / is what belongs to nobody, Linux's here is a directory of the caller's: leave it out of changes.
    outside = {"/", "//", "..", "../", "up", "up/"} if call in ("w", "rwx", "rmdir", "unlink") else ()
    box = Box()
    make_tree(box)
    make_tree(linux)
    differ = []
    for path in PATHS:
        if path in outside:
            continue
        results = [make(side, path) for side in (box, linux)]
        if results[0] != results[1]:
            differ.append((path[:40], *results))
    assert not differ, "path, here, on Linux:\n" + "\n".join(map(str, differ))


# ---- files: random calls on a few descriptors of a few files

OFFSETS = st.one_of(
    st.integers(-5, 20), st.sampled_from([4095, 4096, 4097, 12288, 1 << 31, (1 << 63) - 1, (1 << 63) - 3, -(1 << 63)])
)
PLACES = st.one_of(st.none(), st.integers(-1, 20), st.just(5000))
FILE_CALLS = st.one_of(
    st.tuples(
        st.just("open"), st.sampled_from("xyz"), st.sampled_from([0, 1, 2, 3]), st.sampled_from([0, O_APPEND, O_TRUNC])
    ),
    st.tuples(st.just("read"), st.integers(0, 7), st.integers(0, 9000)),
    st.tuples(st.just("write"), st.integers(0, 7), st.binary(max_size=20), st.sampled_from([1, 1, 400])),
    st.tuples(st.just("lseek"), st.integers(0, 7), OFFSETS, st.sampled_from([0, 0, 1, 2, 5, 99])),
    st.tuples(st.just("ftruncate"), st.integers(0, 7), st.sampled_from([-1, 0, 3, 4095, 4096, 5000, 1 << 40])),
    st.tuples(st.just("pread"), st.integers(0, 7), st.integers(0, 9000), OFFSETS),
    st.tuples(st.just("pwrite"), st.integers(0, 7), st.binary(max_size=20), OFFSETS),
    st.tuples(st.just("fallocate"), st.integers(0, 7), st.integers(0, 1), OFFSETS, st.sampled_from([-1, 0, 1, 9000])),
    st.tuples(st.just("sendfile"), st.integers(0, 7), st.integers(0, 7), PLACES, st.sampled_from([0, 5, 9000])),
    st.tuples(
        *(st.just("copy_range"), st.integers(0, 7), PLACES, st.integers(0, 7), PLACES, st.sampled_from([0, 5, 9000]))
    ),
    st.tuples(st.just("dup"), st.integers(0, 7)),
    st.tuples(st.just("close"), st.integers(0, 7)),
    st.tuples(st.just("unlink"), st.sampled_from("xyz")),
    st.tuples(st.just("stat"), st.sampled_from("xyz")),
    st.tuples(st.just("fcntl"), st.integers(0, 7), st.sampled_from([1, 2, 4, 9999]), st.sampled_from([0, 1, O_APPEND])),
)


def play(side: Any, calls: list[tuple[Any, ...]]) -> list[Any]:
    """Makes the calls; descriptors are named by the order in which they were made."""
    fds: list[int] = []
    results: list[Any] = []
    for name, *arguments in calls:
        if name == "open":
            path, access, flags = arguments
            result = side.open(f"/tmp/{path}", O_CREAT | access | flags, 0o644)
        elif name in ("sendfile", "copy_range"):
            ends = {"sendfile": (0, 1), "copy_range": (0, 2)}[name]
            rest = [(fds[a] if a < len(fds) else -1) if i in ends else a for i, a in enumerate(arguments)]
            result = getattr(side, name)(*rest)
        elif name in ("unlink", "stat"):
            result = getattr(side, name)(f"/tmp/{arguments[0]}")
        elif name == "write":
            fd, data, times = arguments
            result = side.write(fds[fd] if fd < len(fds) else -1, data * times)
        else:
            fd, *rest = arguments
            result = getattr(side, name)(fds[fd] if fd < len(fds) else -1, *rest)
        if name in ("open", "dup") and result >= 0:
            fds.append(result)
            result = "fd"
        results.append(result)
    return results


@given(st.lists(FILE_CALLS, max_size=30))
def test_any_calls_on_files_do_what_linux_does(calls: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory(dir=shared_memory()) as root:
        linux = Linux(Path(root))
        linux.mkdir("/tmp", 0o777)
        try:
            expected = play(linux, calls)
        finally:
            linux.finish()
    assert play(Box(), calls) == expected


# ---- pipes: they fill page by page, and a program can tell

PIPE_CALLS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from([1, 5, 100, 4000, 4095, 4096, 4097, 8192, 10000, 65536, 70000])),
    st.tuples(st.just("read"), st.sampled_from([1, 5, 100, 4000, 4095, 4096, 4097, 8192, 10000, 65536, 70000])),
    st.tuples(st.just("write"), st.integers(0, 9000)),
    st.tuples(st.just("read"), st.integers(0, 9000)),
    st.tuples(st.just("packets"), st.booleans()),
    st.tuples(
        st.just("resize"),
        st.sampled_from([0, 1, 4096, 4097, 8192, 65536, 1 << 20, (1 << 20) + 1, 1 << 32, (1 << 31) + 1]),
    ),
    st.tuples(st.just("close"), st.sampled_from([0, 1])),
)


def pump(side: Any, calls: list[tuple[str, int]]) -> list[Any]:
    ends = side.pipe(O_NONBLOCK)
    results: list[Any] = []
    count = 0
    for name, argument in calls:
        if name == "write":
            data = bytes((count + i) & 0xFF for i in range(argument))
            count += 1
            results.append(side.write(ends[1], data))
        elif name == "read":
            results.append(side.read(ends[0], argument))
        elif name == "resize":
            results.append((side.fcntl(ends[1], 1031, argument), side.fcntl(ends[0], 1032)))
        elif name == "packets":
            results.append(side.fcntl(ends[1], 4, O_NONBLOCK | (O_DIRECT if argument else 0)))
        else:
            results.append(side.close(ends[argument]))
    return results


@given(st.lists(PIPE_CALLS, max_size=40))
def test_any_calls_on_a_pipe_do_what_linux_does(calls: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        linux = Linux(Path(root))
        try:
            expected = pump(linux, calls)
        finally:
            linux.finish()
    box = Box()
    assert pump(box, calls) == expected


# ---- memory that ends in the middle of a transfer


def transfers(side: Any, kind: str) -> list[Any]:
    """Reads and writes of a file or a pipe, with memory that ends too early, nowhere, or is said to be too long."""
    edge, results = side.edge(), []
    for name in ("read", "write"):
        for before in (0, 1, 10, 4096, 4097, 9000):
            # (A count that no address space could hold is where the architectures differ: riscv64's goes up to 2^63.)
            for count in (0, 1, 10, 4096, 4097, 5000, 9001, 12000, 1 << 33, 1 << 63, (1 << 64) - 1):
                source, target = ends_of(side, kind)
                side.write(target, b"0123456789" * 1000)
                if kind == "file":
                    side.lseek(source, 3, 0)
                results.append(
                    (name, before, count, side.at(name, source if name == "read" else target, edge - before, count))
                )
                results.append(side.read(source, 20000) if kind == "pipe" else side.lseek(source, 0, 1))
                side.close(source)
                side.close(target)
    return results


def ends_of(side: Any, kind: str) -> tuple[int, int]:
    """(a descriptor to read from, one to write to)."""
    if kind == "pipe":
        ends: tuple[int, int] = side.pipe(O_NONBLOCK)
        return ends
    side.unlink("/tmp/file")
    fd = side.open("/tmp/file", O_CREAT | O_RDWR)
    return fd, side.dup(fd)


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_memory_that_ends_in_a_transfer_ends_it_as_on_linux(linux: Linux, kind: str) -> None:
    linux.mkdir("/tmp")
    for here, there in zip(transfers(Box(), kind), transfers(linux, kind), strict=True):
        assert here == there


VECTORS: list[list[tuple[int, int]]] = [
    [],
    [(-100, 0)],
    [(-100, 10), (-50, 20)],
    [(-5000, 4999), (-1, 1), (-9000, 3000)],
    [(-10, 20), (-100, 10)],
    [(-100, 10), (-10, 20), (-100, 10)],
    [(-100, 10), (0, 10), (-100, 10)],
    [(-100, 10), (0, 0), (-100, 10)],
    [(-100, 10), (-100, -1)],
    [(-100, -(1 << 63))],
    [(-100, 1 << 33), (-100, 1 << 33)],
    [(-100, 10), (-100, 1 << 33)],
    [(-(1 << 70), 10)],
    [(-4000, 4000), (-4000, 4000), (-4000, 4000)],
    [(-100, 1)] * 1023,
]


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_vectors_are_taken_as_linux_takes_them(linux: Linux, kind: str) -> None:
    linux.mkdir("/tmp")
    for here, there in zip(vectors(Box(), kind), vectors(linux, kind), strict=True):
        assert here == there


def vectors(side: Any, kind: str) -> list[Any]:
    edge, results = side.edge(), []
    for name in ("readv", "writev"):
        for index, vector in enumerate(VECTORS):
            source, target = ends_of(side, kind)
            side.write(target, b"0123456789" * 1000)
            if kind == "file":
                side.lseek(source, 0, 0)
            table = b"".join(pack("<QQ", (edge + at) % (1 << 64), size % (1 << 64)) for at, size in vector)
            where = side.poke(table, edge - 7 * 4096)
            results.append((name, index, side.at(name, source if name == "readv" else target, where, len(vector))))
            results.append(side.read(source, 20000) if kind == "pipe" else side.lseek(source, 0, 1))
            side.close(source)
            side.close(target)
        source, target = ends_of(side, kind)
        fd = source if name == "readv" else target
        results += [side.at(name, fd, edge - 16, count) for count in (2, 1025, 1 << 40, (1 << 31) - 1)]
        results.append(side.at(name, fd, edge, 1))
        results.append(side.at(name, fd, edge, 0))
        results.append(side.at(name, 999, edge, 1025))
    return results


@pytest.mark.parametrize("size", [4096, 16384, 1 << 18])
def test_sendfile_fills_a_pipe_of_any_size_as_linux_does(size: int, linux: Linux) -> None:
    results = []
    for side in (Box(), linux):
        side.mkdir("/tmp")
        file = side.open("/tmp/f", O_CREAT | O_RDWR)
        side.ftruncate(file, 500_000)
        reader, writer = side.pipe(O_NONBLOCK)
        sent = [side.fcntl(writer, F_SETPIPE_SZ, size), side.sendfile(writer, file, 0, 500_000)]
        sent.append(side.sendfile(writer, file, 100, 500_000))
        side.read(reader, 5000)
        sent.append(side.sendfile(writer, file, 100, 500_000))  # one page is free, and the data begins inside of one
        results.append(sent)
    assert results[0] == results[1]
