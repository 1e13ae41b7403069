"""Puts every section of a link in its place: addresses and file offsets, by the linker script."""

from __future__ import annotations

from asm.link_errors import LinkErrors
from asm.link_got import Got
from asm.link_script import Assign, Expression, Header, Input, Output, Script, matches
from asm.link_symbols import Resolver
from asm.objects import Object, ObjectSection, ObjectSymbol
from asm.sections import ALLOC, EXEC, NOBITS, PROGBITS, THREAD, WRITE

PAGE = 0x1000


class Placed:
    """An output section: where it lies and what is in it, as (offset, object, section)."""

    def __init__(self, name: str, segments: tuple[str, ...], loaded: bool) -> None:
        self.name = name
        self.segments = segments
        self.loaded = loaded
        self.parts: list[tuple[int, Object, ObjectSection]] = []
        self.type = 0
        self.flags = 0
        self.align = 1
        self.entsize = 0
        self.address = 0
        self.offset = 0
        self.size = 0
        self.data = bytearray()

    @property
    def thread_zeros(self) -> bool:
        """.tbss: made anew for each thread, so that it takes no room among the program's addresses."""
        return self.type == NOBITS and bool(self.flags & THREAD)

    def add(self, made: Object, section: ObjectSection, at: int) -> int:
        """Appends an input section at or behind address `at`; returns the address behind it."""
        start = at + -at % section.align
        if not self.parts:
            self.type, self.address, self.entsize = section.type, start, section.entsize
        if self.type == NOBITS:
            self.type = section.type
        self.flags |= section.flags & (WRITE | ALLOC | EXEC | THREAD)
        self.align = max(self.align, section.align)
        self.parts.append((start - self.address, made, section))
        self.size = start + section.size - self.address
        return start + section.size


class Image:
    """The program being linked: output sections with addresses, and the addresses of symbols."""

    def __init__(self, script: Script, resolver: Resolver) -> None:
        self.script = script
        self.resolver = resolver
        self.sections: list[Placed] = []
        self.where: dict[int, tuple[Placed, int]] = {}  # by id() of an input section
        self.provided: dict[str, int] = {}
        self.got = Got()
        self.common: dict[int, tuple[ObjectSection, int]] = {}  # by id() of a common symbol
        self._taken: set[int] = set(resolver.dropped)
        self._linker = Object("the linker")
        self._make_common()
        self._make_got()
        self._place()

    # What the linker adds -----------------------------------------------------------------------------------------

    def _make_common(self) -> None:
        """Room for common symbols that no file defines, as one more section."""
        room = ObjectSection("COMMON", NOBITS, ALLOC | WRITE, 1, b"", 0)
        for symbol in self.resolver.globals.values():
            if symbol.kind == "common":
                room.align = max(room.align, symbol.value)
                room.size += -room.size % max(1, symbol.value)
                self.common[id(symbol)] = (room, room.size)
                room.size += symbol.size
        if room.size:
            self._linker.sections.append(room)

    def _make_got(self) -> None:
        self.got.collect(self.resolver.objects, self.resolver.definition)
        if self.got.section is not None:
            self._linker.sections.append(self.got.section)

    # Addresses ----------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        at = 0
        statements = self._with_orphans()
        for statement in statements:
            if isinstance(statement, Assign):
                at = self._assign(statement, at)
            elif statement.address is None:
                at = self._output(statement, at)
            else:
                self._output(statement, 0)

    def _assign(self, statement: Assign, at: int) -> int:
        value = self._value(statement.value, at)
        if statement.name == ".":
            return value
        if not (statement.provide and self.resolver.defined(statement.name)):
            self.provided[statement.name] = value
        return at

    def _value(self, expression: Expression, at: int) -> int:
        if isinstance(expression, int):
            return expression
        if expression == ".":
            return at
        if isinstance(expression, str):
            return self.provided[expression]
        operator, left, right = expression[0], self._value(expression[1], at), self._value(expression[2], at)
        if operator == "align":
            return left + -left % right
        return left + right if operator == "+" else left - right

    def _output(self, output: Output, at: int) -> int:
        placed = Placed(output.name, output.segments, output.address is None)
        chosen = self._choose(output)
        align = max(
            (section.align for item in chosen if not isinstance(item, Assign) for _, section in item), default=1
        )
        start = at + -at % align if any(not isinstance(item, Assign) and item for item in chosen) else at
        end = start
        for item in chosen:
            if isinstance(item, Assign):
                end = self._assign(item, end)
            else:
                for made, section in item:
                    end = placed.add(made, section, end)
                    self.where[id(section)] = (placed, placed.parts[-1][0])
        if not placed.size:
            return at
        self.sections.append(placed)
        return at if placed.thread_zeros else end

    def _choose(self, output: Output) -> list[Assign | list[tuple[Object, ObjectSection]]]:
        """The input sections of each pattern, in the order of the files."""
        chosen: list[Assign | list[tuple[Object, ObjectSection]]] = []
        for item in output.items:
            if isinstance(item, Assign):
                chosen.append(item)
                continue
            found = []
            for made, section in self._remaining():
                if any(matches(pattern, section.name) for pattern in item.patterns):
                    self._taken.add(id(section))
                    found.append((made, section))
            chosen.append(found)
        return chosen

    def _remaining(self) -> list[tuple[Object, ObjectSection]]:
        objects = [*self.resolver.objects, self._linker]
        return [(made, s) for made in objects for s in made.sections if id(s) not in self._taken]

    def _with_orphans(self) -> list[Output | Assign]:
        """The script's statements, with an output section for each name that it does not mention, behind its like."""
        statements = list(self.script.statements)
        patterns = [
            p for s in statements if isinstance(s, Output) for i in s.items if isinstance(i, Input) for p in i.patterns
        ]
        names: dict[str, int] = {}
        for _, section in self._remaining():
            if any(matches(pattern, section.name) for pattern in self.script.discarded):
                self._taken.add(id(section))
            elif not any(matches(pattern, section.name) for pattern in patterns):
                names[section.name] = names.get(section.name, 0) | section.flags
        for name, flags in names.items():
            self._insert(statements, name, flags)
        return statements

    def _insert(self, statements: list[Output | Assign], name: str, flags: int) -> None:
        if not flags & ALLOC:
            statements.append(Output(name, 0, (Input((name,)),), ()))
            return
        segment = "text" if flags & EXEC else "data" if flags & WRITE else "rodata"
        behind = ".text" if flags & EXEC else ".data" if flags & WRITE else ".eh_frame"
        index = next(n for n, s in enumerate(statements) if isinstance(s, Output) and s.name == behind)
        while isinstance(statements[index + 1], Output) and statements[index + 1].name not in (".got", ".sdata"):
            index += 1
        statements.insert(index + 1, Output(name, None, (Input((name,)),), (segment,)))

    # Symbols ------------------------------------------------------------------------------------------------------

    def address(self, symbol: ObjectSymbol) -> int | None:
        """The address (or number) of a definition; None if it is undefined or was dropped."""
        if symbol.kind == "absolute":
            return symbol.value
        if symbol.kind == "common":
            room, offset = self.common[id(symbol)]
            placed, base = self.where[id(room)]
            return placed.address + base + offset
        if symbol.section is not None:
            found = self.where.get(id(symbol.section))
            return None if found is None else found[0].address + found[1] + symbol.value
        return self.provided.get(symbol.name)

    def unloaded(self, name: str) -> Placed:
        """The output section of that name that is not loaded, made if need be."""
        for placed in self.sections:
            if placed.name == name:
                return placed
        placed = Placed(name, (), False)
        placed.type = PROGBITS
        self.sections.append(placed)
        return placed

    @property
    def thread_base(self) -> int:
        """Where the thread-local variables' initial values begin: their symbols count from there (gABI, STT_TLS)."""
        return next((placed.address for placed in self.sections if placed.flags & THREAD), 0)

    @property
    def entry(self) -> int:
        """The address of `_start`. Raises LinkErrors if it has none."""
        symbol = self.resolver.defined(self.script.entry)
        address = self.address(symbol) if symbol is not None else None
        if address is None:
            raise LinkErrors([f"error: `{self.script.entry}` lies in no section that is loaded"])
        return address

    def header(self, name: str) -> Header:
        """The program header of that name."""
        return next(header for header in self.script.headers if header.name == name)
