"""The same program maps, protects and unmaps memory here and under qemu-riscv64: it sees the same.

`write` to standard output looks at a mapping, `read` from a file changes it: both say EFAULT where the program itself
would die.
"""

from __future__ import annotations

from tests.kernel.fs import test_in_programs as programs
from tests.kernel.fs.test_in_programs import START, At, Call, Result, here, program, there

__all__ = ["program"]

programs.NUMBERS.update({"munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226, "msync": 227, "madvise": 233})
PAGE, BASE = 4096, 0x20_0000_0000
FILE = 3  # START has opened it, with 5000 bytes in it
SHARED, PRIVATE, FIXED, ANON = 1, 2, 0x10, 0x20


def test_mappings_are_what_they_are_on_linux(program: bytes) -> None:
    calls: list[Call] = [
        ("mmap", (BASE, 3 * PAGE, 3, SHARED | FIXED, FILE, 0)),
        ("mmap", (BASE + 3 * PAGE, 3 * PAGE, 3, PRIVATE | FIXED, FILE, 0)),
        ("lseek", (FILE, 0, 0)),
        ("read", (FILE, BASE + 8, 8)),
        ("write", (1, BASE, 16)),
        ("write", (1, BASE + 3 * PAGE, 16)),
        ("read", (FILE, BASE + 3 * PAGE + 8, 8)),
        ("write", (1, BASE, 16)),
        ("write", (1, BASE + 2 * PAGE, 8)),
        ("ftruncate", (FILE, 4)),
        ("write", (1, BASE, 16)),
        ("write", (1, BASE + 3 * PAGE, 16)),
        ("write", (1, BASE + 4 * PAGE, 16)),
        ("close", (FILE,)),
        ("write", (1, BASE, 16)),
    ]
    assert here(program, START + calls) == there(program, START + calls)


def test_errors_of_mmap_are_those_of_linux(program: bytes) -> None:
    calls: list[Call] = [
        ("mmap", (0, 0, 1, PRIVATE | ANON, -1, 0)),
        ("mmap", (0, PAGE, 1, ANON, -1, 0)),
        ("mmap", (0, PAGE, 1, PRIVATE | ANON, -1, 1)),
        ("mmap", (0, PAGE, 1, PRIVATE, 77, 0)),
        ("mmap", (0, PAGE, 1, PRIVATE, 4, 0)),
        ("mmap", (BASE + 1, PAGE, 1, PRIVATE | ANON | FIXED, -1, 0)),
        ("openat", (-100, At(programs.STRINGS.index(b"a\0")), 0, 0)),
        ("mmap", (0, PAGE, 3, SHARED, Result(len(START) + 6), 0)),
        ("mmap", (BASE, PAGE, 3, PRIVATE | FIXED, Result(len(START) + 6), 0)),
        ("mmap", (BASE, PAGE, 1, SHARED | FIXED, Result(len(START) + 6), 0)),
        ("mprotect", (BASE, PAGE, 3)),
        ("mprotect", (BASE + 1, PAGE, 3)),
        ("munmap", (BASE, 0)),
        ("munmap", (BASE + 1, PAGE)),
        ("mremap", (BASE, PAGE, PAGE, 8)),
        ("madvise", (BASE + 1, PAGE, 4)),
        ("msync", (BASE, PAGE, 5)),
    ]
    assert here(program, START + calls) == there(program, START + calls)
