"""How long until `forkyard run programs/hello.s` is done, compared with `python3 -c pass` on the same machine.

The runs are interleaved, so that a slow moment of the machine hits both; the medians are compared. Cold means with an
empty cache each time (nothing is assembled yet), warm means from the second run on. Limits: 16 times cold, 10 warm.
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
LIMITS = {"cold": 16.0, "warm": 10.0}
TOP = Path(__file__).resolve().parent.parent
START = "import sys; from forkyard.__main__ import run; sys.exit(run())"  # what the installed script does
HELLO = [sys.executable, "-c", START, "run", str(TOP / "programs" / "hello.s")]
NOTHING = [sys.executable, "-c", "pass"]


def seconds(command: list[str], cache: str) -> float:
    environment = {**os.environ, "FORKYARD_CACHE": cache, "PYTHONPATH": str(TOP)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled to bytecode
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, cwd="/")
    return time.perf_counter() - start


def main() -> int:
    times: dict[str, list[float]] = {"nothing": [], "cold": [], "warm": []}
    with tempfile.TemporaryDirectory() as kept:
        seconds(HELLO, kept)  # compiles our own .pyc files, too
        for _ in range(ROUNDS):
            times["nothing"].append(seconds(NOTHING, kept))
            times["warm"].append(seconds(HELLO, kept))
            with tempfile.TemporaryDirectory() as fresh:
                times["cold"].append(seconds(HELLO, fresh))
    base = statistics.median(times["nothing"])
    print(f"python3 -c pass        {base * 1000:7.1f} ms")
    missed = False
    for kind, limit in LIMITS.items():
        middle = statistics.median(times[kind])
        missed |= middle > limit * base
        print(f"hello, {kind:<4} cache      {middle * 1000:7.1f} ms = {middle / base:5.1f} times (limit {limit:g})")
    return int(missed)


sys.exit(main())
