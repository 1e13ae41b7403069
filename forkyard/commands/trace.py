"""forkyard trace FILE [ARG…]: runs, and writes down what happened."""

from __future__ import annotations

from collections.abc import Sequence

from forkyard.arguments import Parser, add_machine_options, parse_run
from forkyard.session import Session
from forkyard.trace import kinds
from forkyard.trace.writer import Tracer, open_output


def main(argv: Sequence[str]) -> int:
    """The exit status is the run's."""
    parser = Parser(
        "trace",
        "FILE [ARG…]",
        "Runs a program as `forkyard run` does, and writes what happened, one line per event: system calls,\n"
        "page faults and frames, processes, scheduling, signals, and (if named) every instruction with what\n"
        "it changed.",
        "forkyard trace --only process,fault programs/family.s",
    )
    parser.add_argument("-o", dest="out", metavar="OUT", help="where to (default: stderr)")
    parser.add_argument("--format", choices=("text", "jsonl"), default="text", help="text (default) or JSON lines")
    parser.add_argument("--only", type=kinds.parse, default=kinds.UNASKED, metavar="KINDS",
                        help=f"comma-separated, of {','.join(kinds.KINDS)} (default: all but insn)")  # fmt: skip
    add_machine_options(parser)
    arguments = parse_run(argv, parser)
    session = Session(arguments)
    with open_output(arguments.options.out) as output:
        Tracer(session.kernel, session.door, output, arguments.options.format, arguments.options.only)
        return session.run()
