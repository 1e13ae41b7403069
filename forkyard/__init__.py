"""forkyard: a small RISC-V computer with processes, to run, trace and look inside.

The public Python interface is in this package's namespace (see forkyard.api): `run`, `assemble`, `boot`.
"""

from __future__ import annotations

__version__ = "0.1.0"
