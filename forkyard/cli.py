"""The command `forkyard`: runs a subcommand, and turns whatever went wrong into one message and an exit status.

Start-up time matters here (benchmarks/startup.py): a subcommand's module is imported only when it is the one asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from forkyard import errors
from forkyard.say import raw, say

# Name → (module with `main(argv) -> int`, what it does).
COMMANDS = {
    "run": ("forkyard.commands.run", "assemble a program if need be, boot the machine, run it"),
    "trace": ("forkyard.commands.trace", "run a program and write down what happened, event by event"),
    "forklab": ("forkyard.commands.forklab", "run a program under each policy of fork, and compare what each cost"),
    "ps": ("forkyard.commands.ps", "run a program and print its processes at one moment"),
    "pstree": ("forkyard.commands.pstree", "the same as a tree"),
    "asm": ("forkyard.commands.asm", "assemble and link to an ELF executable"),
    "disasm": ("forkyard.commands.disasm", "show an ELF file's machine code as assembly"),
    "cache": ("forkyard.commands.cache", "show what is kept between runs, or drop it"),
    "new": ("forkyard.commands.new", "write a commented first program to start from"),
}

HELP = """\
usage: forkyard COMMAND [OPTION…] [FILE [ARG…]]

A whole small RISC-V computer with processes, to run and look inside.

{commands}
  forkyard COMMAND --help says more of each; --version says which forkyard this is.

example:
  forkyard new first.s && forkyard run first.s
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv` (default: sys.argv) and returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    open_standard_streams()
    try:
        return dispatch(words)
    except errors.AssemblyFailed as error:
        raw(error.message.rstrip("\n") + "\n")
        return error.status
    except errors.UserError as error:
        say(error.message)
        return error.status
    except KeyboardInterrupt:
        say("interrupted")
        return errors.INTERRUPTED
    except BrokenPipeError:
        return errors.BROKEN_PIPE
    except MemoryError:
        say("the host has no memory left for this; a smaller --memory may help")
        return errors.USAGE_ERROR
    except OSError as error:
        say(f"{error.filename or 'input/output'}: {errors.os_reason(error)}")
        return errors.USAGE_ERROR


def open_standard_streams() -> None:
    """Where stdin, stdout or stderr is closed, nothing stands in its place: else the next file opened would."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def dispatch(words: list[str]) -> int:
    """Runs the subcommand that `words` names."""
    if not words:
        raise errors.UserError(f"no command was named\n{help_text()}")
    if words[0] in ("-h", "--help", "help"):
        return show(help_text())
    if words[0] in ("-V", "--version"):
        return show(f"forkyard {import_module('forkyard').__version__}\n")
    if words[0] not in COMMANDS:
        raise errors.UserError(unknown(words[0]))
    command = import_module(COMMANDS[words[0]][0])
    try:
        return int(command.main(words[1:]))
    except SystemExit as stop:  # argparse: --help
        return stop.code if isinstance(stop.code, int) else errors.USAGE_ERROR


def help_text() -> str:
    """What `forkyard --help` prints."""
    return HELP.format(commands="".join(f"  {name:<8}{what}\n" for name, (_, what) in COMMANDS.items()))


def show(text: str) -> int:
    """Prints `text` to stdout; the exit status is 0."""
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def unknown(word: str) -> str:
    """The message for a first word that is no command: most often a file without `run` before it."""
    if "." in word or "/" in word:
        return f"'{word}' is no command. To run a program: forkyard run {word}"
    import difflib

    near = difflib.get_close_matches(word, COMMANDS, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"'{word}' is no command.{hint} The commands are {', '.join(COMMANDS)}; forkyard --help says what each does."
