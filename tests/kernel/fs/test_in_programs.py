"""The same program makes the same calls here and under qemu-riscv64: what it sees is the same.

One program (script.s) makes whatever calls its input asks for, so that the calls can be any. qemu passes them on to the
host's Linux; the program sees the same descriptors, results, errno and memory, or dies by the same signal.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asm import elf
from asm.build import build
from kernel.check import check_end
from tests.kernel.fs.linux import shared_memory
from tests.kernel.machines import machine
from tests.oracles import need

HERE = Path(__file__).parent
NUMBERS = {
    "getcwd": 17, "dup": 23, "dup3": 24, "fcntl": 25, "mkdirat": 34, "unlinkat": 35, "ftruncate": 46,
    "faccessat": 48, "chdir": 49, "openat": 56, "close": 57, "pipe2": 59, "lseek": 62, "read": 63, "write": 64,
    "readv": 65, "writev": 66,
}  # fmt: skip
MEMORY_SIZE = 16384
AT_FDCWD = -100
PATHS = [b"a", b"b", b"d", b"d/x", b"nothing/x", b"", b"a/", b".", b"d/../a", b"n" * 256]
BUFFER, IOVEC = 4096, 2048


class At(int):
    """An argument that is an address: this many bytes behind the beginning of the program's memory."""


STRINGS = b"tmp\0" + b"".join(path + b"\0" for path in PATHS)


class Result(int):
    """An argument that is what an earlier call returned: its index in the script."""


Call = tuple[str, tuple[int, ...]]


def script(program: bytes, calls: list[Call]) -> bytes:
    """The input for script.s: memory (strings, an iovec, and some text), then the calls."""
    memory = next(symbol.value for symbol in elf.read(program).symbols if symbol.name == "memory")
    iovec = pack("<6Q", memory + BUFFER, 100, memory + BUFFER + 5000, 0, memory + BUFFER + 200, 300)
    text = b"".join(b"%07d\n" % line for line in range(1536))
    records = [STRINGS.ljust(IOVEC, b"\0") + iovec.ljust(BUFFER - IOVEC, b"\0") + text]
    for name, arguments in calls:
        words = [NUMBERS[name]]
        for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]:
            kind = 1 if isinstance(argument, At) else 2 if isinstance(argument, Result) else 0
            words += [kind, int(argument) % (1 << 64)]
        records.append(pack("<13Q", *words))
    return b"".join(records)


@pytest.fixture(scope="module")
def program() -> bytes:
    return build([str(HERE / "script.s")])


def here(program: bytes, calls: list[Call]) -> tuple[int, bytes, bytes]:
    """(exit status, what it wrote, its report) on this machine."""
    k = machine({"script": program}, [b"script"], script(program, calls), memory=8 << 20)
    outcome = k.run()
    assert outcome.kind == "exited"
    check_end(k)
    return outcome.status, bytes(k.door.output[1]), bytes(k.door.output[2])


def there(program: bytes, calls: list[Call]) -> tuple[int, bytes, bytes]:
    """The same under qemu, in an empty directory that has a `tmp`."""
    qemu = need("qemu-riscv64")
    with tempfile.TemporaryDirectory(dir=shared_memory()) as folder:
        (Path(folder) / "tmp").mkdir()
        path = Path(folder) / "script"
        path.write_bytes(program)
        path.chmod(0o755)
        done = subprocess.run(
            [qemu, str(path)],
            input=script(program, calls),
            capture_output=True,
            cwd=folder,
            timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)),
        )
    return done.returncode, done.stdout, done.stderr


# ---- random scripts. Their buffers are good: qemu looks at the whole of a buffer before it makes the call, and leaves
# pipes open if it can't say which they are. What Linux does with bad ones is in test_against_linux.py.

FDS = st.one_of(st.integers(3, 9), st.integers(3, 9), st.sampled_from([0, 1, -1, 1 << 32 | 3, 1023, 1024]))
SIZES = st.one_of(st.integers(0, 5000), st.sampled_from([1, 4096, 8000]))
SOME_PATHS = st.sampled_from([At(STRINGS.index(name + b"\0")) for name in PATHS])
BUFFERS = st.sampled_from([At(BUFFER), At(BUFFER + 100), At(MEMORY_SIZE - 8000)])
DIRFDS = st.sampled_from([AT_FDCWD, AT_FDCWD, AT_FDCWD, 3, 4, 99])
OPEN_FLAGS = st.sampled_from(
    [0, 1, 2, 0o100, 0o101, 0o102, 0o102, 0o302, 0o1102, 0o2102, 0o200000, 0o2000102, 0o10000000]
)


def call(name: str, *arguments: st.SearchStrategy[int]) -> st.SearchStrategy[Call]:
    return st.tuples(st.just(name), st.tuples(*arguments))


FILE_CALLS = [
    call("openat", DIRFDS, SOME_PATHS, OPEN_FLAGS, st.sampled_from([0o644, 0o777])),
    call("read", FDS, BUFFERS, SIZES),
    call("write", FDS, BUFFERS, SIZES),
    call("lseek", FDS, st.one_of(st.integers(-10, 10_000), st.sampled_from([1 << 62, 1 << 63])), st.integers(0, 2)),
    call("ftruncate", FDS, st.sampled_from([0, 1, 5000, -1])),
    call("readv", FDS, st.just(At(IOVEC)), st.integers(1, 3)),
    call("writev", FDS, st.just(At(IOVEC)), st.integers(1, 3)),
]
DESCRIPTOR_CALLS = [
    call("close", FDS),
    call("dup", FDS),
    call("dup3", FDS, FDS, st.sampled_from([0, 0o2000000, 1])),
    call("fcntl", FDS, st.sampled_from([1, 2, 1030, 0]), st.integers(0, 12)),
    call("pipe2", BUFFERS, st.sampled_from([0o4000, 0o4000, 0o2004000, 1])),
]
PATH_CALLS = [
    call("mkdirat", DIRFDS, SOME_PATHS, st.just(0o755)),
    call("unlinkat", DIRFDS, SOME_PATHS, st.sampled_from([0, 0x200, 1])),
    call("chdir", SOME_PATHS),
    call("faccessat", DIRFDS, SOME_PATHS, st.sampled_from([0, 4, 8])),
]
START: list[Call] = [
    ("chdir", (At(STRINGS.index(b"tmp\0")),)),
    ("openat", (AT_FDCWD, At(STRINGS.index(b"a\0")), 0o102, 0o644)),
    ("write", (Result(1), At(BUFFER), 5000)),
    ("pipe2", (At(BUFFER + 8), 0o4000)),
]


@given(calls=st.lists(st.one_of(*FILE_CALLS, *DESCRIPTOR_CALLS, *PATH_CALLS), max_size=30))
def test_a_program_sees_what_it_would_see_on_linux(program: bytes, calls: list[Call]) -> None:
    assert here(program, START + calls) == there(program, START + calls)
