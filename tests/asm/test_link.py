"""Linking: objects of other tools, archives, libraries of sources, weak and common symbols, .S files, listings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asm import elf
from asm.assemble import assemble
from asm.build import BuildError, build
from asm.elf_object import load
from asm.library import SourceLibrary, index
from asm.link import link
from asm.link_script import ScriptError, parse
from tests.asm import gnu
from tests.oracles import need

START = ".globl _start\n_start: call main\n    li a7, 93\n    ecall\n"


def symbols(program: bytes) -> dict[str, int]:
    return {symbol.name: symbol.value for symbol in elf.read(program).symbols}


def run(program: bytes, folder: Path) -> int:
    """The exit status of a program under qemu."""
    path = folder / "program"
    path.write_bytes(program)
    path.chmod(0o755)
    return subprocess.run([need("qemu-riscv64"), str(path)], check=False).returncode


def gcc(source: str, folder: Path, *flags: str) -> bytes:
    """The object that gcc makes of a C source for our machine."""
    path = folder / "c.c"
    path.write_text(source)
    command = [need("riscv64-linux-gnu-gcc"), "-march=rv64ima", "-mabi=lp64", "-ffreestanding", "-c", *flags]
    subprocess.run([*command, str(path), "-o", str(folder / "c.o")], check=True)
    return (folder / "c.o").read_bytes()


C = """
static int table[3] = {1, 2, 3};
int scale = 5, room[10];
const char *text = "abc";
__attribute__((noinline)) int sum(const int *from, int count)
{
    int total = 0;
    for (int n = 0; n < count; n++)
        total += from[n];
    return total;
}
int main(void)
{
    room[4] = text[1] - 'a';
    switch (sum(table, 3)) {
    case 1: return 1;
    case 2: return 20;
    case 3: return 30;
    case 4: return 42;
    case 6: return sum(table, 3) * scale + room[4];
    default: return 7;
    }
}
"""


FLAGS = [("-O0",), ("-O2",), ("-O2", "-fpie"), ("-Os", "-fno-pic", "-mcmodel=medlow"), ("-O1", "-g")]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_c_compiled_by_gcc_runs_when_we_have_linked_it(flags: tuple[str, ...], tmp_path: Path) -> None:
    made = load(gcc(C, tmp_path, *flags), "c.o")
    assert run(link([assemble(START, "start.s"), made]), tmp_path) == 31


def test_what_gcc_writes_as_assembly_is_assembled(tmp_path: Path) -> None:
    gcc(C, tmp_path, "-O1", "-S", "-fno-asynchronous-unwind-tables")
    text = (tmp_path / "c.o").read_bytes()
    assert run(link([assemble(START, "start.s"), assemble(text, "c.s")]), tmp_path) == 31


def test_hard_float_and_compressed_objects_are_refused_with_the_flags_to_use(tmp_path: Path) -> None:
    (tmp_path / "c.c").write_text("double twice(double x) { return x + x; }\nint main(void) { return 0; }\n")
    gcc_path = need("riscv64-linux-gnu-gcc")
    subprocess.run([gcc_path, "-c", str(tmp_path / "c.c"), "-o", str(tmp_path / "c.o")], check=True)
    (tmp_path / "s.s").write_text(START)
    with pytest.raises(BuildError, match="-march=rv64ima -mabi=lp64"):
        build([str(tmp_path / "s.s"), str(tmp_path / "c.o")])


def test_of_an_archive_only_the_members_that_are_needed_are_linked(tmp_path: Path) -> None:
    members = {
        "main": ".globl main\nmain: la a0, value\n lw a0, 0(a0)\n ret\n",
        "value_with_a_long_name": ".globl value\n.data\nvalue: .word 9\n",
        "other": ".globl other\nother: ret\n",
    }
    paths = []
    for name, text in members.items():
        (tmp_path / f"{name}.s").write_text(text)
        paths.append(tmp_path / f"{name}.o")
        gnu.gas(tmp_path / f"{name}.s", paths[-1])
    archive = tmp_path / "lib.a"
    subprocess.run([need("riscv64-linux-gnu-ar"), "rcs", str(archive), *map(str, paths)], check=True)
    (tmp_path / "start.s").write_text(START)
    program = build([str(tmp_path / "start.s"), str(archive)])
    assert {"main", "value"} <= symbols(program).keys()
    assert "other" not in symbols(program)
    assert run(program, tmp_path) == 9


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "a.s").write_text(".globl first, second # two\nfirst: tail third\nsecond: ret\n")
    (folder / "b.s").write_text('  .include "part.inc"\n  .global third\nthird: li a0, PART\n ret\n')
    (folder / "wrong.s").write_text(".globl never\nnever: addd a0\n")
    (folder / "part.inc").write_text(".equ PART, 77\n")
    return folder


def test_the_index_of_a_library_is_a_look_at_its_globl_lines(library: Path) -> None:
    found = {name: os.path.basename(path) for name, path in index([str(library)]).items()}
    assert found == {"first": "a.s", "second": "a.s", "third": "b.s", "never": "wrong.s"}


def test_of_a_library_only_what_is_needed_is_assembled(library: Path, tmp_path: Path) -> None:
    main = tmp_path / "main.s"
    main.write_text(START + ".globl main\nmain: tail first\n")
    program = build([str(main)], [str(library)])
    assert run(program, tmp_path) == 77
    assert "never" not in symbols(program)


def test_errors_in_a_library_that_is_needed_are_told(library: Path, tmp_path: Path) -> None:
    main = tmp_path / "main.s"
    main.write_text(START + ".globl main\nmain: tail never\n")
    with pytest.raises(BuildError, match=r"wrong\.s:2:8: error: unknown instruction `addd`"):
        build([str(main)], [str(library)])


def test_a_symbol_of_the_program_goes_before_the_library_s(library: Path) -> None:
    source = assemble(START + ".globl first, main\nmain: first: ret\n", "main.s")
    program = link([source], [SourceLibrary([str(library)], [str(library)])])
    assert "second" not in symbols(program)


def test_a_source_of_the_library_that_is_itself_linked_is_not_taken_twice(library: Path, tmp_path: Path) -> None:
    main = tmp_path / "main.s"
    main.write_text(START + ".globl main\nmain: tail first\n")
    assert build([str(main), str(library / "a.s")], [str(library)])


def test_a_weak_definition_gives_way_and_a_weak_reference_may_stay_undefined() -> None:
    weak = assemble(START + ".weak main, maybe\nmain: ret\n.data\n.globl at\nat: .quad maybe\n", "weak.s")
    strong = assemble(".globl main\nnop\nmain: ret\n", "strong.s")
    program = link([weak, strong])
    assert symbols(program)["main"] == symbols(program)["_start"] + 24
    data = elf.read(program).section(".data")
    assert data is not None
    assert data.data == bytes(8)


def test_common_symbols_are_one_and_as_large_as_the_largest() -> None:
    one = assemble(START + ".comm shared, 4, 4\n.globl main\nmain: la a0, shared\n", "one.s")
    two = assemble(".comm shared, 400, 16\n", "two.s")
    program = elf.read(link([one, two]))
    bss = program.section(".bss")
    assert bss is not None
    assert bss.size == 400
    assert bss.align == 16


def test_a_definition_goes_before_a_common_symbol() -> None:
    one = assemble(START + ".comm shared, 4\n.globl main\nmain: la a0, shared\n", "one.s")
    two = assemble(".globl shared\n.data\nshared: .word 5\n", "two.s")
    assert elf.read(link([one, two])).section(".bss") is None


def test_groups_of_one_signature_are_linked_once(tmp_path: Path) -> None:
    text = '.section .text.f, "axG", @progbits, f, comdat\n.weak f\nf: ret\n'
    (tmp_path / "f.s").write_text(text)
    objects = [load(gnu.gas(tmp_path / "f.s", tmp_path / "f.o"), f"{n}.o") for n in range(3)]
    program = link([assemble(START + ".globl main\nmain: tail f\n", "main.s"), *objects])
    code = elf.read(program).section(".text")
    assert code is not None
    assert code.size == 16 + 8 + 4


def test_symbols_that_the_script_provides_can_be_used() -> None:
    program = link([assemble(START + ".globl main\nmain: la a0, _end\n la a1, __bss_start\n.bss\n.skip 5\n", "e.s")])
    assert symbols(program)["_end"] % 8 == 0
    assert symbols(program)["_end"] - symbols(program)["__bss_start"] == 8


BAD_SCRIPTS = ["SECTIONS { . = ; }", "NONSENSE", "PHDRS { a PT_LOAD LOUD; }", "SECTIONS { .a : {", "\x00"]


@pytest.mark.parametrize("text", BAD_SCRIPTS)
def test_a_script_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ScriptError):
        parse(text)


def test_a_source_for_the_c_preprocessor_goes_through_it(tmp_path: Path) -> None:
    (tmp_path / "value.h").write_text("#define VALUE 12\n")
    source = tmp_path / "p.S"
    text = '#include "value.h"\n.globl _start\n_start: li a0, VALUE\n#ifdef __riscv\n li a7, 93\n#endif\n ecall\n'
    source.write_text(text)
    assert run(build([str(source)]), tmp_path) == 12


def test_errors_in_such_a_source_have_its_own_lines(tmp_path: Path) -> None:
    source = tmp_path / "p.S"
    source.write_text("#define A a0\n\n\n addd A, A, A\n")
    with pytest.raises(BuildError, match=r"p\.S:4:2: error: unknown instruction `addd`"):
        build([str(source)])


def test_without_a_preprocessor_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "p.S"
    source.write_text("nop\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="there is no `cpp` here"):
        build([str(source)])


def test_a_listing_shows_addresses_bytes_and_lines() -> None:
    from asm.link import place
    from asm.listing import of_object, of_program

    text = "    .globl _start\n_start: nop\n    la a0, value # a comment\n    .data\nvalue: .byte 1, 2, 3\n"
    made = assemble(text, "list.s")
    assert of_object(made).splitlines()[2] == f"    2  {'00000000  13000000':<27}  _start: nop"
    assert of_program(place([made])).splitlines() == [
        "list.s:",
        f"    1  {'':<27}      .globl _start",
        f"    2  {'00010200  13000000':<27}  _start: nop",
        f"    3  {'00010204  17150000 1305c5df':<27}      la a0, value # a comment",
        f"    4  {'':<27}      .data",
        f"    5  {'00012000  010203':<27}  value: .byte 1, 2, 3".replace("00012000", "00011000"),
    ]


def test_the_same_sources_give_the_same_bytes_from_any_folder_and_hash_seed(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from asm.build import build; p = sys.argv[1] + '/programs'; "
    code += "sys.stdout.buffer.write(build([p + '/sh.s'], [p + '/lib']))"
    command = [sys.executable, "-c", code, str(gnu.ROOT)]
    said = set()
    for seed, folder in (("0", gnu.ROOT), ("1", tmp_path), ("2", Path("/"))):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        said.add(subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True).stdout)
    assert len(said) == 1


def test_a_common_symbol_is_in_bss_and_a_symbol_of_the_script_stands_once_in_the_table() -> None:
    text = START + ".comm shared, 4, 4\n.globl main\nmain: la a0, shared\nla a0, _end\n"
    program = elf.read(link([assemble(text, "one.s")]))
    found = {symbol.name: program.sections[symbol.shndx].name for symbol in program.symbols if symbol.name == "shared"}
    assert found == {"shared": ".bss"}
    assert [symbol.name for symbol in program.symbols].count("_end") == 1
