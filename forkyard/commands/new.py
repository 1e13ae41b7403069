"""forkyard new NAME: writes a commented first program to start from."""

from __future__ import annotations

import os
from collections.abc import Sequence

from forkyard.arguments import Parser
from forkyard.errors import UserError, os_reason
from forkyard.say import say

TEMPLATE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "template.s")


def main(argv: Sequence[str]) -> int:
    """Writes NAME.s, or NAME if it ends in .s already; never over a file that is there."""
    parser = Parser(
        "new", "NAME", "Writes a commented first program to start from.", "forkyard new first && forkyard run first.s"
    )
    parser.add_argument("name", metavar="NAME", help="the program's name; .s is added if it is not there")
    name = parser.parse_args(list(argv)).name
    if not name:
        parser.error("a program needs a name, such as first")
    path = name if name.endswith((".s", ".S")) else f"{name}.s"
    _write(path)
    say(f"wrote {path}; now try: forkyard run {_typed(path)}")
    return 0


def _typed(path: str) -> str:
    """The path as a person types it into a shell, and as no command takes it for an option."""
    import shlex

    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _write(path: str) -> None:
    with open(TEMPLATE, "rb") as template:
        text = template.read().replace(b"NAME.s", os.path.basename(os.fsencode(path)))
    try:
        with open(path, "xb") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"{path} is there already, and would be overwritten; choose another name") from None
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"{path} cannot be written: {reason}") from None
