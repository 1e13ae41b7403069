"""`python -m forkyard` is the command `forkyard`."""

from __future__ import annotations

import sys

from forkyard.cli import main

sys.exit(main())
