"""Arguments that nobody means well with: for system calls of any kind, known or not."""

from __future__ import annotations

from struct import pack

from hypothesis import strategies as st

from kernel import clone as c
from kernel.syscalls.table import TABLE
from kernel.syscalls.table import load as load_calls
from tests.kernel.puppet import DATA, DATA_END, HEAP, PATH_AT, RODATA, TEXT

PAGE = 4096
MASK = (1 << 64) - 1
STACK_TOP = 0x3F_FFFF_E000

# What lies in the puppets' .data, so that a pointer to it is a structure that makes sense.
_PARTS = {
    "path": b"/tmp/file\0",
    "directory": b"/tmp/a\0",
    "relative": b"file\0",
    "proc": b"/proc/self/maps\0",
    "long name": b"/" + b"x" * 300 + b"\0",
    "time": pack("<qq", 0, 1000),
    "bad time": pack("<qq", -1, 2_000_000_000),
    "timer": pack("<qqqq", 0, 50, 0, 50),
    "action": pack("<QQQ", TEXT, 0x10000004, 0),
    "ignore": pack("<QQQ", 1, 0, MASK),
    "mask": pack("<Q", MASK),
    "descriptors": pack("<ihhihhihh", 0, 1, 0, 3, 5, 0, 4, 1, 0),
    "vectors": pack("<QQQQQQ", DATA, 10, RODATA, 100, 0, 1 << 63),
    "limits": pack("<QQ", 5, 100),
    "lock": pack("<hhqqi", 1, 0, 0, 100, 0),
    "clone": pack("<8Q", c.CLONE_VM, 0, 0, 0, 17, STACK_TOP - 4 * PAGE, 4096, 0),
    "info": pack("<iii", 10, 0, -1) + bytes(116),
    "argv": pack("<QQQ", PATH_AT, PATH_AT, 0),
    "word": pack("<II", 0, 0),
}
CONTENTS, _AT = b"", {}
for _name, _bytes in _PARTS.items():
    _AT[_name] = DATA + len(CONTENTS)
    CONTENTS += _bytes + bytes(-len(_bytes) % 8)

# Nothing, the edges of what there is, what may not be written, what is no address at all.
_EDGES = (
    0,
    1,
    7,
    TEXT,
    RODATA,
    RODATA + PAGE - 3,
    DATA,
    DATA + 1,
    DATA + PAGE - 4,
    DATA_END - 4,
    DATA_END - 1,
    DATA_END,
)
_EDGES += (HEAP, PATH_AT, STACK_TOP, STACK_TOP + PAGE - 1, 1 << 38, (1 << 38) - PAGE, 1 << 63, MASK - PAGE, MASK - 7)
_NUMBERS = (2, 3, 4, 5, 8, 17, 64, 100, 127, 128, 1024, PAGE, PAGE + 1, 1 << 16, 1 << 20, 1 << 27, 1 << 30)
_NUMBERS += ((1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, 1 << 62, (1 << 63) - 1, MASK, MASK - 1)
_FD_CWD = MASK - 99
_FLAGS = (0x11, 0x12, 0x22, 0x32, 0x100, 0x800, 0x4000, 0x80000, 0x80800, 0x3D0F00, 0x50F00 | 0x200000, 0x4111, 0x111)

values = st.one_of(
    st.sampled_from([*_AT.values(), *_EDGES]),
    st.sampled_from([*_AT.values(), *_EDGES, *_NUMBERS, *_FLAGS, _FD_CWD]),
    st.integers(0, 12),
    st.integers(0, 1 << 20),
    st.integers(-64, -1).map(lambda value: value & MASK),
    st.integers(0, MASK),
)
arguments = st.lists(values, min_size=6, max_size=6)

load_calls()
# exit and exit_group have tests of their own: here they would end most runs before anything has happened.
NUMBERS = tuple(number for number in sorted(TABLE) if number not in (93, 94))
unknown = st.one_of(st.integers(0, 600), st.sampled_from([1 << 31, 1 << 32, 1 << 63, MASK]), st.integers(0, MASK))
numbers = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), unknown)
