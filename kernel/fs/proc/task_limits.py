"""limits: proc_pid_limits(5), as Linux's fs/proc/base.c prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.limits import INFINITY

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel

# By resource: what it is called, and in what it is counted.
_NAMES = (
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
)


def limits(k: Kernel, about: Who) -> bytes:
    """One line for each resource."""
    lines = [f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}\n"]
    for (name, unit), (soft, hard) in zip(_NAMES, about.group.limits, strict=True):
        end = f"{unit:<10}\n" if unit else "\n"
        lines.append(f"{name:<25} {_amount(soft):<20} {_amount(hard):<20} {end}")
    return "".join(lines).encode()


def _amount(limit: int) -> str:
    return "unlimited" if limit == INFINITY else str(limit)
