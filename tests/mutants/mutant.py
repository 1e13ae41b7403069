"""What a seeded bug is, and how it gets into a run: the module's source is changed while it is imported."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import NamedTuple


class Mutant(NamedTuple):
    """In `function` of `module` ("Class.method" or a name) the text `old`, which is there once, becomes `new`.

    `tests` are the pytest arguments of the tests that are expected to fail.
    """

    name: str
    module: str
    function: str
    old: str
    new: str
    tests: tuple[str, ...]


class Stale(Exception):
    """The code has moved on: the mutant's text is not there (once) any more."""


def mutate(source: str, mutant: Mutant) -> str:
    """The module's source with the bug in it. Raises Stale."""
    start, end = _extent(source, mutant)
    lines = source.splitlines(keepends=True)
    body = "".join(lines[start:end])
    if body.count(mutant.old) != 1:
        found = body.count(mutant.old)
        raise Stale(f"{mutant.name}: {mutant.old!r} is {found} times in {mutant.module}.{mutant.function}, not once")
    return "".join(lines[:start]) + body.replace(mutant.old, mutant.new) + "".join(lines[end:])


def _extent(source: str, mutant: Mutant) -> tuple[int, int]:
    """The lines [start, end) of the function or definition, decorators included."""
    body: Sequence[ast.stmt] = ast.parse(source).body
    found: ast.stmt | None = None
    for part in mutant.function.split("."):
        found = next((node for node in body if part in _names(node)), None)
        body = getattr(found, "body", [])
    if found is None or found.end_lineno is None:
        raise Stale(f"{mutant.name}: {mutant.module} has no {mutant.function}")
    decorators = getattr(found, "decorator_list", [])
    return min([found.lineno, *(d.lineno for d in decorators)]) - 1, found.end_lineno


def _names(node: ast.stmt) -> list[str]:
    """What a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the changed source; it neither reads nor writes a .pyc file."""

    mutant: Mutant

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname)
        return compile(mutate(source or "", self.mutant), self.path, "exec", dont_inherit=True)


class _Finder:
    """Puts the changed module in place of its original."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.mutant.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None:
            return None
        loader = _Loader(name, spec.origin)
        loader.mutant = self.mutant
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=loader, submodule_search_locations=spec.submodule_search_locations
        )


def plant(mutant: Mutant) -> None:
    """From now on the mutant is what is imported. Must come before the module's first import."""
    assert mutant.module not in sys.modules, f"{mutant.module} is imported already: too late to change it"
    sys.meta_path.insert(0, _Finder(mutant))
