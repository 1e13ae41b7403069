"""Does what a sample's opening comment tells the reader to type work?"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from tests.programs import samples
from tests.programs.samples import PROGRAMS

# What a person types with something before or after it, or something else in place of it.
NOT_AS_IT_STANDS = re.compile(r"SCRIPT|sh\.s -i|50000000")
QUICK = ("05_cow", "sh", "kill")


def commands(name: str) -> list[str]:
    """The command lines in the opening comment that begin with forkyard, without what follows in the shell."""
    comment = (PROGRAMS / f"{name}.s").read_text().split("\n\n    .")[0]
    found = re.findall(r"(forkyard (?:run|trace) (?:'[^']*'|[^'\n;(|])*)", comment)
    return [line.strip() for line in found if not NOT_AS_IT_STANDS.search(line)]


def try_all(name: str) -> None:
    allowed = {0, samples.sample(name).status, 143}  # 143: what `kill` is about
    for line in commands(name):
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(
            words, capture_output=True, check=False, cwd=PROGRAMS.parent, stdin=subprocess.DEVNULL, timeout=120
        )
        assert done.returncode in allowed, (line, done.stderr)


@pytest.mark.parametrize("name", QUICK)
def test_what_the_comment_says_to_type_works(name: str) -> None:
    try_all(name)


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in samples.names() if name not in QUICK])
def test_what_the_comments_say_to_type_works(name: str) -> None:
    try_all(name)


def test_each_sample_says_what_to_type() -> None:
    assert [name for name in samples.names() if not commands(name)] == []
