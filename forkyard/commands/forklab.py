"""forkyard forklab FILE [ARG…]: the same program under each policy of fork and under vfork, and what each cost."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from forkyard import build
from forkyard.arguments import Parser, add_machine_options, parse_run
from forkyard.errors import UserError, os_reason
from forkyard.lab.experiment import POLICIES, Cost, run
from forkyard.session import conclude


def main(argv: Sequence[str]) -> int:
    """The exit status is that of the run whose output is shown: the one under --fork."""
    parser = Parser(
        "forklab",
        "FILE [ARG…]",
        "Runs a program once under each policy of fork (eager, cow, shared-tables) and once with its forks done\n"
        "as vfork, and compares what the kernel had to do for memory, and when: in fork, in page faults later,\n"
        "at exec and exit. The program's output is shown once, of the run under --fork; every run reads the\n"
        "same input. Counts are the same each time, host times are not.",
        "forkyard forklab -o fatfork.svg programs/fatfork.s",
    )
    parser.add_argument("-o", dest="out", metavar="OUT", help="write a picture: OUT.svg, or OUT.html with the table")
    add_machine_options(parser)
    arguments = parse_run(argv, parser)
    options = arguments.options
    if options.out and not options.out.endswith((".svg", ".html")):
        parser.error(f"-o {options.out}: the name says what is written, and ends in .svg or .html")
    program, heard = build.program(arguments.file, options.more), bytearray()
    first = run(arguments, program, options.fork, heard, None)
    costs = [first if name == options.fork else run(arguments, program, name, heard, first) for name in POLICIES]
    _show(arguments.file, costs, first, options.out)
    return conclude(first.outcome, options)


def _show(file: str, costs: list[Cost], shown: Cost, out: str | None) -> None:
    """The text to stdout, below what the program has written; the picture to `out`."""
    from forkyard.lab.svg import page, picture
    from forkyard.lab.text import report

    name = Path(file).name
    sys.stdout.write("\n" + report(name, costs, shown))
    sys.stdout.flush()
    if out:
        text = picture(name, costs) if out.endswith(".svg") else page(name, costs, shown)
        try:
            Path(out).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{out}: {os_reason(error)}") from None
