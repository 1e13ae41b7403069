"""The files that are there at boot: /, /bin, /tmp, /dev and the mounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel import credentials
from kernel.fs import directory, file, mounts, program, regular
from kernel.fs import inode as inodes
from kernel.fs.constants import O_RDONLY, O_WRONLY, S_IFCHR, S_IFDIR, S_ISVTX
from kernel.fs.device import DRIVERS, NAMELESS
from kernel.fs.eventfd import EventFd
from kernel.fs.fdtable import FdTable
from kernel.fs.file import OpenFile
from kernel.fs.inode import Inode
from kernel.fs.locks import FileLocks
from kernel.fs.mounts import BinProvider, Mount, Sources
from kernel.fs.pipe import Pipe
from kernel.fs.proc import numbers as proc
from kernel.fs.proc.table import InodeTable
from kernel.fs.socketpair import Socket
from kernel.fs.terminal import THE_CONSOLE, Terminal
from kernel.fs.terminal import make as make_terminal
from kernel.table import Table

if TYPE_CHECKING:
    from kernel.fs.host import MountPoint
    from kernel.kernel import Kernel

PIPE_MOUNT = 4  # pipes, and inodes that never have a name


def init(k: Kernel, programs: BinProvider, points: Sequence[MountPoint] = ()) -> None:
    """Makes the tables and the tree. `points`: (host directory, guest directory, writable). Raises MountError."""
    k.fdtables, k.files, k.inodes = Table(FdTable), Table(OpenFile), InodeTable(k)
    k.pipes, k.mounts, k.eventfds = Table(Pipe), Table(Mount), Table(EventFd)
    k.locks, k.terminals, k.sockets = Table(FileLocks), Table(Terminal), Table(Socket)
    make_terminal(k)
    k.sources = Sources(programs)
    k.page_cache.fill = regular.fill
    root, binaries, devices, _, processes = (mounts.add(k, writable) for writable in (True, False, True, True, True))
    _make_root(k, root)
    program.populate(k, _make(k, b"bin", 0o755, binaries))
    _make(k, b"tmp", 0o777 | S_ISVTX, root)
    _make_proc(k, processes)
    _make_devices(k, _make(k, b"dev", 0o755, devices))
    for point in points:
        from kernel.fs import host

        host.mount(k, point)


def open_console(k: Kernel) -> int:
    """A descriptor table for pid 1: 0 reads the machine's input, 1 and 2 are its standard output and error."""
    console = _lookup(k, _lookup(k, k.root_inode, b"dev"), b"console")
    inputs, outputs, errors = k.terminals.peek(THE_CONSOLE).streams
    reads = console if inputs else _nameless(k, "console-input")
    writes = console if outputs else _nameless(k, "console-output")
    error = _nameless(k, "tty-error" if errors else "console-error")
    table = FdTable()
    for fd, (inode_id, flags) in enumerate([(reads, O_RDONLY), (writes, O_WRONLY), (error, O_WRONLY)]):
        table.slots[fd] = (file.add(k, inode_id, flags), False)
    return k.fdtables.add(table)


def _make_root(k: Kernel, mount: int) -> None:
    user = credentials.owner(k)
    k.root_inode = inodes.add(k, Inode(S_IFDIR | 0o755, mount, user, user, inodes.now(k)))
    k.inodes[k.root_inode].parent = k.root_inode
    k.mounts[mount].root = k.root_inode


def _make(k: Kernel, name: bytes, mode: int, mount: int) -> int:
    """A directory in the root; the root of its own mount, unless it belongs to the root's."""
    inode_id = inodes.add(k, Inode(S_IFDIR | mode, mount, now=inodes.now(k)))
    directory.link(k, k.root_inode, name, inode_id)
    if not k.mounts.peek(mount).root:
        k.mounts[mount].root = inode_id
    return inode_id


def _make_proc(k: Kernel, mount: int) -> None:
    """Nothing but a name in the root: what is behind it is made when somebody looks (kernel/fs/proc)."""
    root = k.inodes[k.root_inode]
    root.entries[b"proc"] = (proc.ROOT, root.next_cookie)
    root.next_cookie += 1
    root.nlink += 1
    k.mounts[mount].root = proc.ROOT


def _make_devices(k: Kernel, directory_id: int) -> None:
    for name in DRIVERS:
        if name not in NAMELESS:
            mode = 0o620 if name == "console" else 0o666
            inode_id = _device(k, name, mode, k.inodes.peek(directory_id).mount)
            directory.link(k, directory_id, name.encode(), inode_id)


def _nameless(k: Kernel, driver: str) -> int:
    """A device that goes when nobody has it open any more."""
    inode_id = _device(k, driver, 0o620, PIPE_MOUNT)
    k.inodes[inode_id].nlink = 0
    return inode_id


def _device(k: Kernel, driver: str, mode: int, mount: int) -> int:
    inode = Inode(S_IFCHR | mode, mount, now=inodes.now(k))
    inode.driver, inode.number = driver, DRIVERS[driver].rdev
    if mode == 0o620:
        inode.uid = inode.gid = credentials.owner(k)  # the terminal belongs to who sits at it
    return inodes.add(k, inode)


def _lookup(k: Kernel, directory_id: int, name: bytes) -> int:
    inode_id = directory.lookup(k, directory_id, name)
    assert inode_id is not None
    return inode_id
