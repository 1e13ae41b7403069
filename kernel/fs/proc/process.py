"""What a process is called: cmdline, environ, comm. proc_pid_cmdline(5), proc_pid_environ(5), proc_pid_comm(5)

The strings are read from where execve put them on the process's own stack: a program that writes there changes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EINVAL, SysError
from kernel.fs.proc import who
from kernel.fs.proc.memory import read_memory

if TYPE_CHECKING:
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel

COMM_SIZE = 16  # TASK_COMM_LEN, with its NUL


def comm(k: Kernel, about: Who) -> bytes:
    """The name and a newline."""
    return who.comm(about) + b"\n"


def set_comm(k: Kernel, about: Who, data: bytes) -> None:
    """Writing to comm names the task anew. Raises EINVAL for a zombie."""
    if about.task is None:
        raise SysError(EINVAL)
    name = data[: COMM_SIZE - 1].partition(b"\0")[0]
    k.tasks[about.tid].comm = name
    if about.tid == about.group.tgid:
        k.groups[about.tid].comm = name


def cmdline(k: Kernel, about: Who, offset: int, size: int) -> bytes:
    """argv's strings, each with its NUL. Nothing for a zombie.

    If the program has overwritten the last NUL, it has made a title of its own: it goes on into environ, up to a NUL.
    """
    mm = who.mm_of(k, about)
    if mm is None or mm.arg_end == mm.arg_start:
        return b""
    if read_memory(k, mm, mm.arg_end - 1, 1) == b"\0":
        return read_memory(k, mm, mm.arg_start + offset, max(min(size, mm.arg_end - mm.arg_start - offset), 0))
    title = read_memory(k, mm, mm.arg_start, mm.env_end - mm.arg_start).partition(b"\0")[0]
    return title[offset : offset + size]


def environ(k: Kernel, about: Who, offset: int, size: int) -> bytes:
    """envp's strings, each with its NUL."""
    mm = who.mm_of(k, about)
    if mm is None:
        return b""
    return read_memory(k, mm, mm.arg_end + offset, max(min(size, mm.env_end - mm.arg_end - offset), 0))
