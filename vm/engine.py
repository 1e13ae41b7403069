"""Which engine runs the machine."""

from __future__ import annotations

from vm.engine_python import PythonEngine

#: The engines by name. "auto" is the best that is here.
ENGINES = {"python": PythonEngine, "auto": PythonEngine}


class UnknownEngine(ValueError):
    """A name that no engine has."""


def choose(name: str) -> type[PythonEngine]:
    """The engine of that name. Raises UnknownEngine."""
    if name not in ENGINES:
        raise UnknownEngine(f"there is no engine {name!r}; there are {', '.join(sorted(ENGINES))}")
    return ENGINES[name]
