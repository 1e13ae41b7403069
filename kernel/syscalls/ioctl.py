"""ioctl: what files can be told to do beside reading and writing. ioctl_tty(2), asm-generic/ioctls.h."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack
from typing import TYPE_CHECKING

from kernel.errno import EBADF, EINVAL, EIO, ENOTTY, EPERM, ESRCH, SysError
from kernel.fs import device, fdtable, regular, special, terminal, tty
from kernel.fs.constants import O_NONBLOCK, O_PATH, S_IFCHR, S_IFIFO, S_IFMT
from kernel.fs.terminal import THE_CONSOLE
from kernel.syscalls.table import syscall
from kernel.user_memory import copy_in, copy_out

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.kernel import Kernel
    from kernel.task import Task

TCGETS, TCSETS, TCSETSW, TCSETSF = 0x5401, 0x5402, 0x5403, 0x5404
TCSBRK, TCXONC, TCFLSH, TIOCSCTTY, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ = (
    0x5409,
    0x540A,
    0x540B,
    0x540E,
    0x540F,
    0x5410,
    0x5411,
)
TIOCGWINSZ, TIOCSWINSZ, FIONREAD, FIONBIO, TIOCNOTTY, TIOCGSID = 0x5413, 0x5414, 0x541B, 0x5421, 0x5422, 0x5429
FIONCLEX, FIOCLEX = 0x5450, 0x5451
TERMIOS_SIZE = 36
SIGWINCH, SIGTTOU = 28, 22


@syscall(29, "ioctl", "fd", "request", "argument")
def sys_ioctl(k: Kernel, t: Task, fd: int, request: int, argument: int) -> int:
    """ioctl(2): FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, and the terminal's. Raises EBADF, EFAULT, ENOTTY and others."""
    request &= 0xFFFFFFFF
    file_id = fdtable.file_id(k.fdtables.peek(t.fdtable), fd)
    file = k.files.peek(file_id)
    if file.flags & O_PATH:
        raise SysError(EBADF)
    if request in (FIOCLEX, FIONCLEX):
        k.fdtables[t.fdtable].slots[fd & 0xFFFFFFFF] = (file_id, request == FIOCLEX)
        return 0
    if request == FIONBIO:
        on = _int(k, t, argument)
        file = k.files[file_id]
        file.flags = file.flags | O_NONBLOCK if on else file.flags & ~O_NONBLOCK
        return 0
    inode = k.inodes.peek(file.inode)
    if inode.mode & S_IFMT == S_IFCHR and inode.driver in device.TERMINALS:
        return _terminal(k, t, file, request, argument)
    if request == FIONREAD:
        return _tell(k, t, argument, _waiting(k, file))
    raise SysError(ENOTTY)


def _int(k: Kernel, t: Task, address: int) -> int:
    return int.from_bytes(copy_in(k, t, address, 4), "little", signed=True)


def _tell(k: Kernel, t: Task, address: int, value: int) -> int:
    copy_out(k, t, address, (value & 0xFFFFFFFF).to_bytes(4, "little"))
    return 0


def _waiting(k: Kernel, file: OpenFile) -> int:
    """FIONREAD: how many bytes a read would find. Raises ENOTTY for files that don't know."""
    inode = k.inodes.peek(file.inode)
    if inode.mode & S_IFMT == S_IFIFO:
        return sum(length for _, _, length, _ in k.pipes.peek(inode.number).buffers)
    if inode.is_regular():
        return regular.fetch(k, file.inode).size - file.offset
    known = special.kind_of(inode)
    if known is None or known.waiting is None:
        raise SysError(ENOTTY)
    return known.waiting(k, inode.number)


def _terminal(k: Kernel, t: Task, file: OpenFile, request: int, argument: int) -> int:
    command = _COMMANDS.get(request)
    if command is None:
        raise SysError(ENOTTY)
    return command(k, t, file, argument)


def _get_settings(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    copy_out(k, t, address, k.terminals.peek(THE_CONSOLE).settings)
    return 0


def _set_settings(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    """tcsetattr(3): for output there is nothing to wait, and input that was not read stays (TCSETSF, too)."""
    tty.check(k, t, SIGTTOU)
    settings = copy_in(k, t, address, TERMIOS_SIZE)
    k.terminals[THE_CONSOLE].settings = settings
    k.door.set_terminal(settings)
    return 0


def _accept(k: Kernel, t: Task, file: OpenFile, argument: int) -> int:
    """tcsendbreak, tcdrain, tcflow, tcflush: the line is always drained, and nothing on it is lost."""
    tty.check(k, t, SIGTTOU)
    return 0


def _take(k: Kernel, t: Task, file: OpenFile, steal: int) -> int:
    """TIOCSCTTY. Raises EPERM: not a session's leader, has a terminal already, or another session has this one."""
    group = k.groups.peek(t.tgid)
    leads = group.sid == group.tgid
    if leads and k.terminals.peek(THE_CONSOLE).session == group.sid:
        return 0
    if not leads or group.tty or k.terminals.peek(THE_CONSOLE).session or not file.readable():
        raise SysError(EPERM)
    terminal.take(k, k.groups[t.tgid])
    return 0


def _give_up(k: Kernel, t: Task, file: OpenFile, argument: int) -> int:
    _require_own(k, t)
    tty.give_up(k, k.groups[t.tgid], ends=False)
    return 0


def _require_own(k: Kernel, t: Task) -> None:
    if not k.groups.peek(t.tgid).tty:
        raise SysError(ENOTTY)


def _get_foreground(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    _require_own(k, t)
    return _tell(k, t, address, k.terminals.peek(THE_CONSOLE).foreground)


def _set_foreground(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    """tcsetpgrp(3). Raises ENOTTY, EINVAL, ESRCH, EPERM (a group of another session)."""
    try:
        tty.check(k, t, SIGTTOU)
    except SysError as error:
        raise SysError(ENOTTY if error.errno == EIO else error.errno) from None
    pgid = _int(k, t, address)
    if pgid < 0:
        raise SysError(EINVAL)
    group = k.groups.peek(t.tgid)
    if not group.tty or k.terminals.peek(THE_CONSOLE).session != group.sid:
        raise SysError(ENOTTY)
    if _session_of(k, pgid) != group.sid:
        raise SysError(EPERM)
    terminal.name(k, group.sid, pgid)
    return 0


def _session_of(k: Kernel, pid: int) -> int:
    """The session that a group is in; as on Linux the number of any process will do. Raises ESRCH."""
    if pid in k.pgroups:
        return k.pgroups.peek(pid).sid
    if pid in k.tasks:
        return k.groups.peek(k.tasks.peek(pid).tgid).sid
    raise SysError(ESRCH)


def _get_session(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    _require_own(k, t)
    return _tell(k, t, address, k.terminals.peek(THE_CONSOLE).session)


def _get_size(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    copy_out(k, t, address, pack("<4H", *k.terminals.peek(THE_CONSOLE).size))
    return 0


def _set_size(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    size = unpack("<4H", copy_in(k, t, address, 8))
    console = k.terminals[THE_CONSOLE]
    if size != console.size:
        console.size = size
        tty.to_group(k, console.foreground, SIGWINCH)
    return 0


def _count_input(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    return _tell(k, t, address, len(k.terminals.peek(THE_CONSOLE).typed) + k.door.waiting())


def _count_output(k: Kernel, t: Task, file: OpenFile, address: int) -> int:
    return _tell(k, t, address, 0)


_COMMANDS: dict[int, Callable[[Kernel, Task, OpenFile, int], int]] = {
    TCGETS: _get_settings,
    TCSETS: _set_settings,
    TCSETSW: _set_settings,
    TCSETSF: _set_settings,
    TCSBRK: _accept,
    TCXONC: _accept,
    TCFLSH: _accept,
    TIOCSCTTY: _take,
    TIOCNOTTY: _give_up,
    TIOCGPGRP: _get_foreground,
    TIOCSPGRP: _set_foreground,
    TIOCGSID: _get_session,
    TIOCGWINSZ: _get_size,
    TIOCSWINSZ: _set_size,
    FIONREAD: _count_input,
    TIOCOUTQ: _count_output,
}
