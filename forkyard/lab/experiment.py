"""Runs one program under one policy, and keeps what it cost from the moment when the program itself began."""

from __future__ import annotations

import time
from typing import NamedTuple

from forkyard import session
from forkyard.arguments import RunArguments
from forkyard.host import HostDoor
from kernel.events import Death, Exec
from kernel.fs.api import flush
from kernel.kernel import Kernel, Outcome
from kernel.stats import PHASES, WORK, Stats

POLICIES = ("eager", "cow", "shared-tables", "vfork")
_SPARE = 10_000_000  # instructions that a run may take more than ten times the first one's


class Cost(NamedTuple):
    """What one run cost. `work` and `seconds` (of host time) are by phase, as in kernel.stats."""

    policy: str
    outcome: Outcome
    output: tuple[bytes, bytes]
    retired: int
    forks: int
    frames: int  # in use at most
    work: dict[str, dict[str, int]]
    seconds: dict[str, float]
    total: float  # seconds of host time for the whole run


class TimedStats(Stats):
    """The kernel's own counts, and the host time of each phase beside them."""

    __slots__ = ("seconds", "since")

    def __init__(self) -> None:
        super().__init__()
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.since = time.perf_counter()

    def enter(self, phase: str) -> str:
        """As the kernel's, with a look at the clock."""
        now = time.perf_counter()
        self.seconds[self.phase] += now - self.since
        self.since = now
        return super().enter(phase)


class LabDoor(HostDoor):
    """Only the run that is `shown` is heard outside. All of them read the same input: what one took is kept."""

    def __init__(self, seed: int, heard: bytearray, shown: bool) -> None:
        super().__init__(seed)
        self.heard, self.at, self.shown = heard, 0, shown
        self.said = {1: bytearray(), 2: bytearray()}

    def emit(self, fd: int, data: bytes) -> None:
        """Puts it out, if this is the run for it; keeps it anyway, to be compared."""
        self.said[fd] += data
        if self.shown:
            super().emit(fd, data)

    def take(self, size: int) -> bytes:
        """What the runs before have read, and then what is new."""
        if self.at == len(self.heard):
            self.heard += super().take(size)
        data = bytes(self.heard[self.at : self.at + size])
        self.at += len(data)
        return data

    def ready(self) -> bool:
        """Known input is there at once."""
        return self.at < len(self.heard) or super().ready()


def run(arguments: RunArguments, program: bytes, policy: str, heard: bytearray, first: Cost | None) -> Cost:
    """One run. The first one is shown, and its files are written; the others may not take much longer than it did."""
    config = session.config(arguments.options)
    config.fork = policy
    if first is not None:
        most = first.retired * 10 + _SPARE
        config.max_insns = most if config.max_insns is None else min(config.max_insns, most)
    door = LabDoor(config.seed, heard, first is None)
    kernel = session.start(config, door, arguments.file, program, arguments.rest)
    kernel.stats = stats = TimedStats()
    kernel.events.on(Exec, lambda event: _begin(kernel, event))
    if first is None:
        kernel.events.on(Death, lambda death: _tell(kernel, death))
    begin = time.perf_counter()
    outcome = kernel.run()
    total = time.perf_counter() - begin
    stats.enter("call")
    if first is None:
        flush(kernel)
    said = (bytes(door.said[1]), bytes(door.said[2]))
    retired, most_frames = kernel.machine.retired, kernel.frames.most
    return Cost(policy, outcome, said, retired, stats.forks, most_frames, stats.work, stats.seconds, total)


def _begin(kernel: Kernel, event: Exec) -> None:
    """init has started the program: what was counted before is not the program's."""
    stats = kernel.stats
    if event.tid == 2 and not stats.execs > 1 and isinstance(stats, TimedStats):
        for phase in PHASES:
            stats.work[phase] = dict.fromkeys(WORK, 0)
        stats.seconds = dict.fromkeys(PHASES, 0.0)
        stats.since = time.perf_counter()
        stats.forks = 0


def _tell(kernel: Kernel, death: Death) -> None:
    from forkyard.crash import tell

    tell(kernel, death)
