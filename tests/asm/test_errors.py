"""Messages, as whole texts: each errors/NAME.s gives exactly what stands in errors/NAME.out.

`python -m tests.asm.test_errors` writes the .out files anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asm.assemble import assemble
from asm.build import BuildError, build
from asm.errors import AssemblyErrors
from asm.link import link
from asm.link_errors import LinkErrors

CASES = Path(__file__).with_name("errors")


def messages(path: Path) -> str:
    """What the assembler says of a file, warnings first."""
    warnings: list[str] = []
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        assemble(path.read_bytes(), path.name, warnings=warnings)
        said = "no errors"
    except AssemblyErrors as problem:
        said = str(problem)
    finally:
        os.chdir(before)
    return "\n".join([*warnings, said]) + "\n"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.s")), ids=lambda path: path.stem)
def test_messages_are_these(path: Path) -> None:
    assert messages(path) == path.with_suffix(".out").read_text(encoding="utf-8")


def linked(*sources: str) -> str:
    """What the linker says of some sources."""
    try:
        link([assemble(text, f"{name}.s") for name, text in zip("abc", sources, strict=False)])
    except LinkErrors as problem:
        return str(problem)
    return "no errors"


def test_no_start_is_an_error_that_explains_why_one_is_needed() -> None:
    said = linked("main: nop\n")
    assert said.startswith("error: there is no `_start`\n")
    assert ".globl _start" in said
    assert "main" in said


def test_a_start_that_is_not_global_is_not_seen() -> None:
    assert linked("nop\n  _start: nop\n") == (
        "a.s:2:3: error: `_start` is local here: nobody can see it\n"
        "      _start: nop\n"
        "      ^~~~~~\n"
        "  write `.globl _start`"
    )


def test_parameters_of_a_macro_have_no_parentheses_around_them_as_in_gnu_as() -> None:
    with pytest.raises(AssemblyErrors, match=r"`\(a,b\)` is no parameter"):
        assemble(".macro m(a, b)\n.endm\n", "m.s")


START = ".globl _start\n_start: nop\n"


def test_an_undefined_symbol_is_named_with_its_place_and_the_name_that_was_meant() -> None:
    assert linked(START + "call print_lnie\n", ".globl print_line\nprint_line: ret\n") == (
        "a.s:3:6: error: `print_lnie` is not defined\n"
        "    call print_lnie\n"
        "         ^~~~~~~~~~\n"
        "  did you mean `print_line`?"
    )


def test_an_undefined_symbol_in_data_has_a_place_too() -> None:
    assert linked(START + ".data\n.word 1\n.quad nowhere\n").startswith("a.s:5:7: error: `nowhere` is not defined\n")


def test_a_symbol_that_another_file_keeps_to_itself_is_said_to_want_globl() -> None:
    said = linked(START + "call helper\n", "helper: ret\n")
    assert said.endswith("\n  `helper` at b.s:1 is local: write `.globl helper` there")


def test_a_near_miss_may_be_in_a_library_that_was_not_linked(tmp_path: Path) -> None:
    (tmp_path / "exit.s").write_text(".globl exit\nexit: ret\n")
    (tmp_path / "main.s").write_text(START + "call exitt\n")
    with pytest.raises(BuildError, match=r"main\.s:3:6: error: `exitt` is not defined(.|\n)*did you mean `exit`\?"):
        build([str(tmp_path / "main.s")], [str(tmp_path)])


def test_an_error_of_linking_in_a_macro_tells_where_it_was_called() -> None:
    said = linked(START + ".macro go to\n  call \\to\n.endm\n  go nowhere\n")
    assert said.startswith("a.s:4:8: error: `nowhere` is not defined\n    call nowhere\n         ^~~~~~~\n")
    assert said.endswith("  in macro `go`, called at a.s:6: go nowhere")


def test_two_definitions_are_both_named() -> None:
    said = linked(START, "nop\n" + START)
    assert said == (
        "b.s:3:1: error: `_start` is defined twice\n    _start: nop\n    ^~~~~~\n  it was first defined at a.s:2"
    )


def test_a_jump_that_is_too_far_says_how_far_and_what_helps() -> None:
    said = linked(START + "j far\n.skip 1 << 21\nfar: nop\n")
    assert said.startswith("a.s:3:3: error: `far` is 2097156 bytes away: this reaches from -1048576 to 1048574")
    assert "`call` and `tail` reach everywhere" in said


def test_pcrel_lo_without_its_pair_is_an_error() -> None:
    said = linked(START + "1: nop\naddi a0, a0, %pcrel_lo(1b)\n")
    assert said.startswith("a.s:4:15: error: this `%pcrel_lo` has no `%pcrel_hi` at its label")


def test_errors_of_all_files_are_told_in_one_run(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.s").write_text("addd a0, a0, a0\n")
    with pytest.raises(BuildError) as caught:
        build([str(tmp_path / "a.s"), str(tmp_path / "b.s")])
    assert str(caught.value).count("unknown instruction `addd`") == 2


if __name__ == "__main__":
    for case in sorted(CASES.glob("*.s")):
        case.with_suffix(".out").write_text(messages(case), encoding="utf-8")
