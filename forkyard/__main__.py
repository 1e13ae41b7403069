"""`python -m forkyard` is the command `forkyard`; the installed command begins here too.

Nothing but what the interpreter has loaded already is imported before Ctrl-C is taken care of.
"""

from __future__ import annotations

import os
import sys


def run() -> int:
    """The exit status of the command line; 130 for Ctrl-C at any time, while forkyard's own modules load too."""
    try:
        from forkyard.cli import main

        return main()
    except KeyboardInterrupt:
        os.write(2, b"forkyard: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
