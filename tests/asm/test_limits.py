"""Does every text end soon, in a program or an error that names the limit, and without eating memory?"""

from __future__ import annotations

import resource
import time

import pytest

from asm.assemble import assemble
from asm.errors import AssemblyErrors

CASES = {
    "a macro that calls itself": (".macro m\nm\n.endm\nm\n", "100 levels deep"),
    "a huge loop": (".rept 1000000000\nnop\n.endr\n", "more than 1000000"),
    "a huge loop around nothing": (".rept 1000000000\n.endr\nfoo\n", "unknown instruction `foo`"),
    "arguments that double": ('.macro m a\nm "\\a\\a"\n.endm\nm xxxxxxxx\n', "too much text"),
    "a huge fill": (".fill 1 << 40, 1, 1\n", "256 MiB"),
    "a huge skip": (".skip 1 << 50\n", "more than any program"),
    "a huge org": (".org 1 << 39\n", "256 MiB"),
    "many large sections": ("".join(f".section s{n}\n.skip 200 << 20\n" for n in range(20)), "256 MiB"),
    "a late huge count": (".skip size\n.equ size, 1 << 45\n", "more than any program"),
    "a huge alignment": (".align 60\n", "an alignment of more than 65536"),
    "deep parentheses": (".word " + "(" * 20000 + "1" + ")" * 20000, "200 levels deep"),
    "a long sum": (".word " + "+".join(["1"] * 20000), "200 levels deep"),
    "symbols in a circle": (".set a, b + 1\n.set b, a + 1\n.quad a\n", "in a circle"),
    "a size that depends on itself": ("a: .skip b - a, 1\n.skip b - a + 1, 1\nb:\n", "in a circle"),
    "many comments on a line": ("/**/" * 20000, "1000 comments"),
    "many open conditionals": (".if 1\n" * 20000, "has no `.endif`"),
    "thousands of errors": ("".join(f"foo{n} a0\n" for n in range(3000)), "too many errors"),
    "a number of thousands of digits": (".octa " + "9" * 5000, "2000 digits"),
    "an endless file": ('.incbin "/dev/zero"\n', "no plain file"),
}


@pytest.mark.parametrize("name", CASES)
def test_there_is_a_limit_with_a_message(name: str) -> None:
    text, said = CASES[name]
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(AssemblyErrors) as caught:
        assemble(text, "limit.s")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000, "KiB"
    assert time.monotonic() - begin < 60, "a hang, on the slowest machine"


def test_a_file_that_includes_itself_ends(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "self.s"
    path.write_text(f'.include "{path}"\n.include "{path}"\n')
    with pytest.raises(AssemblyErrors, match="levels deep"):
        assemble(path.read_bytes(), str(path))


def test_long_lists_and_chains_are_no_trouble() -> None:
    chain = "x0:\n" + "".join(f".set x{n}, x{n - 1} + 1\n" for n in range(1, 3000)) + ".word x2999\n"
    assert assemble(chain, "chain.s").sections[0].relocations[0].addend == 2999
    assert assemble(".data\n.byte " + ",".join(["1"] * 10000), "list.s").sections[1].size == 10000
