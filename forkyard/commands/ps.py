"""forkyard ps [--at N] FILE [ARG…]: runs a program and prints its processes, as they were at one moment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from forkyard import processes
from forkyard.arguments import Parser, add_machine_options, number, parse_run
from forkyard.processes import Moment
from forkyard.session import Session


def main(argv: Sequence[str]) -> int:
    """0, whatever the program's own exit status is."""
    return show("ps", "the process table", processes.table, argv)


def show(command: str, what: str, text: Callable[[Moment], str], argv: Sequence[str]) -> int:
    """What ps and pstree have in common: options, the run, the moment."""
    parser = Parser(
        command,
        "FILE [ARG…]",
        f"Runs the program as `forkyard run` does, and then prints {what} of the machine as it was when N\n"
        "instructions had retired (--at N), or else when there were most processes. S is the state: R runs or could\n"
        "run, S sleeps, D waits for the end of a vfork, T is stopped, Z is a zombie. What FILE writes comes first.",
        f"forkyard {command} programs/family.s",
    )
    parser.add_argument("--at", type=number(0), metavar="N", help="the moment when N instructions have retired")
    add_machine_options(parser)
    arguments = parse_run(argv, parser)
    moment = processes.look(Session(arguments), arguments.options.at)
    sys.stdout.flush()
    sys.stdout.write(f"after {moment.retired} instructions:\n{text(moment)}")
    return 0
