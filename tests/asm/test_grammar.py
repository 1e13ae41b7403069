"""The parser's tables are those of the grammar."""

from __future__ import annotations

from pathlib import Path

from asm.grammar_tables import MADE, compile_grammar, load, source


def test_the_tables_that_are_written_down_are_lark_s_for_the_grammar_as_it_is() -> None:
    assert Path(MADE).read_text() == source(), "run `python -m asm.grammar_tables`"


def test_a_changed_grammar_is_never_met_by_old_tables(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import asm.grammar_made

    monkeypatch.setattr(asm.grammar_made, "GRAMMAR", 0)
    monkeypatch.setattr(asm.grammar_made, "STATES", [])
    grammar = Path(MADE).with_name("grammar.lark").read_text()
    assert load() == compile_grammar(grammar)
