"""A machine with processes but no program: tests make the system calls themselves, as a program in it would see them.

    box = Box()
    fd = box.open("/tmp/a", O_CREAT | O_RDWR)
    assert box.write(fd, b"abc") == 3

A call returns what a0 would hold: a result, or -errno; BLOCKED if the caller would have been put to sleep.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack, unpack
from typing import Any, ClassVar

from kernel import lifecycle, mm
from kernel.check import check
from kernel.clone import Request, clone
from kernel.config import Config
from kernel.door import Door
from kernel.fs import api as fs
from kernel.kernel import Kernel
from kernel.mm import PROT_READ, PROT_WRITE, Vma
from kernel.syscalls import table
from kernel.task import SLEEPING, Task

AT_FDCWD = -100
BLOCKED = "blocked"
MEMORY = 0x10_0000  # where a process's memory begins
SIZE = 0x100_0000
BAD = 0x3000_0000  # nothing is mapped here
MASK = (1 << 64) - 1


class Programs:
    """A provider of /bin: names and what they are made of; an exception instead of bytes is raised."""

    def __init__(self, **programs: bytes | Exception) -> None:
        self.programs = programs
        self.loads: list[str] = []

    def names(self) -> list[str]:
        return list(self.programs)

    def load(self, name: str) -> bytes:
        self.loads.append(name)
        content = self.programs[name]
        if isinstance(content, Exception):
            raise content
        return content


class Box:
    """One machine; `box.task` is the process that makes the calls, `box.fork()` another one on the same machine."""

    made: ClassVar[list[Box]] = []  # since the test began, so that each can be checked at its end

    def __init__(
        self,
        programs: Programs | None = None,
        mounts: Sequence[Any] = (),
        memory: int = 64 << 20,
        stdin: bytes = b"",
        door: Door | None = None,
        root: bool = False,
    ) -> None:
        table.load()
        self.k = Kernel(Config(memory=memory, engine="python", root=root), door or Door(stdin))
        fs.init(self.k, programs or Programs(), mounts)
        fs.hold_inode(self.k, self.k.root_inode)
        mm_id = mm.create(self.k)
        space = self.k.mms[mm_id]
        mm.map_area(self.k, space, Vma(MEMORY, MEMORY + SIZE, PROT_READ | PROT_WRITE))
        console = fs.open_console(self.k)
        self.task: Task = lifecycle.first_process(self.k, mm_id, console, self.k.root_inode, b"test")
        self._activate()
        self.made.append(self)

    def _activate(self) -> None:
        mm.activate(self.k, self.task)

    def fork(self) -> Box:
        """The same machine, seen by a new child of this process."""
        child = object.__new__(type(self))
        child.k = self.k
        self._activate()
        pid = clone(self.k, self.task, Request(0, 17))
        child.task = self.k.tasks[pid]
        return child

    def exit(self) -> None:
        """The process ends and is reaped by nobody."""
        lifecycle.exit_task(self.k, self.task, 0)

    @property
    def out(self) -> bytes:
        return bytes(self.k.door.output[1])

    @property
    def err(self) -> bytes:
        return bytes(self.k.door.output[2])

    def check(self) -> None:
        """Everything the kernel counts is what can be counted."""
        check(self.k)
        assert fs.findings(self.k) == []

    # ---- system calls

    def call(self, name: str, *arguments: int) -> Any:
        """Makes a system call as the dispatcher would."""
        call = next(c for c in table.TABLE.values() if c.name == name)
        values = tuple(a & MASK for a in (*arguments, 0, 0, 0, 0, 0, 0)[: call.last - table.A0])
        self._take_hart()
        table._attempt(self.k, self.task, call, values)
        return self._outcome()

    def again(self) -> Any:
        """A sleeping task that was woken runs again: the rest of its system call. BLOCKED if it still sleeps."""
        if self.task.state == SLEEPING:
            return BLOCKED
        self._take_hart()
        table.resume(self.k, self.task)
        return self._outcome()

    def _take_hart(self) -> None:
        self.k.run_queue.remove(self.task.tid)
        self.k.current = self.task.tid
        self._activate()

    def _outcome(self) -> Any:
        if self.task.state == SLEEPING:
            return BLOCKED
        self.k.current = 0
        self.k.run_queue.append(self.task.tid)
        result = int(self.task.hart.x[table.A0])
        return result - (1 << 64) if result >> 63 else result

    def poke(self, data: bytes, at: int = MEMORY) -> int:
        from kernel.user_memory import copy_out

        self._activate()
        copy_out(self.k, self.task, at, data)
        return at

    def peek(self, size: int, at: int = MEMORY) -> bytes:
        from kernel.user_memory import copy_in

        self._activate()
        return copy_in(self.k, self.task, at, size)

    def string(self, text: bytes | str, at: int = MEMORY + SIZE - 0x4000) -> int:
        return self.poke((text.encode() if isinstance(text, str) else text) + b"\0", at)

    def open(self, path: bytes | str, flags: int = 0, mode: int = 0o644, dirfd: int = AT_FDCWD) -> Any:
        return self.call("openat", dirfd, self.string(path), flags, mode)

    def device(self, name: str, flags: int) -> Any:
        return self.open("/dev/" + name, flags)

    def write(self, fd: int, data: bytes) -> Any:
        return self.call("write", fd, self.poke(data), len(data))

    def read(self, fd: int, size: int) -> Any:
        """The bytes read; an int or BLOCKED if it failed."""
        count = self.call("read", fd, MEMORY, size)
        return self.peek(count) if isinstance(count, int) and count >= 0 else count

    def close(self, fd: int) -> Any:
        return self.call("close", fd)

    def pipe(self, flags: int = 0) -> tuple[int, int]:
        assert self.call("pipe2", MEMORY, flags) == 0
        pair = self.peek(8)
        return int.from_bytes(pair[:4], "little"), int.from_bytes(pair[4:], "little")

    def edge(self) -> int:
        """An address with memory before it and none behind it."""
        return MEMORY + SIZE

    def at(self, name: str, fd: int, address: int, count: int) -> Any:
        """read, write, readv or writev with any address and count."""
        return self.call(name, fd, address, count)

    def lseek(self, fd: int, offset: int, whence: int) -> Any:
        return self.call("lseek", fd, offset, whence)

    def ftruncate(self, fd: int, size: int) -> Any:
        return self.call("ftruncate", fd, size)

    def dup(self, fd: int) -> Any:
        return self.call("dup", fd)

    def fcntl(self, fd: int, command: int, argument: int = 0) -> Any:
        return self.call("fcntl", fd, command, argument)

    def poll(self, pairs: list[tuple[int, int]], timeout: int | None = 0) -> Any:
        """ppoll of (fd, events) for `timeout` ns: (result, revents of each)."""
        at = self.poke(b"".join(pack("<iHH", fd, events, 0xFFFF) for fd, events in pairs), MEMORY + 0x1000)
        time = 0 if timeout is None else self.poke(pack("<2q", *divmod(timeout, 10**9)), MEMORY + 0x9000)
        result = self.call("ppoll", at, len(pairs), time, 0, 8)
        return result, self.revents(len(pairs))

    def revents(self, count: int) -> list[int]:
        """What the last `poll` stored."""
        return [unpack("<iHH", self.peek(8, MEMORY + 0x1000 + 8 * i))[2] for i in range(count)]

    def select(self, n: int, reads: int, writes: int = 0, excepts: int = 0, timeout: int | None = 0) -> Any:
        """pselect6 of three sets as bits: (result, the sets as they are then)."""
        at = self.poke(b"".join(bits.to_bytes(128, "little") for bits in (reads, writes, excepts)), MEMORY + 0x1000)
        time = 0 if timeout is None else self.poke(pack("<2q", *divmod(timeout, 10**9)), MEMORY + 0x9000)
        result = self.call("pselect6", n, at, at + 128, at + 256, time, 0)
        return result, *[int.from_bytes(self.peek(128, at + 128 * i), "little") for i in range(3)]

    def mkdir(self, path: bytes | str, mode: int = 0o755) -> Any:
        return self.call("mkdirat", AT_FDCWD, self.string(path), mode)

    def unlink(self, path: bytes | str, flags: int = 0) -> Any:
        return self.call("unlinkat", AT_FDCWD, self.string(path), flags)

    def access(self, path: bytes | str, mode: int) -> Any:
        return self.call("faccessat", AT_FDCWD, self.string(path), mode)

    def chdir(self, path: bytes | str) -> Any:
        return self.call("chdir", self.string(path))

    def getcwd(self) -> Any:
        count = self.call("getcwd", MEMORY, 4096)
        return self.peek(count) if count >= 0 else count

    def raw_stat(self, path: bytes | str, follow: bool = True) -> Any:
        """The fields of struct stat, in order, as Linux's header has them."""
        result = self.call("newfstatat", AT_FDCWD, self.string(path), MEMORY, 0 if follow else 0x100)
        return unpack("<QQIIIIQQqiiqqQqQqQII", self.peek(128)) if result == 0 else result

    def stat(self, path: bytes | str, follow: bool = True) -> Any:
        """(mode, links, size), the size only of a regular file; -errno."""
        fields = self.raw_stat(path, follow)
        if isinstance(fields, int):
            return fields
        return fields[2], fields[3], fields[8] if fields[2] & 0o170000 == 0o100000 else 0

    def _two(self, first: str, second: str) -> tuple[int, int]:
        return self.string(first), self.string(second, MEMORY + SIZE - 0x8000)

    def symlink(self, target: str, path: str) -> Any:
        first, second = self._two(target, path)
        return self.call("symlinkat", first, AT_FDCWD, second)

    def link(self, old: str, new: str, flags: int = 0) -> Any:
        first, second = self._two(old, new)
        return self.call("linkat", AT_FDCWD, first, AT_FDCWD, second, flags)

    def rename(self, old: str, new: str, flags: int = 0) -> Any:
        first, second = self._two(old, new)
        return self.call("renameat2", AT_FDCWD, first, AT_FDCWD, second, flags)

    def readlink(self, path: str, size: int = 4096) -> Any:
        count = self.call("readlinkat", AT_FDCWD, self.string(path), MEMORY, size)
        return self.peek(count) if count >= 0 else count

    def mknod(self, path: str, mode: int, number: int = 0) -> Any:
        return self.call("mknodat", AT_FDCWD, self.string(path), mode, number)

    def chmod(self, path: str, mode: int) -> Any:
        return self.call("fchmodat", AT_FDCWD, self.string(path), mode)

    def chown(self, path: str, uid: int, gid: int, flags: int = 0) -> Any:
        return self.call("fchownat", AT_FDCWD, self.string(path), uid, gid, flags)

    def pread(self, fd: int, size: int, offset: int) -> Any:
        count = self.call("pread64", fd, MEMORY, size, offset)
        return self.peek(count) if count >= 0 else count

    def pwrite(self, fd: int, data: bytes, offset: int) -> Any:
        return self.call("pwrite64", fd, self.poke(data), len(data), offset)

    def fallocate(self, fd: int, mode: int, offset: int, size: int) -> Any:
        return self.call("fallocate", fd, mode, offset, size)

    def sendfile(self, out: int, source: int, offset: int | None, size: int) -> Any:
        """The result, and where the offset is afterwards."""
        at = 0 if offset is None else self.poke(pack("<q", offset))
        result = self.call("sendfile", out, source, at, size)
        return result, self.peek(8) if at else b""

    def copy_range(self, source: int, start: int | None, out: int, end: int | None, size: int) -> Any:
        self.poke(pack("<qq", start or 0, end or 0))
        at = 0 if start is None else MEMORY, 0 if end is None else MEMORY + 8
        return self.call("copy_file_range", source, at[0], out, at[1], size, 0), self.peek(16)

    def truncate(self, path: str, size: int) -> Any:
        return self.call("truncate", self.string(path), size)

    def owner(self, path: str) -> Any:
        """(uid, gid) of the file itself."""
        fields = self.raw_stat(path, follow=False)
        return fields if isinstance(fields, int) else tuple(fields[4:6])

    def become(self, uid: int, groups: tuple[int, ...] = ()) -> None:
        """Another user makes the calls from now on: effective ids and the groups of a process that is root."""
        if self.task.cred.euid:
            assert self.call("setresuid", -1, 0, -1) == 0
            assert self.call("setresgid", -1, 0, -1) == 0
        assert self.call("setgroups", len(groups), self.poke(pack(f"<{len(groups)}I", *groups))) == 0
        assert self.call("setresgid", -1, uid, -1) == 0
        assert self.call("setresuid", -1, uid, -1) == 0

    def dirents(self, fd: int, room: int = 65536) -> Any:
        """What one getdents64 gives, as (ino, offset, type, name)."""
        count = self.call("getdents64", fd, MEMORY, room)
        if count <= 0:
            return count
        data, entries = self.peek(count), []
        while data:
            ino, offset, size, kind = unpack("<QqHB", data[:19])
            entries.append((ino, offset, kind, data[19:size].rstrip(b"\0")))
            data = data[size:]
        return entries

    def listing(self, path: str) -> list[bytes]:
        """The names in a directory, sorted."""
        fd, names = self.open(path, 0o200000), []
        while entries := self.dirents(fd):
            names += [name for *_, name in entries if name not in (b".", b"..")]
        self.close(fd)
        return sorted(names)
