"""The assembler: statements in, one relocatable object out.

The order of things: lines.py splits text into statements, preprocess.py deals with macros, loops, conditionals and
includes, and here each statement's labels are placed and its instruction or directive carried out. Then layout.py
settles sizes and finish.py turns fixups into bytes and relocations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from asm import directives, finish
from asm.errors import Diagnostics, Source, Statement, StatementError
from asm.expressions import evaluate, linear
from asm.instructions import Code
from asm.layout import MAX_SIZE, fixed_distance
from asm.lines import decode
from asm.objects import Object
from asm.parse import Node, Parsed, parse
from asm.preprocess import Preprocessor
from asm.sections import ALLOC, EXEC, NOBITS, PROGBITS, WRITE, Section
from asm.symbols import Op, Symbol, Value
from asm.tokens import NAME

_LABEL = re.compile(rf'(?:({NAME})|(\d+)|"([^"\\]+)")\s*:\s*')
_WORD = re.compile(NAME)
_ASSIGN = re.compile(r"\s*=")

#: What statements that say the same everywhere (registers and plain numbers only) were assembled to, by their text.
_same_everywhere: dict[str, bytes] = {}
_MAX_REMEMBERED = 50_000


class Options:
    """What .option switches (GNU as manual, RISC-V-Directives)."""

    def __init__(self, relax: bool = True, pic: bool = False) -> None:
        self.relax = relax
        self.pic = pic

    def copy(self) -> Options:
        """For .option push."""
        return Options(self.relax, self.pic)


class Assembler:
    """The state of assembling one file, and what directives and instructions do to it."""

    def __init__(self, name: str, include: Sequence[str] = (), relax: bool = True) -> None:
        self.object = Object(name)
        self.diagnostics = Diagnostics()
        self.include = list(include)
        self.options = Options(relax)
        self.option_stack: list[Options] = []
        self.sections: dict[str, Section] = {}
        self.symbols: dict[str, Symbol] = {}
        self.temporaries: list[Symbol] = []  # labels without a name of their own, in the order of their making
        self.local: dict[str, Symbol] = {}  # numeric labels: the last `1:`
        self.forward: dict[str, Symbol] = {}  # and the `1f` still to come
        self.local_counts: dict[str, int] = {}
        self.section = self.enter(".text", PROGBITS, ALLOC | EXEC)
        self.section.align = 4
        self.enter(".data", PROGBITS, ALLOC | WRITE)
        self.enter(".bss", NOBITS, ALLOC | WRITE)
        self.previous: Section | None = None
        self.section_stack: list[tuple[Section, Section | None]] = []
        self.statement = Statement("", Source(name), 0, 1)
        self.size = 0  # bytes made so far
        self.pure = True  # whether the statement at hand has said the same as it would say anywhere
        self.preprocessor = Preprocessor(self)

    def run(self, text: str) -> Object:
        """Assembles a whole source. Raises AssemblyErrors."""
        reader = self.preprocessor
        reader.begin(text, self.object.name)
        while (statement := reader.next()) is not None:
            self.statement = statement
            try:
                self._statement(statement)
            except StatementError as problem:
                self.diagnostics.error(problem, statement)
            except RecursionError:
                self.diagnostics.error(StatementError("this is nested too deeply"), statement)
        reader.end()
        return finish.finish(self)

    def _statement(self, statement: Statement) -> None:
        """Labels first, then one macro call, assignment, directive or instruction."""
        text, at = statement.text, 0
        while label := _LABEL.match(text, at):
            self._label(label, at)
            at = label.end()
        if at == len(text):
            return
        word = _WORD.match(text, at)
        if word is None:
            self._no_word(text, at)
        name = word[0]  # type: ignore[index]  # _no_word raises
        if self.preprocessor.handles(name):
            self.preprocessor.run(name, text, at, word.end())  # type: ignore[union-attr]
        elif name[0] == "." and not _ASSIGN.match(text, at + len(name)):
            directives.run(self, name, text, at)
        elif (known := _same_everywhere.get(text[at:])) is not None:
            self.row()
            self.emit(known)
        else:
            self._instruction(parse(text, at))

    def _instruction(self, parsed: Parsed) -> None:
        if parsed.tree[0] != "operation":
            directives.assign(self, parsed)
            return
        section = self.section
        start, open_before = section.here, (len(section.fixups), len(section.points))
        self.row()
        self.pure = True
        Code(self, parsed).statement()
        if self.pure and open_before == (len(section.fixups), len(section.points)):
            if len(_same_everywhere) >= _MAX_REMEMBERED:
                _same_everywhere.clear()
            _same_everywhere[parsed.text[parsed.start :]] = bytes(section.data[start:])

    def _no_word(self, text: str, at: int) -> None:
        hint = "a label is followed by `:`, an instruction begins with a letter"
        raise StatementError(f"expected an instruction, directive or label before `{text[at]}`", at, 1, hint)

    # Labels and symbols -------------------------------------------------------------------------------------------

    def _label(self, match: re.Match[str], at: int) -> None:
        name, number, quoted = match.groups()
        if number is not None:
            self._local_label(str(int(number[:9])))
            return
        if name == ".":
            raise StatementError("`.` is the place itself and can't be a label", at)
        symbol = self.define(name or quoted, at)
        symbol.place(self.section)

    def define(self, name: str, at: int = 0) -> Symbol:
        """The symbol of that name, to be given its one definition now. Raises StatementError if it has one."""
        symbol = self.symbols.get(name)
        if symbol is None:
            symbol = self.symbols[name] = Symbol(name, name.startswith(".L"))
        elif symbol.is_defined:
            first = symbol.defined
            where = f"it was first defined at {first.source.name}:{first.line}" if first else ""
            raise StatementError(f"`{name}` is defined twice", at, len(name), where)
        symbol.defined = self.statement
        return symbol

    def _local_label(self, number: str) -> None:
        symbol = self.forward.pop(number, None) or self._new_local(number)
        symbol.place(self.section)
        symbol.defined = self.statement
        self.local[number] = symbol

    def _new_local(self, number: str) -> Symbol:
        """The next symbol of a numeric label, named as GNU as names it."""
        count = self.local_counts[number] = self.local_counts.get(number, 0) + 1
        symbol = Symbol(f".L{number}\x02{count}", True)
        symbol.used = self.statement
        self.temporaries.append(symbol)
        return symbol

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name, defined or not."""
        self.pure = False
        symbol = self.symbols.get(name)
        if symbol is None:
            symbol = self.symbols[name] = Symbol(name, name.startswith(".L"))
        if symbol.used is None:
            symbol.used = self.statement
        return symbol

    def local_label(self, text: str) -> Symbol:
        """The label of `1b` (the last `1:`) or `1f` (the next one)."""
        self.pure = False
        number, direction = str(int(text[:-1][:9])), text[-1]
        if direction == "b":
            if number not in self.local:
                raise StatementError(f"there is no label `{number}:` before this", 0, len(text))
            return self.local[number]
        if number not in self.forward:
            self.forward[number] = self._new_local(number)
        return self.forward[number]

    def here(self) -> Symbol:
        """A label for `.`, the place the section has reached."""
        self.pure = False
        return self.temporary()

    def temporary(self) -> Symbol:
        """A label without a name here."""
        symbol = Symbol(".L0 ", True)
        symbol.place(self.section)
        self.temporaries.append(symbol)
        return symbol

    # Values -------------------------------------------------------------------------------------------------------

    def evaluate(self, parsed: Parsed, tree: Node) -> Value:
        """The value of an expression's tree, as far as it is known."""
        try:
            return evaluate(tree, parsed.texts, self)
        except StatementError as problem:
            raise StatementError(problem.message, *parsed.span(tree), problem.hint) from None

    def constant_or_value(self, value: Value) -> Value:
        """The number, if the value is one whatever the layout will be; else the value itself."""
        if type(value) is int:
            return value
        simple = self.simplified(value)
        return simple if type(simple) is int else value

    def simplified(self, value: Value) -> Value:
        """The value with all computed that can be already: at most one symbol, so that chains of .equ stay short."""
        if type(value) is int:
            return value
        try:
            result = linear(value, fixed_distance)
        except StatementError:
            return value
        if result.minus or result.part:
            return value
        return result.number if result.plus is None else Op("add", result.plus, result.number)

    # Output -------------------------------------------------------------------------------------------------------

    def enter(self, name: str, type: int, flags: int, entsize: int = 0) -> Section:
        """The section of that name, made if need be."""
        section = self.sections.get(name)
        if section is None:
            section = self.sections[name] = Section(name, type, flags, entsize)
        return section

    def switch(self, section: Section) -> None:
        """Makes it the current section."""
        self.previous, self.section = self.section, section

    def row(self) -> None:
        """Notes that code for the statement at hand begins here."""
        section, statement = self.section, self.statement
        source = statement.source
        while source.parent is not None and source.how != "included":  # a macro's code belongs to the line of its call
            statement, source = source.parent, source.parent.source
        section.rows.append((section.here, len(section.points), source.name, statement.line))

    def emit(self, data: bytes) -> None:
        """Appends bytes to the current section."""
        try:
            self.section.emit(data)
        except ValueError as problem:
            raise StatementError(str(problem)) from None
        self._count(len(data))

    def zeros(self, count: int) -> None:
        """Appends `count` zero bytes."""
        if self.section.type != NOBITS:
            self._count(count)
        self.section.zeros(count)

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > MAX_SIZE:
            self.diagnostics.stop(f"this program has more than {MAX_SIZE >> 20} MiB", self.statement)

    def fix(self, kind: str, value: Value, relax: bool = False) -> None:
        """Notes that the bytes emitted next depend on `value`. Raises StatementError where there are no bytes."""
        if self.section.type == NOBITS:
            raise StatementError(f"{self.section.name} holds zeros only: initialized data belongs in .data")
        self.section.fix(kind, value, self.statement, relax and self.options.relax)


def assemble(
    source: str | bytes,
    name: str,
    include: Sequence[str] = (),
    *,
    relax: bool = True,
    warnings: list[str] | None = None,
) -> Object:
    """Assembles one source text. `name` is what messages call it; `include` is where .include looks.

    Warnings are appended to `warnings`. Raises AssemblyErrors with all errors found.
    """
    text = decode(source) if isinstance(source, bytes) else source
    assembler = Assembler(name, include, relax)
    assembler.object.sources.append((name, text))
    try:
        return assembler.run(text)
    finally:
        if warnings is not None:
            warnings += assembler.diagnostics.warnings
