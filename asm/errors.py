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

    __slots__ = ("name", "parent", "how", "depth")

    def __init__(self, name: str, parent: Statement | None = None, how: str = "") -> None:
        self.name = name
        self.parent = parent
        self.how = how
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
        self.text = statement.text if statement else ""
        self.at = at
        self.length = max(1, length)
        self.hint = hint
        self.trail = tuple(_trail(statement))

    @property
    def caret(self) -> str:
        """The line under the source line: blanks, then ^~~~ under what is meant."""
        blank = "".join("\t" if character == "\t" else " " for character in self.text[: self.at])
        return blank + "^" + "~" * (min(self.length, max(1, len(self.text) - self.at)) - 1)

    def __str__(self) -> str:
        if not self.line:
            lines = [f"{self.file}: error: {self.message}" if self.file else f"error: {self.message}"]
        else:
            lines = [f"{self.file}:{self.line}:{self.column}: error: {self.message}"]
            lines += ["    " + _printable(self.text), "    " + self.caret]
        if self.hint:
            lines.append("  " + self.hint)
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
        """Notes one error; gives up (AssemblyErrors) when there are MAX_ERRORS."""
        self.errors.append(AssemblyError(problem.message, statement, problem.at, problem.length, problem.hint))
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
        """Raises AssemblyErrors if there was any error."""
        if self.errors:
            raise AssemblyErrors(self.errors)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "did you mean `add`?" for a near miss, else an empty string."""
    import difflib

    candidates = [name for name in known if abs(len(name) - len(word)) <= 2]
    near = difflib.get_close_matches(word, candidates[:_MAX_CANDIDATES], n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else ""


def _trail(statement: Statement | None) -> Iterable[str]:
    """The expansions that led to the statement, innermost first; the middle of a long trail is left out."""
    frames = []
    while statement is not None and statement.source.parent is not None:
        source, statement = statement.source, statement.source.parent
        frames.append(
            f"  {source.how} at {statement.source.name}:{statement.line}: {_printable(statement.text.strip())}"
        )
    return frames if len(frames) <= 8 else [*frames[:4], f"  … {len(frames) - 8} more …", *frames[-4:]]


def _printable(text: str) -> str:
    """The text as one safe line: control characters and undecodable bytes are shown as \\xNN, a long line is cut."""
    text = text if len(text) <= 400 else text[:400] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\t" else _escape(ord(character)) for character in text
    )


def _escape(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\x{code:02x}"
