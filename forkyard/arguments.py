"""The options of a command that runs a program: options stand before FILE, and what follows FILE is the program's."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from forkyard.errors import UserError

DEFAULT_MEMORY = 256 << 20
PID_MAX = 32768
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SMALLEST_MEMORY = 1 << 20
LARGEST_MEMORY = 64 << 30


class Mount(NamedTuple):
    """One --mount: `host` is the directory shown at `guest`, which is an absolute path in the machine."""

    host: str
    guest: str
    writable: bool


class RunArguments(NamedTuple):
    """A command line that runs a program, taken apart and checked."""

    options: argparse.Namespace
    file: str
    rest: list[str]


class Parser(argparse.ArgumentParser):
    """argparse, whose complaints are UserErrors like all others, and which knows no abbreviated options."""

    def __init__(self, command: str, operands: str, about: str, example: str) -> None:
        super().__init__(
            prog=f"forkyard {command}",
            usage=f"forkyard {command} [OPTION…] {operands}",
            description=about,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Wrong use of the command line."""
        raise UserError(f"{message}\nusage: {usage(self)}\n{self.prog} --help says more")


def size(text: str) -> int:
    """A number of bytes, such as 64M: a whole number and K, M or G (of 1024) or nothing."""
    spelled = text.strip().upper().removesuffix("IB").removesuffix("B")
    unit = spelled[-1:] if spelled[-1:] in _UNITS else ""
    digits = spelled.removesuffix(unit)
    if not (digits.isascii() and digits.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is no size: write a number and K, M or G, as in 64M")
    value = int(digits) * _UNITS[unit]
    if not SMALLEST_MEMORY <= value <= LARGEST_MEMORY:
        raise argparse.ArgumentTypeError(f"{text}: a machine has between 1M and 64G of memory")
    return value


def number(low: int, high: int = (1 << 63) - 1) -> Callable[[str], int]:
    """A checker for whole numbers of `low` to `high`; underscores may group the digits."""

    def check(text: str) -> int:
        digits = text.replace("_", "")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {low} on")
        value = int(digits)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is out of range: {low} to {high}")
        return value

    return check


def mount(text: str) -> Mount:
    """HOSTDIR[:GUESTDIR[:rw]]; the guest's directory is /mnt unless it is named."""
    host, _, rest = text.partition(":")
    guest, _, mode = rest.partition(":")
    guest = guest or "/mnt"
    if not host or mode not in ("", "ro", "rw"):
        raise argparse.ArgumentTypeError(f"'{text}': write HOSTDIR, HOSTDIR:GUESTDIR or HOSTDIR:GUESTDIR:rw")
    if not guest.startswith("/") or "\0" in text:
        raise argparse.ArgumentTypeError(f"'{text}': the directory in the guest is an absolute path, as in {host}:/mnt")
    return Mount(host, guest, mode == "rw")


def environment(text: str) -> str:
    """NAME=VALUE for the program's environment."""
    name, equals, _ = text.partition("=")
    if not name or not equals or "\0" in text:
        raise argparse.ArgumentTypeError(f"'{text}': write NAME=VALUE")
    return text


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Adds what every command that runs a program takes."""
    add = parser.add_argument_group("the machine").add_argument
    add("--memory", type=size, default=DEFAULT_MEMORY, metavar="SIZE", help="physical RAM, e.g. 64M (default 256M)")
    add("--max-insns", type=number(1), metavar="N", help="stop the machine after N instructions (exit status 124)")
    add(
        "--max-procs",
        type=number(2, 1 << 20),
        default=4096,
        metavar="N",
        help="most tasks alive at once (default 4096)",
    )
    add("--pid-max", type=number(4, 1 << 22), default=PID_MAX, metavar="N",
        help="pids are below N and begin again there, from 4 on (default 32768)")  # fmt: skip
    add("--quantum", type=number(64), metavar="N", help="instructions in a time slice, from 64 on")
    add("--sched", choices=("rr", "random"), default="rr", help="round robin (the default), or random with --seed")
    add("--seed", type=number(0), default=0, metavar="N", help="what random numbers and the random schedule start from")
    add(
        "--engine",
        choices=("auto", "python", "llvm"),
        default="auto",
        help="the result is the same, only the speed differs",
    )
    add("--mount", type=mount, action="append", default=[], metavar="HOSTDIR[:GUESTDIR[:rw]]",
        help="show a host directory to the programs, read-only unless rw is said (default GUESTDIR: /mnt)")  # fmt: skip
    add("--env", type=environment, action="append", default=[], metavar="NAME=VALUE",
        help="add to the program's environment, which starts with PATH=/bin alone")  # fmt: skip
    add("--fork", choices=("shared-tables", "cow", "eager"), default="shared-tables",
        help="how fork copies memory: tables and pages on write (the default), only pages, or all at once")  # fmt: skip
    add("--root", action="store_true", help="the first process is root (uid 0) instead of an ordinary user (uid 1000)")
    add("--with", dest="more", action="append", default=[], metavar="MORE.s", help="a further source to link in")
    add(
        "--stats",
        action="store_true",
        help="at the end, on stderr: instructions, traps, page faults, forks, frames, speed",
    )


def split(argv: Sequence[str], parser: argparse.ArgumentParser) -> tuple[list[str], list[str]]:
    """(options, FILE and what follows). argparse alone would take the program's own options for ours."""
    takes_value = {s for a in parser._actions for s in a.option_strings if a.nargs is None}
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "-":
        if argv[at] == "--":
            return list(argv[:at]), list(argv[at + 1 :])
        at += 2 if argv[at] in takes_value else 1
    return list(argv[:at]), list(argv[at:])


def parse_run(argv: Sequence[str], parser: Parser) -> RunArguments:
    """The options, FILE and the program's arguments; UserError if FILE is missing."""
    ours, theirs = split(argv, parser)
    options = parser.parse_args(ours)
    if not theirs:
        parser.error("no FILE to run was named")
    return RunArguments(options, theirs[0], theirs[1:])


def usage(parser: argparse.ArgumentParser) -> str:
    """The parser's usage in one line."""
    return " ".join(parser.format_usage().removeprefix("usage: ").split())
