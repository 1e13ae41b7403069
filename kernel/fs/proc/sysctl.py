"""/proc/sys: the kernel's settings, one number or word a file. proc_sys_kernel(5)

They can only be read: pid_max is chosen before boot (`--pid-max`), and the others are what uname(2) says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.syscalls.misc import UTSNAME

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def pid_max(k: Kernel) -> bytes:
    """Pids are lower than this."""
    return b"%d\n" % k.pids.pid_max


def ostype(k: Kernel) -> bytes:
    """uname's sysname."""
    return UTSNAME[0] + b"\n"


def hostname(k: Kernel) -> bytes:
    """uname's nodename."""
    return UTSNAME[1] + b"\n"


def osrelease(k: Kernel) -> bytes:
    """uname's release."""
    return UTSNAME[2] + b"\n"


def version(k: Kernel) -> bytes:
    """uname's version."""
    return UTSNAME[3] + b"\n"


def domainname(k: Kernel) -> bytes:
    """uname's domainname."""
    return UTSNAME[5] + b"\n"
