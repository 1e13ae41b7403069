"""One run of one program: boots a machine as the options say, lets it run, and tells how it ended."""

from __future__ import annotations

import argparse
import os
import time

from forkyard import build, cache, errors
from forkyard.arguments import RunArguments
from forkyard.host import HostDoor
from forkyard.samples import Samples
from forkyard.say import say
from kernel.boot import BootError, boot
from kernel.config import DEFAULT_QUANTUM, Config
from kernel.door import Door
from kernel.events import Death
from kernel.fs.api import flush
from kernel.fs.mounts import MountError
from kernel.kernel import Kernel, Outcome, Waiter
from vm.engine import EngineError


class Session:
    """A booted machine with a program in it, on this host's stdin, stdout and stderr."""

    def __init__(self, arguments: RunArguments) -> None:
        options = arguments.options
        program = build.program(arguments.file, options.more)
        self.options = options
        self.door = HostDoor(options.seed)
        self.kernel = start(config(options), self.door, arguments.file, program, arguments.rest)
        self.kernel.events.on(Death, self._died)

    def run(self) -> int:
        """Runs to the end; returns the exit status, after what there is to say about it."""
        begin = time.perf_counter()
        try:
            with self.door.keyboard:
                outcome = self.kernel.run()
        except KeyboardInterrupt:
            say(f"interrupted after {self.kernel.machine.retired} instructions")
            return errors.INTERRUPTED
        finally:
            for problem in flush(self.kernel):
                say(problem)
            if self.options.stats:
                from forkyard.stats import report

                say(report(self.kernel, time.perf_counter() - begin))
        return conclude(outcome, self.options)

    def _died(self, death: Death) -> None:
        from forkyard.crash import tell

        tell(self.kernel, death)


def start(config: Config, door: Door, file: str, program: bytes, arguments: list[str]) -> Kernel:
    """A machine at its first instruction, with the executable made from `file` in its /bin. Raises UserError."""
    samples = Samples()
    path = samples.add(file, program)
    try:
        return boot(config, door, samples, path, [os.fsencode(word) for word in arguments])
    except (BootError, EngineError, MountError) as error:
        raise errors.UserError(str(error)) from None


def config(options: argparse.Namespace) -> Config:
    """The kernel's configuration for a command line."""
    return Config(
        memory=options.memory,
        engine=options.engine,
        max_insns=options.max_insns,
        max_procs=options.max_procs,
        pid_max=options.pid_max,
        quantum=options.quantum or DEFAULT_QUANTUM,
        sched=options.sched,
        seed=options.seed,
        fork=options.fork,
        root=options.root,
        mounts=tuple(options.mount),
        env=environment(options.env),
        count_accesses=options.stats,
        objects=cache,
    )


def environment(added: list[str]) -> tuple[bytes, ...]:
    """PATH=/bin and what --env adds; the last word on a name counts."""
    names = {b"PATH": b"/bin"}
    for text in added:
        name, _, value = os.fsencode(text).partition(b"=")
        names[name] = value
    return tuple(name + b"=" + value for name, value in names.items())


def conclude(outcome: Outcome, options: argparse.Namespace) -> int:
    """The exit status of a run, and the message if the machine was stopped rather than done."""
    if outcome.kind == "max-insns":
        say(f"stopped: --max-insns {options.max_insns} was reached, with processes still running")
        return errors.MAX_INSNS
    if outcome.kind == "deadlock":
        say("\n".join(deadlock(outcome.waiters)))
        return errors.DEADLOCK
    return outcome.status


def deadlock(waiters: tuple[Waiter, ...]) -> list[str]:
    """Who waits for what."""
    from forkyard.trace.text import wait_key

    lines = ["deadlock: every process waits for something that can never happen"]
    for w in waiters:
        keys = " or ".join(map(wait_key, w.keys))
        what = f"waits in {w.call} for {keys}" if w.call else {"T": "is stopped"}.get(w.state, f"state {w.state}")
        who = f"process {w.tid}" if w.tid == w.tgid else f"thread {w.tid} of process {w.tgid}"
        lines.append(f"  {who} ({w.comm.decode('utf-8', 'backslashreplace')}) {what}")
    return lines
