"""Which symbol means which definition: strong, weak and common ones, and what libraries are asked for.

Source: gABI, Symbol Table (STB_GLOBAL, STB_WEAK, SHN_COMMON), Section Groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asm.link_errors import LinkErrors, at_symbol, place
from asm.objects import Object, ObjectSymbol
from asm.symbols import LOCAL, WEAK


class Resolver:
    """The objects of a link and the one definition of each global name."""

    def __init__(self, entry: str) -> None:
        self.entry = entry
        self.objects: list[Object] = []
        self.globals: dict[str, ObjectSymbol] = {}  # the definition, or an undefined symbol that wants one
        self.owners: dict[int, Object] = {}  # by id() of the symbol: which object it came with
        self.libraries: Sequence[Callable[[str], Object | None]] = ()
        self.errors: list[str] = []
        self.groups: set[str] = set()
        self.dropped: set[int] = set()  # id() of sections that another object's COMDAT group replaces

    def add(self, made: Object) -> None:
        """Takes an object into the link."""
        self.objects.append(made)
        for signature, members in made.groups:
            if signature in self.groups:
                self.dropped.update(id(section) for section in members)
            self.groups.add(signature)
        for symbol in made.symbols:
            self.owners[id(symbol)] = made
            if symbol.binding != LOCAL and not (symbol.section and id(symbol.section) in self.dropped):
                self._global(symbol)

    def _global(self, symbol: ObjectSymbol) -> None:
        known = self.globals.get(symbol.name)
        if known is None or _rank(symbol) > _rank(known):
            self.globals[symbol.name] = symbol
        elif _rank(symbol) == _rank(known) == 4:
            first = place(self.owners[id(known)], known)
            message = f"`{symbol.name}` is defined twice"
            hint = f"it was first defined at {first}"
            self.errors.append(at_symbol(message, self.owners[id(symbol)], symbol, hint))
        elif symbol.kind == known.kind == "common":
            known.size, known.value = max(known.size, symbol.size), max(known.value, symbol.value)

    def resolve(self, libraries: Sequence[Callable[[str], Object | None]]) -> None:
        """Asks the libraries for what is undefined, until nothing changes. Raises LinkErrors for what is left."""
        self.libraries = libraries
        asked: set[str] = set()
        while wanted := [name for name in self._undefined() if name not in asked]:
            for name in wanted:
                asked.add(name)
                if self.defined(name) is None:
                    self._ask(libraries, name)
        self._check()

    def _ask(self, libraries: Sequence[Callable[[str], Object | None]], name: str) -> None:
        for library in libraries:
            made = library(name)
            if made is not None:
                if all(made is not known for known in self.objects):
                    self.add(made)
                return

    def _undefined(self) -> list[str]:
        names = [name for name, symbol in self.globals.items() if symbol.kind == "undefined" and symbol.binding != WEAK]
        return names if self.entry in self.globals else [self.entry, *names]

    def defined(self, name: str) -> ObjectSymbol | None:
        """The definition of a global name."""
        symbol = self.globals.get(name)
        return None if symbol is None or symbol.kind == "undefined" else symbol

    def definition(self, symbol: ObjectSymbol) -> ObjectSymbol:
        """What a symbol of some object means."""
        return symbol if symbol.binding == LOCAL else self.globals.get(symbol.name, symbol)

    def _check(self) -> None:
        if self.defined(self.entry) is None:
            self.errors.append(self._no_entry())
        if self.errors:
            raise LinkErrors(self.errors)

    def _no_entry(self) -> str:
        local = self.local(self.entry)
        if local is None:
            return _NO_ENTRY
        return at_symbol(f"`{self.entry}` is local here: nobody can see it", *local, f"write `.globl {self.entry}`")

    def local(self, name: str) -> tuple[Object, ObjectSymbol] | None:
        """The first definition of that name that its object keeps to itself."""
        for made in self.objects:
            for symbol in made.symbols:
                if symbol.name == name and symbol.binding == LOCAL and symbol.kind != "undefined":
                    return made, symbol
        return None

    def names(self) -> list[str]:
        """All global names that are defined, here or in a library."""
        found = [name for name in self.globals if self.defined(name)]
        for library in self.libraries:
            found += getattr(library, "names", tuple)()
        return found


_NO_ENTRY = """error: there is no `_start`
  A program begins at the label `_start`, and the linker must be able to see it. Write, before the first instruction:
      .globl _start
  _start:
  (`main` is called by C's start-up code, which itself begins at `_start`.)"""


def _rank(symbol: ObjectSymbol) -> int:
    """Which of two symbols of one name counts: 0 weak and undefined, 1 undefined, 2 weak, 3 common, 4 defined."""
    if symbol.kind == "undefined":
        return int(symbol.binding != WEAK)
    if symbol.kind == "common":
        return 3
    return 2 if symbol.binding == WEAK else 4
