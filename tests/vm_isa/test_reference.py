"""docs/isa.md is what the definitions say now."""

from __future__ import annotations

from pathlib import Path

from vm.isa import TABLE
from vm.isa.reference import page

ISA_MD = Path(__file__).parents[2] / "docs" / "isa.md"


def test_the_reference_page_is_not_stale() -> None:
    assert ISA_MD.read_text() == page(), "the definitions have changed: python -m vm.isa.reference > docs/isa.md"


def test_the_page_has_one_entry_for_each_instruction() -> None:
    headings = [line.removeprefix("### ") for line in page().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(TABLE)


def test_each_entry_shows_encoding_syntax_meaning_and_source() -> None:
    text = page()
    for insn in TABLE.values():
        entry = text[text.index(f"### {insn.name}\n") :].partition("\n### ")[0]
        assert f"    {insn.name} {insn.syntax}".rstrip() in entry
        assert insn.doc in entry
        assert f"Source: {insn.source}." in entry
        assert [token.strip() for token in insn.pattern.split()] == entry.split("```")[1].splitlines()[-1].split()
