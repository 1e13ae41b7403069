"""Does each sample do on this machine what it does on real Linux (as qemu-riscv64 shows it)?"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from forkyard.samples import Samples
from kernel.fs.mounts import BinProvider
from tests.fallbacks import demand_none_in
from tests.programs import here, samples
from tests.programs.samples import Sample

EACH = pytest.mark.parametrize("sample", samples.runnable(), ids=lambda s: s.name)

# Through the command line itself, in a process of its own: slower, so not for all.
BY_COMMAND = ["hello", "family", "exit_codes", "sh", "args", "cat", "forkbomb", "10_no_exit", "start_returns", "wild"]


def run_here(programs: BinProvider, sample: Sample) -> None:
    options = samples.OPTIONS.get(sample.name, {})
    result = here.run(programs, [f"/bin/{sample.name}", *sample.arguments], sample.stdin, **options)
    assert (result.stdout, result.status) == (sample.stdout, sample.status), result.stderr.decode()


@EACH
def test_a_sample_built_by_our_tools(sample: Sample, our_bin: Samples) -> None:
    run_here(our_bin, sample)


@EACH
def test_a_sample_built_by_gnu_tools(sample: Sample, gnu_bin: here.Folder) -> None:
    run_here(gnu_bin, sample)


@pytest.mark.parametrize("name", BY_COMMAND)
def test_a_sample_by_the_command_line(name: str) -> None:
    sample = samples.sample(name)
    words = [
        sys.executable,
        "-m",
        "forkyard",
        "run",
        "--stats",
        *sample.options,
        f"programs/{name}.s",
        *sample.arguments,
    ]
    done = subprocess.run(words, input=sample.stdin, capture_output=True, check=False, cwd=samples.PROGRAMS.parent)
    messages = done.stderr.decode()
    assert (done.stdout, done.returncode) == (sample.stdout, sample.status), messages
    demand_none_in(messages)


SCHEDULES = [{"quantum": 64}, {"quantum": 1000}, *({"sched": "random", "seed": seed} for seed in (1, 2, 3))]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize(
    "name",
    ["family", "03_life", "04_parents", "08_zombie", "09_orphan", "02_tasks", "pipeline", "exec", "sh", "exit_codes"],
)
def test_the_output_does_not_depend_on_the_schedule(name: str, schedule: dict[str, Any], our_bin: Samples) -> None:
    sample = samples.sample(name)
    result = here.run(our_bin, [f"/bin/{name}", *sample.arguments], sample.stdin, **schedule)
    assert (result.stdout, result.status) == (sample.stdout, sample.status)
