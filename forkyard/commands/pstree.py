"""forkyard pstree [--at N] FILE [ARG…]: the same as ps, drawn as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from forkyard import processes
from forkyard.commands.ps import show


def main(argv: Sequence[str]) -> int:
    """0, whatever the program's own exit status is."""
    return show("pstree", "the tree of processes", processes.tree, argv)
