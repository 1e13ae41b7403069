"""Whatever the bytes in a file: a clear error and its exit status. No traceback, no hang, no memory without bound."""

from __future__ import annotations

import io
import os
import random
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forkyard import say
from forkyard.cli import main
from forkyard.host import HostDoor
from tests.forkyard.conftest import PROGRAMS, TOP

# A run may end in any way that the command line knows; a bug would be an exception, which is not caught here.
STATUSES = {0, 1, 2, 124, 126, 127, *range(128, 160)}
LIMITS = ("--max-insns", "20000", "--max-procs", "8", "--memory", "4M")


def check(words: list[str], content: bytes, name: str) -> tuple[int, str]:
    """Runs a command on a file with this content in this process; its output goes nowhere."""
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = os.path.join(folder, name)
        Path(path).write_bytes(content)
        patch.setattr(say, "raw", said.append)
        patch.setattr("forkyard.cli.raw", said.append)
        patch.setattr("forkyard.build.raw", said.append)
        patch.setattr(HostDoor, "emit", lambda *_: None)
        patch.setattr(HostDoor, "take", lambda *_: b"")
        patch.setattr("forkyard.commands.disasm.write", lambda _: None)
        with redirect_stderr(io.StringIO()):
            status = main([*words, *(("-o", os.path.join(folder, "out")) if words[0] == "asm" else ()), path])
    text = "".join(said)
    assert status in STATUSES, (status, text)
    assert "Traceback" not in text
    assert len(text) < 1 << 20
    return status, text


@pytest.fixture(scope="module")
def executable(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("elf") / "family"
    assert main(["asm", str(PROGRAMS / "family.s"), "-o", str(out)]) == 0
    return out.read_bytes()


@pytest.fixture(scope="module")
def relocatable(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("elf") / "family.o"
    assert main(["asm", "-c", str(PROGRAMS / "family.s"), "-o", str(out)]) == 0
    return out.read_bytes()


def mutated(content: bytes, seed: int) -> bytes:
    """A few bytes changed, most of them where headers and tables are; or cut short."""
    dice = random.Random(seed)
    data = bytearray(content)
    extremes = (0, 1, 0x7F, 0x80, 0xFF)
    for _ in range(dice.randrange(1, 8)):
        where = dice.choice((64, 512, len(data), len(data)))
        data[dice.randrange(where)] = dice.choice((*extremes, dice.randrange(256)))
        if dice.random() < 0.2:
            at = dice.randrange(0, where - 8)
            data[at : at + 8] = dice.choice((b"\xff" * 8, b"\0" * 8, (1 << 62).to_bytes(8, "little")))
    return bytes(data[: dice.randrange(len(data))] if dice.random() < 0.15 else data)


@given(st.binary(max_size=300))
def test_random_bytes_as_a_source(content: bytes) -> None:
    for words in (["asm"], ["run", *LIMITS]):
        status, said = check(words, content, "random.s")
        assert status
        assert said


@given(st.binary(max_size=300))
def test_random_bytes_as_a_file(content: bytes) -> None:
    for words in (["disasm"], ["run", *LIMITS]):
        status, said = check(words, content, "random")
        assert status == 126
        assert said.startswith("forkyard: ")


WORDS = st.sampled_from(
    (PROGRAMS / "family.s").read_text().split()
    + [".macro", ".endm", ".rept", ".endr", ".if", ".else", ".endif", ".include", "\\@", "\n", "\n", '"', "'", "(", ")"]
    + ["0x7fffffffffffffff", "-1", "<<", "%hi(", ".fill", ".org", ".align", "63", "99999999999", ",", ":", "=", ";"]
)


@given(st.lists(WORDS, max_size=60))
def test_random_words_as_a_source(words: list[str]) -> None:
    status, said = check(["asm"], " ".join(words).encode(), "random.s")
    assert (status == 0) or said


@pytest.mark.parametrize("seed", range(120))
def test_mutated_executables(executable: bytes, seed: int) -> None:
    content = mutated(executable, seed)
    check(["disasm"], content, "mutated")
    check(["run", *LIMITS], content, "mutated")


@pytest.mark.parametrize("seed", range(60))
def test_mutated_objects(relocatable: bytes, seed: int) -> None:
    content = mutated(relocatable, seed)
    check(["disasm"], content, "mutated.o")
    check(["asm"], content, "mutated.o")


@pytest.mark.parametrize("seed", range(80))
def test_mutated_sources(seed: int) -> None:
    dice = random.Random(seed)
    lines = (PROGRAMS / dice.choice(("family.s", "wild.s", "hello.s", "lib/printf.s"))).read_bytes().splitlines()
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(lines))
        line = bytearray(lines[at] or b" ")
        line[dice.randrange(len(line))] = dice.randrange(256)
        lines[at] = bytes(line)
    check(["run", *LIMITS], b"\n".join(lines), "mutated.s")


@pytest.mark.nightly
@settings(max_examples=1)
@given(st.integers(0, 1 << 30))
def test_many_mutated_executables(executable: bytes, start: int) -> None:
    for seed in range(start, start + 5000):
        check(["disasm"], mutated(executable, seed), "mutated")
        check(["run", *LIMITS], mutated(executable, seed), "mutated")


BOMBS = {
    "endless macro": ".macro m\nm\n.endm\nm\n",
    "macros that double": "".join(f".macro m{n}\nm{n + 1}\nm{n + 1}\n.endm\n" for n in range(60)) + "m0\n",
    "a huge repetition": ".rept 1000000000\nnop\n.endr\n",
    "a huge fill": ".fill 1000000000, 8, 0\n",
    "a huge skip": ".skip 0x7fffffffffffffff\n",
    "a huge alignment": ".align 60\n",
    "a file that includes itself": '.include "bomb.s"\n',
    "parentheses": ".word " + "(" * 100_000 + "1" + ")" * 100_000 + "\n",
    "minus signs": ".word " + "-" * 100_000 + "1\n",
    "a shift without end": ".quad 1 << 1000000000\n",
    "a number without end": ".quad " + "9" * 100_000 + "\n",
    "a very long line": "nop;" * 200_000 + "\n",
    "an unfinished comment": "/*" * 50_000,
    "an endless device": '.incbin "/dev/zero"\n',
    "many errors": "nope\n" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_sources_that_would_grow_without_limit(name: str) -> None:
    text = "    .globl _start\n_start:\n" + BOMBS[name]
    status, said = check(["asm"], text.encode(), "bomb.s")
    assert status == 1 or name in ("a very long line", "minus signs", "a shift without end")
    assert len(said) < 1 << 18


def test_the_programs_memory_is_bounded_by_the_machines(tmp_path: Path) -> None:
    """A segment of 2^40 bytes, and a fork bomb that touches pages, in a machine with 4 MiB."""
    import resource
    import subprocess
    import sys

    (tmp_path / "bomb.s").write_text(
        '    .include "syscalls.inc"\n    .bss\nroom: .skip 1 << 27\n    .text\n    .globl _start\n_start:\n'
        "    la s0, room\n1:  call fork\n    sd zero, 0(s0)\n    li t0, 4096\n    add s0, s0, t0\n    j 1b\n"
    )
    command = [sys.executable, "-m", "forkyard", "run", *LIMITS[:4], "--memory", "4M", str(tmp_path / "bomb.s")]
    limit = 700 << 20  # address space: Python itself takes some hundred MiB of it

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run(command, capture_output=True, preexec_fn=small, cwd=TOP, timeout=120, check=False)
    assert done.returncode in STATUSES
    assert b"Traceback" not in done.stderr
