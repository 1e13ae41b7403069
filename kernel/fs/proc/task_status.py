"""status: what stat says and more, one thing a line. proc_pid_status(5); Linux's fs/proc/array.c

Lines of Linux 6.1 that are missing because nothing here is behind them: Speculation_Store_Bypass,
SpeculationIndirectBranch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel import limits, memory_limits
from kernel.credentials import ALL
from kernel.fs.proc import mask, memory_use, who
from kernel.mm import LOCKED
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel
    from kernel.mm import Mm

_KB = 1024
_FD_SLOTS = 256  # what FDSize begins with; it doubles


def status(k: Kernel, about: Who) -> bytes:
    """The whole file."""
    mm = who.mm_of(k, about)
    lines = [*_identity(k, about), *(() if mm is None else _memory(k, mm)), *_signals(k, about), *_rest(about)]
    return b"".join(name + b":\t" + value + b"\n" for name, value in lines)


def _identity(k: Kernel, about: Who) -> Iterator[tuple[bytes, bytes]]:
    task, group, letter, cred = about.task, about.group, who.state(about), who.cred_of(about)
    yield b"Name", who.escape_name(who.comm(about))
    if task is not None:
        yield b"Umask", b"%04o" % k.fs_structs.peek(task.fs).umask
    yield b"State", f"{letter} ({who.NAMES[letter]})".encode()
    yield b"Tgid", b"%d" % group.tgid
    yield b"Ngid", b"0"
    yield b"Pid", b"%d" % about.tid
    yield b"PPid", b"%d" % group.parent
    yield b"TracerPid", b"0"
    yield b"Uid", b"%d\t%d\t%d\t%d" % (cred.uid, cred.euid, cred.suid, cred.fsuid)
    yield b"Gid", b"%d\t%d\t%d\t%d" % (cred.gid, cred.egid, cred.sgid, cred.fsgid)
    yield b"FDSize", b"%d" % _descriptors(k, about)
    yield b"Groups", b"".join(b"%d " % gid for gid in cred.groups) or b" "
    yield b"NStgid", b"%d" % group.tgid
    yield b"NSpid", b"%d" % about.tid
    yield b"NSpgid", b"%d" % group.pgid
    yield b"NSsid", b"%d" % group.sid


def _descriptors(k: Kernel, about: Who) -> int:
    """Slots that its descriptor table has room for."""
    if about.task is None:
        return 0
    size, last = _FD_SLOTS, max(k.fdtables.peek(about.task.fdtable).slots, default=0)
    while size <= last:
        size *= 2
    return size


def _memory(k: Kernel, mm: Mm) -> Iterator[tuple[bytes, bytes]]:
    rss = memory_use.resident(k, mm)
    size = memory_limits.size_of(mm)
    start, end = memory_use.code(mm)
    sizes = [
        (b"VmPeak", size),
        (b"VmSize", size),
        (b"VmLck", sum(vma.end - vma.start for vma in mm.vmas if vma.flags & LOCKED)),
        (b"VmPin", 0),
        (b"VmHWM", mm.max_resident * PAGE),
        (b"VmRSS", mm.resident * PAGE),
        (b"RssAnon", rss.anonymous * PAGE),
        (b"RssFile", rss.file * PAGE),
        (b"RssShmem", rss.shared * PAGE),
        (b"VmData", memory_limits.data_size(mm)),
        (b"VmStk", memory_use.stack_size(mm)),
        (b"VmExe", end - start),
        (b"VmLib", memory_use.libraries(mm)),
        (b"VmPTE", memory_use.tables(k, mm) * PAGE),
        (b"VmSwap", 0),
        (b"HugetlbPages", 0),
    ]
    for name, amount in sizes:
        yield name, b"%8d kB" % (amount // _KB)
    yield b"CoreDumping", b"0"
    yield b"THP_enabled", b"0"


def _signals(k: Kernel, about: Who) -> Iterator[tuple[bytes, bytes]]:
    group, masks = about.group, mask.of(k, about)
    queued = len(group.queue) + sum(len(task.queue) for task in who.tasks(k, about))
    yield b"Threads", b"%d" % max(len(group.threads), 1)
    yield b"SigQ", b"%d/%d" % (queued, group.limits[limits.SIGPENDING][0])
    names = (b"SigPnd", b"ShdPnd", b"SigBlk", b"SigIgn", b"SigCgt")
    for name, value in zip(names, masks, strict=True):
        yield name, b"%016x" % value


def _rest(about: Who) -> Iterator[tuple[bytes, bytes]]:
    cred = who.cred_of(about)
    capabilities = (cred.inheritable, cred.permitted, cred.effective, ALL, 0)
    for name, value in zip((b"CapInh", b"CapPrm", b"CapEff", b"CapBnd", b"CapAmb"), capabilities, strict=True):
        yield name, b"%016x" % value
    yield b"NoNewPrivs", b"%d" % (about.task is not None and about.task.no_new_privs)
    yield b"Seccomp", b"0"
    yield b"Seccomp_filters", b"0"
    yield b"Cpus_allowed", b"1"
    yield b"Cpus_allowed_list", b"0"
    yield b"Mems_allowed", b"1"
    yield b"Mems_allowed_list", b"0"
    voluntary, involuntary = about.group.switches
    yield b"voluntary_ctxt_switches", b"%d" % voluntary
    yield b"nonvoluntary_ctxt_switches", b"%d" % involuntary
