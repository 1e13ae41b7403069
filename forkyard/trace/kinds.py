"""The kinds of event that --only chooses from, and the kernel's events that each of them means."""

from __future__ import annotations

import argparse
from typing import Any

from kernel import events

KINDS: dict[str, tuple[type[Any], ...]] = {
    "syscall": (events.SyscallEnter, events.SyscallExit, events.UnknownSyscall),
    "fault": (events.PageFault, events.FrameShared, events.FrameReleased),
    "process": (events.Fork, events.Exec, events.ThreadExit, events.Exit, events.Death, events.Reap, events.Reparent),
    "sched": (events.Switch, events.Block, events.Wake),
    "signal": (events.Signal,),
    "insn": (events.Insn,),
}
UNASKED = ("syscall", "fault", "process", "sched", "signal")  # insn is off unless named
KIND_OF: dict[type[Any], str] = {event: kind for kind, classes in KINDS.items() for event in classes}


def parse(text: str) -> tuple[str, ...]:
    """The kinds in `text`, comma-separated, for argparse; each at most once."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = [name for name in names if name not in KINDS]
    if wrong or not names:
        what = f"'{wrong[0]}' is no kind of event" if wrong else "no kind of event is named"
        raise argparse.ArgumentTypeError(f"{what}: choose from {','.join(KINDS)}")
    return tuple(dict.fromkeys(names))
