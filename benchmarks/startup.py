"""How long until `forkyard run programs/hello.s` is done, compared with `python3 -c pass` on the same machine.

And with `--engine python`: a program that is done at once must not wait for the faster engine. The runs are
interleaved, so that a slow moment of the machine hits all; the medians are compared. Cold means with an empty cache
each time (nothing is assembled yet), warm means from the second run on.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 21
#: A kind of run, what it is compared with, and how many times as long it may take.
LIMITS = (("cold", "nothing", 16.0), ("warm", "nothing", 10.0), ("warm", "python", 1.3))
NAMES = {
    "nothing": "python3 -c pass",
    "cold": "hello, cold cache",
    "warm": "hello, warm cache",
    "python": "hello, --engine python",
}
TOP = Path(__file__).resolve().parent.parent
START = "import sys; from forkyard.__main__ import run; sys.exit(run())"  # what the installed script does
RUN, SAMPLE = [sys.executable, "-c", START, "run"], str(TOP / "programs" / "hello.s")
HELLO, IN_PYTHON = [*RUN, SAMPLE], [*RUN, "--engine", "python", SAMPLE]
NOTHING = [sys.executable, "-c", "pass"]


def seconds(command: list[str], cache: str) -> float:
    environment = {**os.environ, "FORKYARD_CACHE": cache, "PYTHONPATH": str(TOP)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled to bytecode
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, cwd="/")
    return time.perf_counter() - start


def main() -> int:
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as kept:
        seconds(HELLO, kept)  # compiles our own .pyc files, too
        for _ in range(ROUNDS):
            times["nothing"].append(seconds(NOTHING, kept))
            times["warm"].append(seconds(HELLO, kept))
            times["python"].append(seconds(IN_PYTHON, kept))
            with tempfile.TemporaryDirectory() as fresh:
                times["cold"].append(seconds(HELLO, fresh))
    middle = {kind: statistics.median(taken) for kind, taken in times.items()}
    for kind, name in NAMES.items():
        print(f"{name:<22} {middle[kind] * 1000:7.1f} ms")
    missed = False
    for kind, other, limit in LIMITS:
        ratio = middle[kind] / middle[other]
        missed |= ratio > limit
        print(f"{NAMES[kind]} = {ratio:5.2f} times {NAMES[other]} (limit {limit:g})")
    return int(missed)


sys.exit(main())
