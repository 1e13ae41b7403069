"""The documents tell the truth: what they name is there, and the output that they show is the real one."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from forkyard.arguments import Parser, add_machine_options
from forkyard.cli import COMMANDS
from tests.forkyard.conftest import PROGRAMS, TOP, Forkyard

DOCUMENTS = [TOP / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "tests/README.md")]
DOCUMENTS += sorted((TOP / "docs").glob("**/*.md"))
_PATH = re.compile(r"`((?:vm|asm|kernel|forkyard|programs|tests|docs|benchmarks)/[\w./-]*)`")
_NAMED = re.compile(r"`([\w/]+\.py): (\w+)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    missing = [name for name in _PATH.findall(text) if "NAME" not in name and not (TOP / name).exists()]
    missing += [link for link in _LINK.findall(text) if not (document.parent / link).exists()]
    assert missing == []


def test_the_functions_of_the_journey_are_there() -> None:
    found = _NAMED.findall((TOP / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert len(found) >= 3
    for path, name in found:
        tree = ast.parse((TOP / path).read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert name in names, f"{path} has no {name}"


def test_the_readme_shows_what_one_sees(forkyard: Forkyard, tmp_path: Path) -> None:
    text = (TOP / "README.md").read_text(encoding="utf-8")
    for line in (PROGRAMS / "family.out").read_text().splitlines():
        assert f"\n    {line}\n" in text
    forkyard("trace", "--only", "fault,process", "-o", tmp_path / "trace", PROGRAMS / "family.s")
    trace = (tmp_path / "trace").read_text().splitlines()
    shown = re.findall(r"^    ( +\d+ +\d+  (?:fault|process) .*)$", text, re.MULTILINE)
    assert len(shown) >= 5
    assert [line for line in shown if line not in trace] == []


@pytest.mark.parametrize("name", ["processes.md", "ru/processes.md"])
def test_the_chapters_show_what_one_sees(name: str, forkyard: Forkyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    text = (TOP / "docs" / name).read_text(encoding="utf-8")
    shown = re.findall(r"^    \$ forkyard (.*)\n((?:    .*\n)+)", text, re.MULTILINE)
    assert len(shown) >= 14
    for command, block in shown:
        words, quiet, _ = command.partition(" 2>/dev/null")
        result = forkyard(*shlex.split(words))
        pattern = re.escape(textwrap.dedent(block)).replace("…\\\n", "(?:.*\\n)*")
        actual = result.err if words.startswith("trace") else result.out + (result.err if not quiet else "")
        assert re.fullmatch(pattern, actual), (command, actual)


def test_make_run_and_make_test_are_the_first_commands_of_the_readme() -> None:
    commands = re.findall(r"^    (\S.*)$", (TOP / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands[:2] == ["make run", "make test"]


def test_every_command_and_option_is_documented() -> None:
    text = (TOP / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`forkyard {name} " not in text] == []
    parser = Parser("run", "FILE", "", "")
    add_machine_options(parser)
    options = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    assert [option for option in options if f"`{option}" not in text and option != "--help"] == []
