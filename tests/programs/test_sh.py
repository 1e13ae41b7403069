"""Is the shell a shell? Its answers are compared with those of dash, Debian's /bin/sh, on the host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forkyard.samples import Samples
from tests.oracles import need
from tests.programs import here

# One script for each paragraph. $T is an empty directory.
SAME_AS_DASH = r"""
echo a;echo b;

echo "a'b" 'c"d' "x\"y\$Q" 'it'\''s' ab"c d"e'f g'

echo a#b # a comment; echo not this

echo a\
b "several
lines" 'too
$X'

true && false || echo x && echo y
false && echo no; echo $?
! false; echo $?
! true | false; echo $?
false || ! true || echo z

true &&

  echo after an empty line |
  cat

(echo in; exit 4); echo $?; (exit 3) || echo rc $?

echo one | (cat; echo two) | cat; (echo a; echo b) | wc -l

( echo a
echo b;

echo c & wait ) | cat

A=1; B=$A$A; echo $B ${B}c "$B d" $A$ $ "$" ${UNSET}.

E=; echo [$E] ["$E"] "" x $E y; echo ""''"" | wc -c

X="a  b"; echo $X "$X"; X=$X$X; echo "$X"

X=1 Y=2; echo $X$Y; X=3 true; echo $X; X=4 sh -c 'echo $X'; echo $X

echo hi > $T/f; cat < $T/f | cat >> $T/g; cat $T/g; >$T/g; cat $T/g; echo $?

F=$T/f; echo x>$F; cat<$F; cat < "$F"; echo 2>/dev/null 22; echo x2>$F; cat $F; cat 0<$F

echo out 2>&1 >/dev/null; (echo err >&2) 2>&1; (echo gone >&2) 2>/dev/null; (echo lost 1>&2 2>/dev/null) 2>&1

cat $T/nosuch 2>$T/errors || wc -l < $T/errors

echo a > $T/x > $T/y; wc -c < $T/x; cat $T/y; echo b >&-; echo $?

nosuchcommand 2>/dev/null; echo $?; /tmp 2>/dev/null; echo $?; $T/nosuch 2>/dev/null; echo $?

(cat < $T/nosuch) 2>/dev/null || echo failed; (cd $T/nosuch) 2>/dev/null || echo failed

true | false; echo $?; false | true; echo $?; exit 3 | exit 4; echo $?

wait; echo $?; (exit 5) & wait $!; echo $?; false & wait; echo $?

(sleep 100 & kill -9 $!; wait $!; echo $?) 2>/dev/null

exec echo replaced; echo not reached

exec > $T/f; echo hidden; cat $T/f >&2

cd / && (cd $T && pwd > $T/p) && pwd; wc -l < $T/p

: ignored words; echo $?; export Q=5; sh -c 'echo [$Q]'; unset Q; sh -c 'echo [$Q]'

sh -c 'echo $0 $# $1 "$2" $3.; echo "$@"; echo "$*"; echo $@' name a 'b  c'

sh -c 'for x in 1; do' 2>/dev/null || echo failed

echo $?$?; false; echo $?$?

yes | head -n 3; echo $?

exit 300

false; exit

(exit 9)

nosuchcommand 2>/dev/null

sh -c 'kill -TERM $$' 2>/dev/null
"""

# dash ends with 2 as well, and says nothing on stdout.
SYNTAX_ERRORS = [
    "echo $(",
    ";",
    "a | | b",
    ")",
    "(",
    "( )",
    '"abc',
    "echo 'abc",
    "a;;b",
    "a & & b",
    "&& a",
    "a &&",
    "a >",
]

# (script, stdout, status): where it doesn't do what dash does, on purpose.
OWN_WAY = [
    ("echo * [a-z]", "* [a-z]\n", 0),  # there are no patterns
    ("cat < /nosuch; echo $?", "1\n", 0),  # dash: 2
    ("/dev/null/x; echo $?", "126\n", 0),  # ENOTDIR: dash says 127, bash 126
    ("cat <<x", "", 2),  # there are no here-documents: a syntax error
    ("echo '\\a' \"\\n\"", "\\a \\n\n", 0),  # echo takes no escapes; that of dash does
    ("help > /dev/null; echo $?", "0\n", 0),
    ("exit abc", "", 2),
]


def dash(script: str, folder: Path) -> tuple[bytes, int]:
    """What dash makes of it. It ends by a signal as a shell would report that."""
    need("dash")
    words = ["dash", "-c", script]
    env = {"PATH": f"{os.environ['PATH']}:/bin:/usr/bin", "T": str(folder)}
    done = subprocess.run(words, capture_output=True, check=False, env=env, cwd="/", stdin=subprocess.DEVNULL)
    return done.stdout, done.returncode


def ours(script: str, programs: Samples, stdin: bytes = b"") -> tuple[bytes, int]:
    result = here.run(programs, ["/bin/sh", "-c", script], stdin, env=(b"PATH=/bin", b"T=/tmp"))
    return result.stdout, result.status


@pytest.mark.parametrize("script", [part.strip("\n") for part in SAME_AS_DASH.split("\n\n") if part.strip()])
def test_a_script_does_what_it_does_in_dash(script: str, our_bin: Samples, tmp_path: Path) -> None:
    assert ours(script, our_bin) == dash(script, tmp_path)


@pytest.mark.parametrize("script", SYNTAX_ERRORS)
def test_a_mistake_in_the_syntax_ends_the_script_with_2(script: str, our_bin: Samples, tmp_path: Path) -> None:
    assert ours(script, our_bin) == dash(script, tmp_path) == (b"", 2)


@pytest.mark.parametrize(("script", "stdout", "status"), OWN_WAY)
def test_where_it_goes_its_own_way(script: str, stdout: str, status: int, our_bin: Samples) -> None:
    assert ours(script, our_bin) == (stdout.encode(), status)


WORDS = st.sampled_from(["a", "'b  c'", '"$X"', "$X", "$?", '""', "\\$", "d\\ e", "$UNSET"])
ECHO = st.lists(WORDS, max_size=3).map(lambda words: " ".join(["echo", *words]))
SIMPLE = st.one_of(
    ECHO,
    st.sampled_from(
        ["true", "false", "cat", "(exit 3)", "X=1", 'X="p  q"', "X=$X$?", ":", "nosuchcommand 2>/dev/null"]
    ),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.tuples(inner, st.sampled_from([";", "&&", "||", "|", "&&\n", "\n"]), inner).map(" ".join)
    return st.one_of(joined, inner.map("( {} )".format), inner.map(lambda s: s if s.startswith("!") else f"! {s}"))


@given(script=st.recursive(SIMPLE, combined, max_leaves=12))
def test_any_script_does_what_it_does_in_dash(
    script: str, our_bin: Samples, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert ours(script, our_bin) == dash(script, tmp_path_factory.getbasetemp())


@given(script=st.text("ab'\"\\$?!&|;<>() \n#=1{}@*", max_size=30))
def test_no_text_makes_it_hang_or_fall(script: str, our_bin: Samples) -> None:
    _, status = ours(script, our_bin)
    assert status < 128


def interactive(text: bytes, programs: Samples) -> tuple[str, str, int]:
    result = here.run(programs, ["/bin/sh", "-i"], text)
    return result.stdout.decode(), result.stderr.decode(), result.status


def test_a_prompt_for_each_command_and_another_where_it_goes_on(our_bin: Samples) -> None:
    assert interactive(b'echo a\necho "b\nc"\n', our_bin) == ("a\nb\nc\n", "$ $ > $ ", 0)


def test_a_mistake_does_not_end_an_interactive_shell(our_bin: Samples) -> None:
    stdout, stderr, status = interactive(b"a ) b\n(\n)\necho next\nexit 6\n", our_bin)
    assert (stdout, status) == ("next\n", 6)
    assert stderr == "$ sh: line 1: ) can't stand here\n$ > sh: line 3: ) can't stand here\n$ $ "


def test_what_the_shell_does_not_read_is_for_its_children(our_bin: Samples) -> None:
    result = here.run(our_bin, ["/bin/sh"], b"echo before; cat; echo $?\nfor\ncat")
    assert result.stdout == b"before\nfor\ncat0\n"


def test_a_command_of_any_length_is_run_or_refused(our_bin: Samples) -> None:
    assert ours("echo " + "x" * 20_000 + " | wc -c", our_bin) == (b"20001\n", 0)
    refused = here.run(our_bin, ["/bin/sh"], b"echo " + b"y " * 70_000 + b"; echo never\n")
    assert (refused.stdout, refused.stderr, refused.status) == (b"", b"sh: this command is too long\n", 2)
    assert ours("(" * 3000 + "echo deep" + ")" * 3000, our_bin)[1] in (0, 1, 2)
