"""What happens to statements before they are parsed: macros, loops, conditionals, included files.

Source: GNU as manual, 7 (.macro .rept .irp .irpc .if… .include). Statements come from a stack of frames; a macro
call or .include pushes one. There are limits, so that no text can hang the assembler or eat all memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from asm import macros
from asm.conditions import Conditionals, is_conditional
from asm.errors import Source, Statement, StatementError, did_you_mean
from asm.lines import decode, split
from asm.macros import Macro
from asm.strings import string
from asm.tokens import NAME

if TYPE_CHECKING:
    from asm.assemble import Assembler

MAX_DEPTH = 100  # of macros in macros and files in files (GNU as has the same limit)
MAX_EXPANDED = 1_000_000  # statements out of macros and loops, all together
MAX_TEXT = 1 << 26  # characters of these
MAX_LINE = 1 << 16  # characters of one of these: arguments can double at each level
MAX_FILE = 1 << 26  # bytes of an included file: 64 MiB
MAX_INCLUDES = 10_000

_LABELS = re.compile(rf"(?:(?:{NAME}|\d+)\s*:\s*)*")
_ENDS = {".macro": (".endm",), ".rept": (".endr",), ".rep": (".endr",), ".irp": (".endr",), ".irpc": (".endr",)}


class Frame:
    """One text on the stack: its statements, and how many conditionals were open when it began."""

    __slots__ = ("statements", "source", "conditionals", "is_expansion")

    def __init__(self, statements: Iterator[Statement], source: Source, conditionals: int, is_expansion: bool) -> None:
        self.statements = statements
        self.source = source
        self.conditionals = conditionals
        self.is_expansion = is_expansion


class Preprocessor:
    """Hands out statements one by one, and carries out the directives that decide which ones."""

    def __init__(self, asm: Assembler) -> None:
        self.asm = asm
        self.frames: list[Frame] = []
        self.macros: dict[str, Macro] = {}
        self.conditionals = Conditionals(asm)
        self.count = 0  # macros called so far: \@
        self.expanded = 0
        self.characters = 0
        self.includes = 0

    def begin(self, text: str, name: str) -> None:
        """Starts with the main text."""
        source = Source(name)
        self._push(split(text, source, self.asm.diagnostics.error), source)

    def next(self) -> Statement | None:
        """The next statement that is to be assembled; None at the end."""
        while True:
            statement = self._raw()
            if statement is None or self.conditionals.active:
                return statement
            self.asm.statement = statement
            try:
                self.conditionals.skip(statement)
            except StatementError as problem:
                self.asm.diagnostics.error(problem, statement)

    def end(self) -> None:
        """Reports conditionals that are still open."""
        for statement in self.conditionals.close(0):
            self.asm.diagnostics.error(StatementError("this has no `.endif`"), statement)

    def handles(self, name: str) -> bool:
        """Whether `name` is a macro or one of this layer's directives."""
        if self.macros and name.lower() in self.macros:
            return True
        return name[0] == "." and (name.lower() in _DIRECTIVES or is_conditional(name.lower()))

    def run(self, name: str, text: str, start: int, end: int) -> None:
        """Carries out the statement text[start:], whose name ends at `end`."""
        name = name.lower()
        operands = text[end:].strip()
        if name in self.macros:
            self._call(self.macros[name], operands)
        elif is_conditional(name):
            self.conditionals.run(name, operands, self.asm.statement)
        else:
            _DIRECTIVES[name](self, name, operands)

    # The stack of texts -------------------------------------------------------------------------------------------

    def _push(self, statements: Iterator[Statement], source: Source, is_expansion: bool = False) -> None:
        self.frames.append(Frame(statements, source, self.conditionals.depth, is_expansion))

    def _raw(self) -> Statement | None:
        """The next statement of the innermost text that has one."""
        while self.frames:
            statement = next(self.frames[-1].statements, None)
            if statement is not None:
                return statement
            if len(self.frames) == 1:
                return None
            frame = self.frames.pop()
            for unclosed in self.conditionals.close(frame.conditionals):
                self.asm.diagnostics.error(StatementError("this has no `.endif`"), unclosed)
        return None

    def _child(self, name: str, how: str) -> Source:
        """The source for what the statement at hand brings in. Raises StatementError if it is nested too deeply."""
        source = Source(name, self.asm.statement, how)
        if source.depth > MAX_DEPTH:
            raise StatementError(f"this is nested more than {MAX_DEPTH} levels deep: does it call or include itself?")
        return source

    def _expand(self, body: list[Statement], values: dict[str, str], source: Source, count: int) -> Iterator[Statement]:
        """The statements of a body with its parameters replaced."""
        for line in body:
            self.expanded += 1
            if self.expanded > MAX_EXPANDED:
                self.asm.diagnostics.stop(f"macros and loops made more than {MAX_EXPANDED} statements", line)
            text = macros.substitute(line.text, values, count)
            self.characters += len(text)
            if self.characters > MAX_TEXT or len(text) > MAX_LINE:
                self.asm.diagnostics.stop(
                    f"macros made too much text: {MAX_LINE >> 10} KiB in a line, or {MAX_TEXT >> 20} MiB",
                    line,
                )
            if text is line.text:
                yield Statement(text, source, line.line, line.column)
            else:
                for made in split(text, source, self.asm.diagnostics.error, line.line):
                    made.column += line.column - 1
                    yield made

    def _body(self, opening: str) -> list[Statement]:
        """The statements up to the matching .endm or .endr. Raises StatementError if there is none."""
        ends, depth = _ENDS[opening], 0
        body: list[Statement] = []
        while (statement := self._raw()) is not None:
            labels = _LABELS.match(statement.text).end()  # type: ignore[union-attr]  # it matches nothing, too
            word = macros.name_at(statement.text[labels:]).lower()
            if depth == 0 and word in ends:
                if labels:
                    body.append(Statement(statement.text[:labels], statement.source, statement.line, statement.column))
                return body
            if word in _ENDS and (word == ".macro") == (opening == ".macro"):
                depth += 1
            elif word in ends:
                depth -= 1
            body.append(statement)
        raise StatementError(f"this `{opening}` has no `{ends[0]}`")

    # Directives ---------------------------------------------------------------------------------------------------

    def _call(self, macro: Macro, operands: str) -> None:
        values = macro.bind(operands)
        where = macro.body[0].source.name if macro.body else ""
        source = self._child(where, f"in macro `{macro.name}`, called")
        self._push(self._expand(macro.body, values, source, self.count), source, True)
        self.count += 1

    def _macro(self, name: str, operands: str) -> None:
        statement = self.asm.statement
        body = self._body(name)
        self.asm.statement = statement
        title, parameters = macros.parameters(operands)
        if title.lower() in self.macros:
            raise StatementError(f"macro `{title}` is defined already: `.purgem {title}` forgets it")
        self.macros[title.lower()] = Macro(title, parameters, body)

    def _purge(self, name: str, operands: str) -> None:
        for title in operands.replace(",", " ").split():
            if self.macros.pop(title.lower(), None) is None:
                raise StatementError(f"there is no macro `{title}`", 0, 1, did_you_mean(title, self.macros))

    def _exit(self, name: str, operands: str) -> None:
        if not any(frame.is_expansion for frame in self.frames):
            raise StatementError("`.exitm` outside a macro or loop")
        while True:
            frame = self.frames.pop()
            for _ in self.conditionals.close(frame.conditionals):
                pass  # what the macro or loop opened is closed with it
            if frame.is_expansion:
                return

    def _repeat(self, name: str, operands: str) -> None:
        statement = self.asm.statement
        body = self._body(name)
        self.asm.statement = statement
        count = self.conditionals.number(operands, name)
        if count < 0:
            raise StatementError(f"a negative count: {count}")
        if not body:
            return
        if self.expanded + count * len(body) > MAX_EXPANDED:
            raise StatementError(f"this makes {count * len(body)} statements: more than {MAX_EXPANDED}")
        self._loop(body, [{}] * count, name)

    def _each(self, name: str, operands: str) -> None:
        """.irp symbol, values and .irpc symbol, characters."""
        statement = self.asm.statement
        body = self._body(name)
        self.asm.statement = statement
        symbol, rest = macros.argument(macros.squeeze(operands))
        if not symbol:
            raise StatementError(f"`{name}` needs the name that stands for each value")
        if name == ".irp":
            values = macros.arguments(rest) or [""]
        else:
            values = list(macros.argument(rest)[0] if rest.startswith('"') else rest.replace(" ", "")) or [""]
        self._loop(body, [{symbol: value} for value in values], name)

    def _loop(self, body: list[Statement], rounds: list[dict[str, str]], name: str) -> None:
        if not body:
            return
        source = self._child(body[0].source.name, f"in `{name}`")
        count = self.count
        self._push((line for values in rounds for line in self._expand(body, values, source, count)), source, True)

    def _stray(self, name: str, operands: str) -> None:
        opening = ".macro" if name == ".endm" else ".rept"
        raise StatementError(f"`{name}` without `{opening}`")

    def _include(self, name: str, operands: str) -> None:
        path = self.file_name(operands)
        source = self._child(path, "included")
        self.includes += 1
        if self.includes > MAX_INCLUDES:
            self.asm.diagnostics.stop(f"more than {MAX_INCLUDES} files are included", self.asm.statement)
        text = decode(self.read(path))
        self.asm.object.sources.append((path, text))
        self._push(split(text, source, self.asm.diagnostics.error), source)

    def file_name(self, operands: str) -> str:
        """The path of a file that a directive names, found on the include path. Raises StatementError."""
        if len(operands) < 2 or operands[0] != '"' or operands[-1] != '"':
            raise StatementError('expected a file name in quotes, as in `.include "file"`')
        wanted = os.fsdecode(string(operands))
        if "\0" in wanted:
            raise StatementError("a NUL byte in a file name")
        beside = os.path.dirname(self.asm.statement.source.name)
        folders = ["", beside, *self.asm.include]
        for folder in folders:
            path = os.path.join(folder, wanted)
            if os.path.exists(path):
                return path
        shown = ", ".join(folder or "." for folder in dict.fromkeys(folders))
        raise StatementError(f"there is no file `{wanted}`", 0, 1, f"looked in {shown}")

    def read(self, path: str) -> bytes:
        """The content of an included file. Raises StatementError if it is no plain file, too large, or can't be
        read.
        """
        try:
            if not os.path.isfile(path):
                raise StatementError(f"`{path}` is no plain file")
            if os.path.getsize(path) > MAX_FILE:
                raise StatementError(f"`{path}` is larger than {MAX_FILE >> 20} MiB")
            with open(path, "rb") as file:
                return file.read()
        except OSError as problem:
            raise StatementError(f"can't read `{path}`: {problem.strerror}") from None

    def _end(self, name: str, operands: str) -> None:
        """.end: the rest of the text is not looked at."""
        del self.frames[1:]
        self.frames[0].statements = iter(())


_DIRECTIVES: dict[str, Callable[[Preprocessor, str, str], None]] = {
    ".macro": Preprocessor._macro,
    ".endm": Preprocessor._stray,
    ".purgem": Preprocessor._purge,
    ".exitm": Preprocessor._exit,
    ".rept": Preprocessor._repeat,
    ".rep": Preprocessor._repeat,
    ".irp": Preprocessor._each,
    ".irpc": Preprocessor._each,
    ".endr": Preprocessor._stray,
    ".include": Preprocessor._include,
    ".end": Preprocessor._end,
}

NAMES = tuple(_DIRECTIVES)
