"""One run of one program: boots a machine as the options say, lets it run, and tells how it ended."""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

from forkyard import errors
from forkyard.arguments import RunArguments
from forkyard.crash import Reporter
from forkyard.images import Images
from forkyard.say import say
from forkyard.samples import Samples
from kernel.boot import boot
from kernel.config import DEFAULT_QUANTUM, Config
from kernel.door import Door
from kernel.kernel import Kernel, Outcome, Waiter
