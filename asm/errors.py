"""What is wrong with a source file, and where: errors that carry data, and whose text a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: More errors than this in one file say nothing new.
MAX_ERRORS = 100
_MAX_CANDIDATES = 1000  # for "did you mean": comparing is slow


class Source:
    """A text being assembled: a file, or what one expansion of a macro or loop made.

    `parent` is the statement that brought it in (None for the main file) and `how` says by what: "included",
    "macro `name`", ".rept".
    """

    __slots__ = ("name", "parent", "how", "depth", "lines")

    def __init__(self, name: str, parent: Statement | None = None, how: str = "") -> None:
        self.name = name
        self.parent = parent
        self.how = how
        self.lines: list[str] = []  # the text's lines, where statements have their numbers
        self.depth: int = 0 if parent is None else parent.source.depth + 1


class Statement:
    """One statement: its text without comments, and where it stands (line and column count from 1)."""

    __slots__ = ("text", "source", "line", "column")

    def __init__(self, text: str, source: Source, line: int, column: int) -> None:
        self.text = text
        self.source = source
        self.line = line
        self.column = column


class StatementError(Exception):
    """Something wrong in the statement at hand: `at` is where in its text (an offset), `length` how far the caret
    runs.
    """

    def __init__(self, message: str, at: int = 0, length: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.length = length
        self.hint = hint


class AssemblyError(Exception):
    """One error, with its place and what to do about it. str() is the whole message."""

    def __init__(
        self, message: str, statement: Statement | None, at: int = 0, length: int = 1, hint: str = "", name: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = statement.source.name if statement else name
        self.line = statement.line if statement else 0
        self.column = statement.column + at if statement else 0
        self.text, self.at = _line_of(statement, at) if statement else ("", 0)
        self.length = max(1, length)
        self.hint = hint
        self.trail = tuple(_trail(statement))
        self.main_line = self.line  # the line of the main file that led here
        while statement is not None:
            self.main_line, statement = statement.line, statement.source.parent

    @property
    def caret(self) -> str:
        """The line under the source line: blanks, then ^~~~ under what is meant."""
        before = printable(self.text[: self.at], 10_000)
        blank = "".join("\t" if character == "\t" else " " for character in before)
        meant = printable(self.text[self.at : self.at + self.length])
        return (blank + "^" + "~" * (len(meant) - 1))[:400]

    def __str__(self) -> str:
        message = printable(self.message, 4000)
        if not self.line:
            lines = [f"{printable(self.file)}: error: {message}" if self.file else f"error: {message}"]
        else:
            lines = [f"{printable(self.file)}:{self.line}:{self.column}: error: {message}"]
            lines += ["    " + printable(self.text), "    " + self.caret]
        if self.hint:
            lines.append("  " + printable(self.hint))
        return "\n".join(lines + list(self.trail))


class AssemblyErrors(Exception):
    """All errors of one run, in the order of the source."""

    def __init__(self, errors: Sequence[AssemblyError]) -> None:
        super().__init__(errors)
        self.errors = list(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class Diagnostics:
    """Collects the errors and warnings of one file."""

    def __init__(self) -> None:
        self.errors: list[AssemblyError] = []
        self.warnings: list[str] = []

    def error(self, problem: StatementError, statement: Statement) -> None:
        """Notes one error, once if a loop repeats it; gives up (AssemblyErrors) when there are MAX_ERRORS."""
        error = AssemblyError(problem.message, statement, problem.at, problem.length, problem.hint)
        if error.text and any(str(error) == str(known) for known in self.errors[-3:]):
            return
        self.errors.append(error)
        if len(self.errors) >= MAX_ERRORS:
            self.stop(f"too many errors ({MAX_ERRORS}): the rest is not shown", statement)

    def warning(self, message: str, statement: Statement) -> None:
        """Notes a warning: it stops nothing."""
        self.warnings.append(f"{statement.source.name}:{statement.line}: warning: {message}")

    def stop(self, message: str, statement: Statement) -> None:
        """Ends the assembly with this last error."""
        self.errors.append(AssemblyError(message, statement))
        raise AssemblyErrors(self.errors)

    def check(self) -> None:
        """Raises AssemblyErrors if there was any error, in the order of the main file's lines."""
        if self.errors:
            raise AssemblyErrors(sorted(self.errors, key=lambda error: error.main_line))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "did you mean `add`?" for a near miss, else an empty string."""
    import difflib

    candidates = [name for name in known if abs(len(name) - len(word)) <= 2]
    near = difflib.get_close_matches(word, candidates[:_MAX_CANDIDATES], n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else ""


def _line_of(statement: Statement, at: int) -> tuple[str, int]:
    """The source line of a statement and where offset `at` of the statement is in it."""
    lines, start = statement.source.lines, statement.column - 1
    if 0 < statement.line <= len(lines):
        line = lines[statement.line - 1]
        if line.startswith(statement.text, start):
            return line.rstrip(), start + at
    return statement.text, at


def _trail(statement: Statement | None) -> Iterable[str]:
    """The expansions that led to the statement, innermost first; the middle of a long trail is left out."""
    frames = []
    while statement is not None and statement.source.parent is not None:
        source, statement = statement.source, statement.source.parent
        frames.append(
            f"  {source.how} at {statement.source.name}:{statement.line}: {printable(statement.text.strip())}"
        )
    return frames if len(frames) <= 8 else [*frames[:4], f"  … {len(frames) - 8} more …", *frames[-4:]]


def printable(text: str, limit: int = 400) -> str:
    """The text as it can be shown anywhere: control characters and undecodable bytes as \\xNN, cut if it is too
    long.
    """
    text = text if len(text) <= limit else text[:limit] + "…"
    if text.isprintable():
        return text
    return "".join(piece if piece.isprintable() or piece in "\t\n" else _escape(ord(piece)) for piece in text)


def _escape(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\x{code:02x}"
