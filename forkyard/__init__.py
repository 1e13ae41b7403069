"""forkyard: a small RISC-V computer with processes, to run, trace and look inside.

`run`, `assemble`, `boot` (forkyard.api) and the exception `UserError` that they raise are the public Python interface.
They are imported when they are first asked for, so that the command line starts quickly.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is not imported for it: this comes before Ctrl-C is taken care of (__main__.py)

if TYPE_CHECKING:
    from forkyard.api import Result, assemble, boot, run
    from forkyard.errors import UserError

__version__ = "0.1.0"
__all__ = ["Result", "UserError", "assemble", "boot", "run"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'forkyard' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("forkyard.errors" if name == "UserError" else "forkyard.api"), name)
