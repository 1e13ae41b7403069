"""--stats: what the guest did, the same in every run; and, apart from it, what it cost this host."""

from __future__ import annotations

from kernel.kernel import Kernel
from kernel.stats import OTHERS
from kernel.syscalls.numbers import name_of

CAUSES = {
    0: "misaligned fetch",
    1: "fetch access",
    2: "illegal instruction",
    3: "breakpoint",
    4: "misaligned load",
    5: "load access",
    6: "misaligned store",
    7: "store access",
    8: "system calls (ecall)",
    12: "fetch page faults",
    13: "load page faults",
    15: "store page faults",
}


def report(kernel: Kernel, seconds: float) -> str:
    """The table for stderr; `seconds` is the wall time of the run."""
    return "\n".join([*_guest(kernel), *_host(kernel, seconds)])


def _guest(kernel: Kernel) -> list[str]:
    """Deterministic figures."""
    stats, frames = kernel.stats, kernel.frames
    lines = ["the guest (the same in every run)", _row("instructions", kernel.machine.retired)]
    lines += [_row("traps", sum(stats.traps.values()))]
    lines += [_row(f"  {CAUSES.get(cause, f'cause {cause}')}", n) for cause, n in sorted(stats.traps.items())]
    lines += [_row("page faults", sum(stats.faults.values()))]
    lines += [_row(f"  {kind}", n) for kind, n in stats.faults.items() if n]
    lines += [_row(name, getattr(stats, name)) for name in ("forks", "execs", "exits", "reaps", "switches", "signals")]
    lines += ["  memory's work (docs/fork.md)"]
    lines += [_row(f"  {phase}: {kind}", n) for phase, kinds in stats.work.items() for kind, n in kinds.items() if n]
    for number, n in sorted(stats.unknown_syscalls.items()):
        lines.append(
            _row(f"unknown system call {name_of(number)}" if number != OTHERS else "other unknown system calls", n)
        )
    lines += [_row("frames in use", frames.used), _row("frames at most", frames.most)]
    return lines


def _host(kernel: Kernel, seconds: float) -> list[str]:
    """Figures of this host and this engine, different each time."""
    lines = ["the host (different each time)"]
    lines += [_row(name.replace("_", " ").replace("tlb", "TLB"), n) for name, n in kernel.machine.stats.items()]
    mips = kernel.machine.retired / seconds / 1e6 if seconds > 0 else 0.0
    return [*lines, f"  {'wall time':<26} {seconds:>14.3f} s", f"  {'speed':<26} {mips:>14.2f} MIPS"]


def _row(name: str, value: int) -> str:
    return f"  {name:<26} {value:>14,}"
