"""The files about the machine as a whole: meminfo, uptime, loadavg, stat, version, cpuinfo, filesystems, mounts.

Each is as its page in section 5 of the manual says. Lines of meminfo that are always 0 here (no swap, no huge pages,
no slab) are shown where programs look for them, and left out where nobody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.fs import naming
from kernel.fs.proc.numbers import FIRST
from kernel.fs.proc.task_stat import TICK
from kernel.syscalls.misc import UTSNAME
from kernel.task import RUNNING
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_SECOND = 1_000_000_000


def meminfo(k: Kernel) -> bytes:
    """Sizes in kB. What can be given back when memory runs out (clean pages of files) counts as available."""
    total, free = k.frames.total, k.frames.total - k.frames.used
    cached = len(k.page_cache.frames())
    shmem = sum(not k.inodes.peek(inode_id).source for inode_id, _, _ in k.page_cache.frames())
    pages = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free + cached - shmem),
        ("Buffers", 0),
        ("Cached", cached),
        ("SwapCached", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Shmem", shmem),
    ]
    return "".join(f"{name + ':':<16}{count * PAGE // 1024:8} kB\n" for name, count in pages).encode()


def uptime(k: Kernel) -> bytes:
    """Seconds since boot, and how many of them nobody ran."""
    idle = max(k.now - k.machine.retired, 0)
    return b"%s %s\n" % (_hundredths(k.now), _hundredths(idle))


def _hundredths(ns: int) -> bytes:
    return b"%d.%02d" % (ns // _SECOND, ns % _SECOND // TICK)


def loadavg(k: Kernel) -> bytes:
    """Nobody keeps averages: 0.00. Tasks that run / tasks there are, and the pid handed out last."""
    return b"0.00 0.00 0.00 %d/%d %d\n" % (_running(k), len(k.tasks), k.pids.last)


def _running(k: Kernel) -> int:
    return len(k.run_queue) + bool(k.current and k.tasks.peek(k.current).state == RUNNING)


def stat(k: Kernel) -> bytes:
    """Ticks of user time and idle time; switches, time of boot, processes made, and how many run."""
    user, idle = k.machine.retired // TICK, max(k.now - k.machine.retired, 0) // TICK
    times = b"%d 0 0 %d 0 0 0 0 0 0" % (user, idle)
    lines = [
        b"cpu  " + times,
        b"cpu0 " + times,
        b"intr 0",
        b"ctxt %d" % k.stats.switches,
        b"btime %d" % (k.door.wall_clock // _SECOND),
        b"processes %d" % k.pids.given,
        b"procs_running %d" % _running(k),
        b"procs_blocked 0",
    ]
    return b"\n".join(lines) + b"\n"


def version(k: Kernel) -> bytes:
    """What uname(2) says, in a line."""
    system, _, release, build, *_ = UTSNAME
    return b"%s version %s (forkyard) %s\n" % (system, release, build)


def cpuinfo(k: Kernel) -> bytes:
    """The one hart, as Linux's arch/riscv/kernel/cpu.c describes it."""
    lines = (("processor", "0"), ("hart", "0"), ("isa", "rv64ima_zicsr_zifencei"), ("mmu", "sv39"))
    return (
        "".join(f"{name}\t{'' if name == 'processor' else chr(9)}: {value}\n" for name, value in lines).encode() + b"\n"
    )


def filesystems(k: Kernel) -> bytes:
    """What mounts can be of; none needs a disk."""
    return b"".join(b"nodev\t" + kind + b"\n" for kind in (b"tmpfs", b"proc", b"devtmpfs", b"pipefs", b"hostfs"))


def mounts(k: Kernel) -> bytes:
    """Device, mount point, type, options, and two zeros for dump and fsck; in the order in which they were made."""
    lines = []
    for mount_id in k.mounts.ids():
        mount = k.mounts.peek(mount_id)
        if mount.root:
            kind = _kind(k, mount.root, mount.host)
            rights = b"rw" if mount.writable else b"ro"
            point = naming.escape(naming.name_of(k, mount.root), b" \t\n\\")
            lines.append(b"%s %s %s %s,relatime 0 0\n" % (kind, point, kind, rights))
    return b"".join(lines)


def _kind(k: Kernel, root: int, host: int) -> bytes:
    if root >= FIRST:
        return b"proc"
    if host >= 0:
        return b"hostfs"
    return b"devtmpfs" if k.inodes.peek(root).name == b"dev" else b"tmpfs"
