"""forkyard run FILE [ARG…]: assembles if need be, boots, runs, waits."""

from __future__ import annotations

from collections.abc import Sequence

from forkyard.arguments import Parser, add_machine_options, parse_run
from forkyard.session import Session


def main(argv: Sequence[str]) -> int:
    """The program's exit status, 128 + N if signal N ended it, or one of forkyard's own."""
    parser = Parser(
        "run",
        "FILE [ARG…]",
        "Assembles FILE if it is assembly (.s, or .S through cpp), boots a machine with init as pid 1, runs\n"
        "the program and waits for it. What follows FILE is the program's.",
        "forkyard run programs/family.s",
    )
    add_machine_options(parser)
    return Session(parse_run(argv, parser)).run()
