"""Whatever the bytes are: a program, or errors that say where; never another exception, never a hang."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asm import directives, dwarf, elf, preprocess, pseudo
from asm.archive import members
from asm.assemble import assemble
from asm.elf_object import load, write
from asm.errors import AssemblyErrors
from asm.link import link
from asm.link_errors import LinkErrors
from vm.isa import TABLE

ROOT = Path(__file__).resolve().parents[2]
CORPUS = sorted(Path(__file__).with_name("corpus").glob("*.s"))
SAMPLES = sorted((ROOT / "programs").glob("*.s"))

#: Pieces that programs are made of, so that random sequences of them reach deep.
PIECES = (
    *(
        "add",
        "addi",
        "li",
        "la",
        "lw",
        "sw",
        "beq",
        "j",
        "call",
        "fence",
        "csrr",
        "amoadd.w.aq",
        "lr.d",
        "jalr",
        "ret",
        "jump",
    ),
    *(".word", ".byte", ".quad", ".half", ".ascii", ".string", ".align", ".org", ".fill", ".skip", ".zero", ".incbin"),
    *(".macro", ".endm", ".rept", ".endr", ".irp", ".irpc", ".if", ".else", ".elseif", ".endif", ".exitm", ".purgem"),
    *(".section", ".text", ".data", ".bss", ".pushsection", ".popsection", ".previous", ".globl", ".weak", ".comm"),
    *(".equ", ".set", ".size", ".type", ".option", ".attribute", ".insn", ".uleb128", ".sleb128", ".ifdef", ".ifc"),
    *(".float", ".lcomm", ".local", ".balignw", ".include", ".file", ".loc", ".error", ".warning", ".ident", ".end"),
    *(
        "a0",
        "sp",
        "x31",
        "zero",
        "foo",
        "bar",
        "_start",
        "m",
        ".",
        "1f",
        "1b",
        "1:",
        "foo:",
        "bar:",
        "=",
        "==",
        "cycle",
    ),
    *(
        "0",
        "1",
        "-1",
        "8",
        "4096",
        "0x7fffffff",
        "0xffffffffffffffff",
        "1.5",
        "99999999999999999999999",
        "'a'",
        '"s"',
        '"',
    ),
    *(
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "<<",
        ">>",
        "!",
        "~",
        "&&",
        "<",
        "%hi(",
        "%lo(",
        "%pcrel_lo(",
        "@function",
    ),
    *(
        "\\",
        "\\@",
        "\\m",
        "#",
        "/*",
        "*/",
        "//",
        ";",
        "'",
        "\x00",
        "é",
        "\udcff",
        "push",
        "rw",
        "arch",
        '"ax"',
        "@nobits",
    ),
)


def survives(source: str | bytes) -> None:
    """Assembling, writing, reading back and linking it ends well or with errors that have a text."""
    try:
        made = assemble(source, "fuzz.s")
        again = load(write(made), "fuzz.o")
        link([again])
        link([assemble(source, "fuzz.s")])
    except (AssemblyErrors, LinkErrors) as problem:
        assert str(problem)


@given(st.lists(st.sampled_from((*PIECES, "\n", "\n", " ")), max_size=60))
def test_random_sequences_of_pieces_give_a_program_or_errors(pieces: list[str]) -> None:
    survives(" ".join(pieces))


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.lists(st.sampled_from(PIECES), max_size=4)), max_size=12))
def test_random_statements_give_a_program_or_errors(statements: list[tuple[str, list[str]]]) -> None:
    survives("\n".join(f"{name} {', '.join(operands)}" for name, operands in statements))


OPERANDS = (
    *("", " ", "1", "a0", "foo", '"s"', "@function", "%hi(foo)", "4(sp)", "(a0)", "foo-bar", ".", "1f", "-1", "1.5"),
    *("a0 a1", '"s" "t"', "foo@plt", "%lo(1)(a0)", "1+", "(", "9" * 23, "-9223372036854775808", "a==b", "'a'"),
    "%pcrel_lo(foo)",
)
NAMES = (*directives.TABLE, *preprocess.NAMES, ".if", ".ifc", ".elseif", ".insn r", ".insn s", *pseudo.names(), *TABLE)


def test_every_directive_and_instruction_survives_operands_of_every_kind() -> None:
    for number, name in enumerate(NAMES):
        for first, second in zip(OPERANDS, OPERANDS[number % len(OPERANDS) :] + OPERANDS, strict=False):
            survives(f".equ bar, 3\nfoo: {name} {first}, {second}\n1: {name} {first}\n")


@given(st.binary(max_size=300))
def test_random_bytes_give_a_program_or_errors(data: bytes) -> None:
    survives(data)


@given(st.text(max_size=200))
def test_random_text_gives_a_program_or_errors(text: str) -> None:
    survives(text)


def mutated(data: bytes, chance: random.Random, times: int = 6) -> bytes:
    """Some bytes changed, cut out or doubled."""
    changed = bytearray(data)
    for _ in range(times):
        if not changed:
            break
        at = chance.randrange(len(changed))
        end = min(len(changed), at + chance.randrange(1, 12))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at:end]
        elif kind == 2:
            changed[at:at] = changed[at:end]
        else:
            changed[at:end] = bytes(chance.choice((0, 0xFF, 0x80, 1)) for _ in range(end - at))
    return bytes(changed)


@pytest.mark.parametrize("seed", range(60))
def test_mutated_programs_give_a_program_or_errors(seed: int) -> None:
    chance = random.Random(seed)
    path = chance.choice([*CORPUS, *SAMPLES])
    survives(mutated(path.read_bytes()[: chance.choice((500, 3000))], chance))


@pytest.fixture(scope="module")
def valid() -> dict[str, bytes]:
    """A valid object, executable and archive."""
    source = SAMPLES[0].read_text()
    made = assemble(
        ".globl _start\n_start: la a0, x\n beqz a0, _start\n.align 4\n call y\ny: ret\n.data\nx: .quad x-y\n", "v.s"
    )
    executable = link([assemble(".globl _start\n_start: nop\n li a0, 1\n", "v.s")])
    member = write(made)
    head = (
        b"v.o/".ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"644".ljust(8) + str(len(member)).encode().ljust(10)
    )
    assert source
    return {"object": member, "executable": executable, "archive": b"!<arch>\n" + head + b"`\n" + member}


def _use_object(data: bytes) -> None:
    link([load(data, "fuzz.o")])


def _use_executable(data: bytes) -> None:
    read = elf.read(data)
    assert read.segments is not None
    assert read.sections is not None
    assert read.symbols is not None
    dwarf.line_table(read)


def _use_archive(data: bytes) -> None:
    for name, content in members(data):
        load(content, name)


USES: dict[str, Callable[[bytes], None]] = {
    "object": _use_object,
    "executable": _use_executable,
    "archive": _use_archive,
}


@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("kind", USES)
def test_mutated_files_are_read_or_refused(valid: dict[str, bytes], kind: str, seed: int) -> None:
    chance = random.Random(seed)
    try:
        USES[kind](mutated(valid[kind], chance, chance.choice((1, 2, 8))))
    except (elf.ElfError, LinkErrors) as problem:
        assert str(problem)


@given(st.binary(max_size=300))
def test_random_bytes_are_no_elf_file(data: bytes) -> None:
    for head in (b"", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\x00\xf3\x00"):
        try:
            _use_executable(head + data)
        except elf.ElfError as problem:
            assert str(problem)
