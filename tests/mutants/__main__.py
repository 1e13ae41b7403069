"""The command: plants each mutant in a run of its tests, which must fail; without it they must pass."""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant

SECONDS = 180  # for the tests of one mutant; a run that takes longer hangs, which is noticed too
FAILED = 1  # pytest's exit status when tests failed; others mean that something else went wrong


def run_tests(tests: Sequence[str], mutant: str = "") -> tuple[int | None, str]:
    """pytest's exit status (None: it took too long) and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "tests.mutants.plugin"]
    command += ["-p", "no:cacheprovider", *tests]
    environment = {
        **os.environ,
        "FORKYARD_MUTANT": mutant,
        "FORKYARD_CACHE": "",  # what a mutant assembles is not what its sources say: it must be neither kept nor found
        "HYPOTHESIS_PROFILE": "mutants",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, f"took more than {SECONDS} s"
    return done.returncode, done.stdout + done.stderr


def verdict(mutant: Mutant) -> str:
    """ "" if a test noticed the mutant, else what happened instead."""
    status, output = run_tests(mutant.tests, mutant.name)
    if status in (FAILED, None):
        return ""
    return "no test noticed it" if status == 0 else f"pytest ended with {status}:\n{output[-3000:]}"


def choose(names: Sequence[str], sample: int | None) -> list[Mutant]:
    """The mutants asked for; a sample is every nth, beginning at another place each day."""
    if names:
        return [MUTANTS[name] for name in names]
    everything = list(MUTANTS.values())
    if sample is None or sample >= len(everything):
        return everything
    day = datetime.datetime.now(datetime.UTC).timetuple().tm_yday
    return [everything[(day + i * len(everything) // sample) % len(everything)] for i in range(sample)]


def main() -> int:
    """0 if every chosen mutant was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Would the tests notice these bugs?")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N of them, others each day")
    parser.add_argument("--list", action="store_true", help="say what there is")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MUTANTS]
    if unknown:
        parser.error(f"there is no mutant {', '.join(unknown)}; --list says which there are")
    if options.list:
        for m in MUTANTS.values():
            print(f"{m.name:<40} {m.module}.{m.function}: {m.old!r} -> {m.new!r}")
        return 0
    chosen = choose(options.names, options.sample)
    status, output = run_tests(sorted({test for m in chosen for test in m.tests}))
    if status != 0:
        print(f"The tests don't pass without any mutant (pytest ended with {status}):\n{output[-6000:]}")
        return 1
    survivors = 0
    for mutant in chosen:
        start = time.monotonic()
        problem = verdict(mutant)
        survivors += bool(problem)
        print(
            f"{'SURVIVED' if problem else 'noticed ':<9} {time.monotonic() - start:5.1f} s  {mutant.name} {problem}",
            flush=True,
        )
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants were noticed")
    return 1 if survivors else 0


sys.exit(main())
