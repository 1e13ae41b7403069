"""Splits text into statements: comments go, `;` and newlines separate, strings and character constants stay whole.

Source: GNU as manual, 3.2 Comments, 3.5 Statements, 3.6.1 Strings. `#` begins a comment anywhere on a line
(RISC-V's line comment character); `//` does too here, which is a forkyard extension. A line `# 12 "file"`, which
cpp writes, says where the next line came from. Unlike GNU as, which warns, a string must end on its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from asm.errors import Source, Statement, StatementError

_SPECIAL = re.compile(r"""[#;"'\x00]|/[/*]""")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_CHARACTER = re.compile(r"'(?:\\.|[^\\])'?")
_LINE_MARKER = re.compile(r'#\s*(?:line\s+)?(\d{1,9})\s+"((?:[^"\\]|\\.)*)"')

_MAX_COMMENTS = 1000  # on one line: each is taken out in time that grows with the line

#: How an error of the splitter is reported: it goes on behind it.
Report = Callable[[StatementError, Statement], None]


def decode(data: bytes) -> str:
    """The text of a source file. Bytes that are no UTF-8 survive (as surrogates), so that strings keep their bytes."""
    text = data.decode("utf-8", "surrogateescape")
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def encode(text: str) -> bytes:
    """The bytes of a piece of source text: the opposite of decode."""
    return text.encode("utf-8", "surrogateescape")


def split(text: str, source: Source, report: Report, first_line: int = 1) -> Iterator[Statement]:
    """The statements of `text`, in order. Unterminated strings and comments are reported."""
    lines = text.split("\n")
    if not source.lines and source.how in ("", "included"):
        source.lines = lines
    index, count, shift = 0, len(lines), first_line
    special = _SPECIAL.search
    while index < count:  # hot: a plain line costs one search
        line = lines[index]
        if special(line) is None:
            stripped = line.strip()
            if stripped:
                yield Statement(stripped, source, index + shift, line.index(stripped[0]) + 1)
            index += 1
        elif marker := _LINE_MARKER.match(line):
            index += 1
            source = Source(marker[2], source.parent, source.how)
            shift = int(marker[1]) - index
        else:
            splitter = _LineSplitter(lines, index, source, shift, report)
            yield from splitter.statements()
            index = splitter.index + 1


class _LineSplitter:
    """Splits one line with comments, strings or `;` in it; a comment may carry it on to further lines."""

    def __init__(self, lines: list[str], index: int, source: Source, shift: int, report: Report) -> None:
        self.lines = lines
        self.index = index  # of the last line that was used
        self.number = index + shift
        self.line = lines[index]
        self.source = source
        self.report = report
        self.begin = 0  # where the statement at hand begins
        self.comments = 0

    def statements(self) -> Iterator[Statement]:
        position = 0
        while found := _SPECIAL.search(self.line, position):
            at, mark = found.start(), found[0]
            if mark in ("#", "//"):
                self.line = self.line[:at]
                break
            if mark == ";":
                yield from self._statement(at)
                self.begin = position = at + 1
            elif mark == "/*":
                position = self._comment(at)
            else:
                position = self._quoted(mark, at)
        yield from self._statement(len(self.line))

    def _statement(self, end: int) -> Iterator[Statement]:
        text = self.line[self.begin : end]
        stripped = text.strip()
        if stripped:
            yield Statement(stripped, self.source, self.number, self.begin + text.index(stripped[0]) + 1)

    def _quoted(self, mark: str, at: int) -> int:
        """Skips a string or character constant at `at`; returns where it ends."""
        if mark == "\0":
            self._error("a NUL byte: is this a text file?", at)
        found = (_STRING if mark == '"' else _CHARACTER).match(self.line, at)
        if found:
            return found.end()
        if mark == '"':
            self._error('this string has no closing `"` on its line', at)
        if mark != "'":
            self.line, self.begin = "", 0
        return at + 1

    def _comment(self, at: int) -> int:
        """Takes out the comment at `at`, to its end on a later line if need be; returns where to go on."""
        self.comments += 1
        if self.comments > _MAX_COMMENTS:
            self._error(f"more than {_MAX_COMMENTS} comments on one line", at)
            self.line = self.line[:at]
            return at
        end, rest, start = self.line.find("*/", at + 2), self.line, self.index
        while end < 0 and self.index + 1 < len(self.lines):
            self.index += 1
            rest = self.lines[self.index]
            end = rest.find("*/")
        if end < 0:
            self._error("this comment has no closing `*/`", at)
            self.line = self.line[:at]
            return at
        before = self.line[:at]
        if start == self.index:  # on one line: blanks keep the columns right
            self.line = before + " " * (end + 2 - at) + rest[end + 2 :]
        elif before[self.begin :].strip():
            self.line = before + " " + rest[end + 2 :]
        else:  # what follows is a statement of the later line
            self.number += self.index - start
            self.line, self.begin = " " * (end + 2) + rest[end + 2 :], 0
            return end + 2
        return at + 1

    def _error(self, message: str, at: int) -> None:
        self.report(StatementError(message, at), Statement(self.line, self.source, self.number, 1))
