"""System calls that belong to no family: uname, getrandom, riscv_flush_icache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EFAULT, EINVAL, SysError
from kernel.syscalls.table import syscall
from kernel.user_memory import copy_out
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

# struct new_utsname: sysname, nodename, release, version, machine, domainname; 65 bytes each
UTSNAME = (b"Linux", b"forkyard", b"6.1.0-forkyard", b"#1", b"riscv64", b"(none)")

FLUSH_ICACHE_LOCAL = 1
GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE = 1, 2, 4
MAX_RANDOM = (1 << 25) - 1  # bytes that one call gives at most (getrandom(2))


@syscall(160, "uname", "name*")
def sys_uname(k: Kernel, t: Task, name: int) -> int:
    """uname(2)"""
    copy_out(k, t, name, b"".join(field.ljust(65, b"\0") for field in UTSNAME))
    return 0


@syscall(259, "riscv_flush_icache", "start*", "end*", "flags")
def sys_riscv_flush_icache(k: Kernel, t: Task, start: int, end: int, flags: int) -> int:
    """riscv_flush_icache: a fetch sees every store at once: nothing is to be flushed. SysError(EINVAL): flags."""
    if flags & ~FLUSH_ICACHE_LOCAL:
        raise SysError(EINVAL)
    return 0


@syscall(278, "getrandom", "buffer*", "size", "flags")
def sys_getrandom(k: Kernel, t: Task, buffer: int, size: int, flags: int) -> int:
    """getrandom(2). Less than `size` if the buffer's end can't be written; EFAULT if its beginning can't."""
    flags &= 0xFFFFFFFF  # an unsigned int
    if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) or flags & 6 == GRND_RANDOM | GRND_INSECURE:
        raise SysError(EINVAL)
    size, done = min(size, MAX_RANDOM), 0
    while done < size:
        step = min(size - done, PAGE - (buffer + done) % PAGE)
        try:
            copy_out(k, t, buffer + done, k.door.random(step))
        except SysError as error:
            if error.errno == EFAULT and done:
                break
            raise
        done += step
    return done
