"""execve: what the new program finds, what it refuses, and that a failed one changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack, unpack_from

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernel import exec as program
from kernel.check import check, check_end
from kernel.errno import E2BIG, EACCES, ELIBBAD, ELOOP, ENOENT, ENOEXEC, SysError
from kernel.exec import script_line
from kernel.kernel import Kernel
from kernel.mm import STACK_TOP
from kernel.task import Task
from kernel.user_memory import copy_in
from tests.kernel.machines import Part, R, W, X, elf, machine, record

PAGE = 4096
SPIN = elf([Part(0x10000, b"\x6f\0\0\0", R | X)])


def prepared(files: dict[str, bytes]) -> tuple[Kernel, Task]:
    """A kernel whose pid 1 spins, with other files in /bin."""
    k = machine({"spin": SPIN, **files}, [b"spin"])
    k.run(until=10)
    return k, k.tasks[1]


Files = dict[str, bytes]


def execute(files: Files, name: str, argv: list[bytes], envp: Sequence[bytes] = ()) -> tuple[Kernel, Task]:
    """pid 1 after an execve of /bin/`name`; SysError if that failed, and then the checker has looked."""
    k, t = prepared(files)
    before = (t.mm, t.hart.save(), t.comm)
    try:
        program.execve(k, t, b"/bin/" + name.encode(), argv, list(envp))
    except SysError:
        assert (t.mm, t.hart.save(), t.comm) == before
        k.run(until=20)
        raise
    finally:
        check(k)
    return k, t


def refused(files: dict[str, bytes], name: str, argv: list[bytes] | None = None) -> int:
    with pytest.raises(SysError) as error:
        execute(files, name, argv or [b"x"])
    return error.value.errno


def stack_of(k: Kernel, t: Task) -> tuple[int, bytes]:
    sp = int(t.hart.x[2])
    return sp, b"".join(
        k.machine.ram.read(k.machine.translate(t.hart, va, "load"), PAGE - va % PAGE)
        for va in [sp, *range((sp | PAGE - 1) + 1, STACK_TOP, PAGE)]
    )


def test_the_stack_of_a_new_program_is_as_linux_lays_it_out() -> None:
    argv, envp = [b"prog", b"", b"two words"], [b"PATH=/bin", b"X=1"]
    k, t = execute({"prog": SPIN}, "prog", argv, envp)
    sp, data = stack_of(k, t)
    assert sp % 16 == 0

    def string(address: int) -> bytes:
        return data[address - sp : data.index(0, address - sp)]

    words = list(unpack_from(f"<{len(data) // 8}Q", data))
    assert words[0] == 3
    assert [string(a) for a in words[1:4]] == argv
    assert [string(a) for a in words[5:7]] == envp
    assert words[4] == words[7] == 0
    auxv = dict(zip(words[8:40:2], words[9:40:2], strict=True))
    assert words[40:42] == [0, 0], "AT_NULL ends it"
    assert auxv[6] == PAGE
    assert (auxv[3], auxv[4], auxv[5]) == (0, 56, 1), "no segment has the headers in memory here"
    assert auxv[9] == 0x10000
    assert auxv[16] == 1 << 8 | 1 << 12 | 1 << 0, "I, M and A"
    assert (auxv[11], auxv[12], auxv[13], auxv[14], auxv[23], auxv[17], auxv[7]) == (1000, 1000, 1000, 1000, 0, 100, 0)
    assert string(auxv[31]) == b"/bin/prog"
    assert len({data[auxv[25] - sp + i] for i in range(16)}) > 4, "AT_RANDOM points to 16 random bytes"
    addresses = [*words[1:4], *words[5:7], auxv[31]]
    assert addresses == sorted(addresses), "argv, then envp, then the path"
    assert data.endswith(b"/bin/prog\0" + bytes(8))


def test_all_registers_of_a_new_program_are_zero_but_pc_and_sp() -> None:
    _, t = execute({"prog": SPIN}, "prog", [b"prog"])
    assert [n for n in range(32) if t.hart.x[n]] == [2]
    assert t.hart.pc == 0x10000


def test_at_phdr_is_where_the_program_headers_can_be_read() -> None:
    content = bytearray(elf([Part(0x10000, b"\x6f\0\0\0"), Part(0x20000, bytes(200), R)]))
    content[64 + 56 + 8 : 64 + 56 + 16] = bytes(8)  # the second segment begins where the file begins
    k, t = execute({"prog": bytes(content)}, "prog", [b"x"])
    _, data = stack_of(k, t)
    at = data.index(pack("<Q", 3) + pack("<Q", 0x20040))
    assert at % 8 == 0
    assert copy_in(k, t, 0x20040, 4) == pack("<I", 1)


def test_without_any_argv_a_program_gets_one_empty_argument() -> None:
    k, t = execute({"prog": SPIN}, "prog", [])
    _, data = stack_of(k, t)
    assert unpack_from("<Q", data)[0] == 1
    assert data.endswith(b"\0/bin/prog\0" + bytes(8))


def test_the_process_keeps_its_pid_and_gets_a_new_name() -> None:
    _, t = execute({"a_name_that_is_too_long": SPIN}, "a_name_that_is_too_long", [b"x"])
    assert (t.tid, t.comm) == (1, b"a_name_that_is_")


def test_bss_is_zero_and_data_is_the_files() -> None:
    data = bytes(range(1, 101))
    k, t = execute(
        {"prog": elf([Part(0x10000, SPIN[0x1000:], R | X), Part(0x20010, data, R | W, 3 * PAGE)])}, "prog", [b"x"]
    )
    memory = copy_in(k, t, 0x20010, 3 * PAGE)
    assert memory == data.ljust(3 * PAGE, b"\0")


def test_a_later_segment_takes_the_place_of_an_earlier_one() -> None:
    first = Part(0x20000, b"a" * (3 * PAGE), R)
    second = Part(0x21000, b"b" * PAGE, R | W)
    k, t = execute({"prog": elf([Part(0x10000, b"\x6f\0\0\0"), first, second])}, "prog", [b"x"])
    assert copy_in(k, t, 0x20000, 3 * PAGE) == b"a" * PAGE + b"b" * PAGE + b"a" * PAGE


def test_the_zeros_of_a_segment_end_where_a_later_one_has_taken_the_page() -> None:
    """As under qemu and Linux: the later segment's file part is mapped over the page whose tail was zeroed."""
    first = Part(0x20000, b"a" * 8, R | W, 0x800)
    second = Part(0x20000, b"b" * 0x800, R | W)
    k, t = execute({"prog": elf([Part(0x10000, b"\x6f\0\0\0"), first, second])}, "prog", [b"x"])
    assert copy_in(k, t, 0x20000, 0x800) == b"b" * 0x800


def test_a_position_independent_program_runs_where_linux_puts_it() -> None:
    _, t = execute({"prog": elf([Part(0, b"\x6f\0\0\0")], entry=0, kind=3)}, "prog", [b"x"])
    assert t.hart.pc == 0x2A_AAAA_A000


def test_an_interpreter_is_loaded_and_started_first() -> None:
    parts = [Part(0x10000, b"\x6f\0\0\0"), Part(0x11000, b"/bin/ld.so\0", R, type=3)]
    files = {"prog": elf(parts), "ld.so": elf([Part(0, b"\x6f\0\0\0")], entry=0, kind=3)}
    _, t = execute(files, "prog", [b"x"])
    assert t.hart.pc == 0x3F_0000_0000
    assert refused({"prog": elf(parts)}, "prog") == ENOENT
    assert refused({"prog": elf(parts), "ld.so": b"\x7fELF" + bytes(100)}, "prog") == ELIBBAD


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("an empty file", b""),
        ("text", b"hello\n"),
        ("a cut-off header", SPIN[:63]),
        ("another machine", elf([Part(0x10000, b"\x6f\0\0\0")], machine=62)),
        ("a 32-bit file", elf([Part(0x10000, b"\x6f\0\0\0")], magic=b"\x7fELF\1\1\1")),
        ("a big-endian file", elf([Part(0x10000, b"\x6f\0\0\0")], magic=b"\x7fELF\2\2\1")),
        ("an object", elf([Part(0x10000, b"\x6f\0\0\0")], kind=1)),
        ("headers of an odd size", elf([Part(0x10000, b"\x6f\0\0\0")], phentsize=32)),
        ("no segments", elf([])),
        ("nothing to load", elf([Part(0x10000, b"\x6f\0\0\0", type=4)])),
        ("a segment at address 0", elf([Part(0, b"\x6f\0\0\0")])),
        ("a segment in the stack", elf([Part(STACK_TOP - PAGE, b"\x6f\0\0\0")])),
        ("a segment beyond user memory", elf([Part(1 << 63, b"\x6f\0\0\0")])),
        ("a segment as large as the world", elf([Part(0x10000, b"\x6f\0\0\0", memsz=(1 << 64) - 1)])),
    ],
)
def test_what_is_no_program_is_enoexec(name: str, content: bytes) -> None:
    assert refused({"prog": content}, "prog") == ENOEXEC


def test_a_segment_that_is_not_aligned_with_its_file_is_enoexec() -> None:
    broken = bytearray(SPIN)
    broken[64 + 8 : 64 + 16] = pack("<Q", 0x1004)
    assert refused({"prog": bytes(broken)}, "prog") == ENOEXEC


@given(
    changes=st.lists(st.tuples(st.integers(0, 64 + 3 * 56 - 1), st.integers(0, 255)), min_size=1, max_size=12),
    length=st.integers(0, 3 * PAGE),
    kind=st.sampled_from([2, 2, 3]),
)
@example(changes=[(64 + 56 + 39, 255)], length=3 * PAGE, kind=2)
@example(changes=[(39, 127)], length=3 * PAGE, kind=2)
@example(changes=[(at, 255) for at in range(24, 32)], length=3 * PAGE, kind=3)
def test_a_hostile_file_is_refused_or_run_and_nothing_is_lost(
    changes: list[tuple[int, int]], length: int, kind: int
) -> None:
    parts = [
        Part(0x10000, b"\x73\0\0\0\x6f\0\0\0"),
        Part(0x11000, b"r" * 100, R),
        Part(0x12000, b"d" * 5000, R | W, 9000),
    ]
    content = bytearray(elf(parts, kind=kind))
    for offset, value in changes:
        content[offset] = value
    content = content[: max(length, 64)] if length % 2 else content
    k, t = prepared({"prog": bytes(content)})
    try:
        program.execve(k, t, b"/bin/prog", [b"prog"], [])
    except SysError:
        assert k.run(until=30).kind == "paused"
    check(k)
    if k.run(until=3000).kind == "exited":
        check_end(k)
    else:
        check(k)


def test_a_program_whose_file_ends_early_gets_sigbus_where_it_ends() -> None:
    text = Part(0x10000, (0x00012503).to_bytes(4, "little") + b"\x6f\0\0\0")
    content = bytearray(elf([text, Part(0x20000, b"d" * PAGE, R)]))
    content[64 + 56 + 32 : 64 + 56 + 48] = pack("<QQ", 4 * PAGE, 4 * PAGE)
    k, t = execute({"prog": bytes(content)}, "prog", [b"x"])
    t.hart.x[2] = 0x22000
    outcome = k.run()
    assert outcome.death is not None
    assert (outcome.death.signal, outcome.death.code) == (7, 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"#!/bin/sh\n", (b"/bin/sh", [])),
        (b"#! \t/bin/sh \t -e  x \t\nrest", (b"/bin/sh", [b"-e  x"])),
        (b"#!/bin/sh", (b"/bin/sh", [])),
        (b"#!/bin/sh\0 -x\n", (b"/bin/sh", [])),
        (b"#!/bin/sh -x\0y\n", (b"/bin/sh", [b"-x"])),
        (b"#!/bin/sh " + b"a" * 300, (b"/bin/sh", [b"a" * (256 - 11)])),
    ],
)
def test_a_script_names_its_interpreter(line: bytes, expected: tuple[bytes, list[bytes]]) -> None:
    assert script_line(line[:256]) == expected


@pytest.mark.parametrize(
    "line", [b"", b"#", b"#!", b"#!\n", b"#!   \n", b"#!" + b" " * 300, b"#!/" + b"a" * 300, b"x\n"]
)
def test_a_script_without_a_whole_interpreter_is_enoexec(line: bytes) -> None:
    with pytest.raises(SysError) as error:
        script_line(line[:256])
    assert error.value.errno == ENOEXEC


def test_a_script_is_run_by_its_interpreter_with_its_own_path_as_an_argument() -> None:
    k, _ = prepared({"prog": SPIN, "script": b"#!/bin/prog -x y\n"})
    log = record(k)
    program.execve(k, k.tasks[1], b"/bin/script", [b"called so", b"one", b"two"], [])
    exec_event = next(event for event in log if type(event).__name__ == "Exec")
    assert exec_event[2:4] == (b"/bin/script", (b"/bin/prog", b"-x y", b"/bin/script", b"one", b"two"))  # type: ignore[index]
    assert k.tasks.peek(1).comm == b"script"


def test_scripts_of_scripts_go_five_deep() -> None:
    files = {"s0": b"#!/bin/prog\n", **{f"s{n}": b"#!/bin/s%d\n" % (n - 1) for n in range(1, 8)}, "prog": SPIN}
    execute(files, "s4", [b"x"])
    assert refused(files, "s5") == ELOOP


def test_what_cannot_be_found_or_may_not_be_run() -> None:
    assert refused({}, "nothing") == ENOENT
    assert refused({}, "") == EACCES
    assert refused({"script": b"#!/bin/missing\n"}, "script") == ENOENT
    assert refused({"script": b"#!/tmp\n"}, "script") == EACCES


def test_arguments_have_limits() -> None:
    files = {"prog": SPIN}
    execute(files, "prog", [b"a" * (32 * PAGE - 1)])
    assert refused(files, "prog", [b"a" * (32 * PAGE)]) == E2BIG
    assert refused(files, "prog", [b"a"] * 210_000) == E2BIG
