"""The reference page, written from the definitions: `python -m vm.isa.reference > docs/isa.md`."""

from __future__ import annotations

import sys

from vm.isa import EXTENSIONS, Insn
from vm.isa.spec import TABLE, parse_token

_HEAD = """# The instructions of forkyard's processor

The processor is RV64IMA with the user counters (Zicsr, Zicntr) and Zifencei. This page is written from the
definitions in `vm/isa/` by `python -m vm.isa.reference > docs/isa.md`; do not edit it, a test compares them.

An encoding is shown as the manual draws it, from bit 31 on the left to bit 0 on the right: zeros and ones are
constant, `rd`, `rs1` and `rs2` are register numbers of 5 bits, and `imm[11:5]` is where bits 11 to 5 of the immediate
stand. Immediates are sign-extended to 64 bits. `pc+imm` is written as a label. Atomic instructions take the suffixes
`.aq`, `.rl` and `.aqrl`, which set the bits of these names.
"""


def page() -> str:
    """The whole page, as Markdown."""
    chapters = [_chapter(module.__name__, module.__doc__ or "") for module in EXTENSIONS]
    return "\n".join([_HEAD, _contents(), *chapters]).rstrip() + "\n"


def _contents() -> str:
    names = sorted(TABLE)
    return "In alphabetical order: " + ", ".join(f"[`{name}`](#{_anchor(name)})" for name in names) + ".\n"


def _chapter(module: str, doc: str) -> str:
    """One extension: what its module says about it, and each of its instructions."""
    title, _, rest = doc.partition("\n")
    lines = [f"## {title.rstrip('.')}", ""]
    if rest.strip():
        lines += [rest.strip(), ""]
    for insn in TABLE.values():
        if insn.module == module:
            lines += _entry(insn)
    return "\n".join(lines)


def _entry(insn: Insn) -> list[str]:
    syntax = f"{insn.name} {insn.syntax}".rstrip()
    columns = _columns(insn)
    bits = "  ".join(str(high).ljust(len(column)) for high, column in zip(_bits(insn), columns, strict=True)).rstrip()
    return [
        f"### {insn.name}",
        "",
        f"    {syntax}",
        "",
        insn.doc,
        "",
        "```text",
        bits,
        "  ".join(columns).rstrip(),
        "```",
        "",
        f"Source: {insn.source}.",
        "",
    ]


def _columns(insn: Insn) -> list[str]:
    """The pattern's tokens, each wide enough for the number of its highest bit."""
    return [token.ljust(2) for token in insn.pattern.split()]


def _bits(insn: Insn) -> list[int]:
    """The number of the highest bit of each column."""
    found, bit = [], insn.length * 8 - 1
    for token in insn.pattern.split():
        found.append(bit)
        bit -= parse_token(insn.name, token)[0]
    return found


def _anchor(name: str) -> str:
    """The anchor that Markdown renderers give a heading."""
    return name.replace(".", "")


if __name__ == "__main__":
    sys.stdout.write(page())
