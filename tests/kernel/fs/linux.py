"""Real Linux as an oracle: the calls of a Box, made by this very process in a directory of the host's.

Absolute paths mean that directory. Tests that run as root make the calls as an unprivileged user, as the machine's
programs do. Names and numbers are those of the machine; flags are translated to the host's.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack, unpack
from typing import Any

from kernel.fs import constants as guest
from tests.oracles import lacking

AT_FDCWD = -100
USER = 1000
_FLAGS = ("O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DIRECT")
_FLAGS += ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_PATH")


def need_linux() -> None:
    if sys.platform != "linux":
        lacking("real Linux is the oracle here")


def shared_memory() -> str | None:
    """A tmpfs of the host, whose rules are those of the machine's own files; None: the usual place must do."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def host_flags(flags: int) -> int:
    """Open flags with the host's numbers; bits that have no name are passed on."""
    result = flags
    for name in _FLAGS:
        bit = getattr(guest, name)
        if flags & bit:
            result = result & ~bit | getattr(os, name)
    return result


class Linux:
    """The same methods as Box; `root` must be an empty directory."""

    def __init__(self, root: Path) -> None:
        need_linux()
        self.libc = ctypes.CDLL(None, use_errno=True)
        for name in ("read", "write", "readv", "writev", "lseek", "pread", "pwrite", "sendfile", "copy_file_range"):
            getattr(self.libc, name).restype = ctypes.c_ssize_t
        self.root = os.fsencode(root)
        self.fds: list[int] = []
        self.user = USER
        self.groups: tuple[int, ...] = ()
        if os.geteuid() == 0:
            os.chown(root, USER, USER)
            for parent in root.parents:
                os.chmod(parent, os.stat(parent).st_mode | 0o011) if parent != Path("/") else None

    @contextmanager
    def _user(self) -> Iterator[None]:
        back, euid, mask = os.getcwd(), os.geteuid(), os.umask(0o022)
        os.chdir(getattr(self, "cwd", self.root))
        if euid == 0:
            before = os.getgroups()
            os.setgroups(self.groups)
            os.setegid(self.user)
            os.seteuid(self.user)
        try:
            yield
        finally:
            if euid == 0:
                os.seteuid(0)
                os.setegid(0)
                os.setgroups(before)
            os.umask(mask)
            os.chdir(back)

    def _do(self, name: str, *arguments: Any) -> int:
        with self._user():
            result = getattr(self.libc, name)(*arguments)
            return -ctypes.get_errno() if result == -1 else int(result)

    def _path(self, path: str | bytes) -> bytes:
        path = path.encode() if isinstance(path, str) else path
        return self.root + path if path.startswith(b"/") else path

    def finish(self) -> None:
        for fd in self.fds:
            try:
                os.close(fd)
            except OSError:
                pass

    def _new(self, fd: int) -> int:
        if fd >= 0:
            self.fds.append(fd)
        return fd

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o644, dirfd: int = AT_FDCWD) -> int:
        return self._new(self._do("openat", dirfd, self._path(path), host_flags(flags), mode))

    def device(self, name: str, flags: int) -> int:
        """A device of the host's own."""
        return self._new(self._do("openat", AT_FDCWD, b"/dev/" + name.encode(), host_flags(flags)))

    def close(self, fd: int) -> int:
        return self._do("close", fd)

    def write(self, fd: int, data: bytes) -> int:
        return self._do("write", fd, data, ctypes.c_size_t(len(data)))

    def read(self, fd: int, size: int) -> bytes | int:
        buffer = ctypes.create_string_buffer(size + 1)
        count = self._do("read", fd, buffer, ctypes.c_size_t(size))
        return buffer.raw[:count] if count >= 0 else count

    def lseek(self, fd: int, offset: int, whence: int) -> int:
        return self._do("lseek", fd, ctypes.c_int64(offset), whence)

    def ftruncate(self, fd: int, size: int) -> int:
        return self._do("ftruncate", fd, ctypes.c_int64(size))

    def dup(self, fd: int) -> int:
        return self._new(self._do("dup", fd))

    def pipe(self, flags: int = 0) -> Any:
        pair = (ctypes.c_int * 2)()
        result = self._do("pipe2", pair, host_flags(flags))
        return (self._new(pair[0]), self._new(pair[1])) if result == 0 else result

    def fcntl(self, fd: int, command: int, argument: int = 0) -> int:
        return self._do("fcntl", fd, command, ctypes.c_long(argument))

    def poll(self, pairs: list[tuple[int, int]], timeout: int = 0) -> Any:
        """ppoll of (fd, events) for `timeout` ns: (result, revents of each)."""
        fds = ctypes.create_string_buffer(b"".join(pack("<iHH", fd, events, 0xFFFF) for fd, events in pairs))
        time = ctypes.create_string_buffer(pack("<2q", *divmod(timeout, 10**9)))
        result = self._do("ppoll", fds, ctypes.c_ulong(len(pairs)), time, None)
        return result, [unpack("<iHH", fds.raw[8 * i : 8 * i + 8])[2] for i in range(len(pairs))]

    def select(self, n: int, reads: int, writes: int = 0, excepts: int = 0, timeout: int = 0) -> Any:
        """pselect of three sets as bits: (result, the sets as they are then)."""
        sets = [ctypes.create_string_buffer(bits.to_bytes(128, "little")) for bits in (reads, writes, excepts)]
        time = ctypes.create_string_buffer(pack("<2q", *divmod(timeout, 10**9)))
        result = self._do("pselect", n, *sets, time, None)
        return result, *[int.from_bytes(bits.raw[:128], "little") for bits in sets]

    def mkdir(self, path: str | bytes, mode: int = 0o755) -> int:
        return self._do("mkdirat", AT_FDCWD, self._path(path), mode)

    def unlink(self, path: str | bytes, flags: int = 0) -> int:
        return self._do("unlinkat", AT_FDCWD, self._path(path), flags)

    def access(self, path: str | bytes, mode: int) -> int:
        with self._user():
            arguments = AT_FDCWD, self._path(path), mode, 0x200  # AT_EACCESS: the test's real uid may be root's
            result = self.libc.faccessat(*arguments)
            return -ctypes.get_errno() if result == -1 else int(result)

    def chdir(self, path: str | bytes) -> int:
        with self._user():
            result = self.libc.chdir(self._path(path))
            if result == 0:
                self.cwd = os.getcwdb()
            return -ctypes.get_errno() if result else 0

    def stat(self, path: str | bytes, follow: bool = True) -> tuple[int, int, int] | int:
        """(mode, links, size) of a file, the size only of a regular one; -errno."""
        with self._user():
            try:
                s = os.stat(self._path(path), follow_symlinks=follow)
            except OSError as error:
                return -(error.errno or 0)
        size = s.st_size if s.st_mode & 0o170000 == 0o100000 else 0
        return s.st_mode, s.st_nlink, size

    def edge(self) -> int:
        """An address with eight pages of memory before it and none behind it."""
        size = 9 * mmap.PAGESIZE
        self.memory = mmap.mmap(-1, size)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory)) + 8 * mmap.PAGESIZE
        assert self.libc.mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, 0) == 0
        return address

    def at(self, name: str, fd: int, address: int, count: int) -> int:
        """read, write, readv or writev with any address and count."""
        return self._do(name, fd, ctypes.c_void_p(address), ctypes.c_uint64(count))

    def poke(self, data: bytes, at: int) -> int:
        ctypes.memmove(at, data, len(data))
        return at

    def chmod(self, path: str, mode: int) -> int:
        return self._do("fchmodat", AT_FDCWD, self._path(path), mode, 0)

    def symlink(self, target: str, path: str) -> int:
        return self._do("symlinkat", self._path(target), AT_FDCWD, self._path(path))

    def link(self, old: str, new: str, flags: int = 0) -> int:
        return self._do("linkat", AT_FDCWD, self._path(old), AT_FDCWD, self._path(new), flags)

    def rename(self, old: str, new: str, flags: int = 0) -> int:
        return self._do("renameat2", AT_FDCWD, self._path(old), AT_FDCWD, self._path(new), flags)

    def readlink(self, path: str, size: int = 4096) -> bytes | int:
        buffer = ctypes.create_string_buffer(max(size, 1))
        count = self._do("readlinkat", AT_FDCWD, self._path(path), buffer, ctypes.c_size_t(size))
        if count >= 0 and buffer.raw.startswith(self.root):
            return buffer.raw[len(self.root) : count]
        return buffer.raw[:count] if count >= 0 else count

    def mknod(self, path: str, mode: int, number: int = 0) -> int:
        return self._do("mknodat", AT_FDCWD, self._path(path), mode, ctypes.c_uint64(number))

    def chown(self, path: str, uid: int, gid: int, flags: int = 0) -> int:
        return self._do("fchownat", AT_FDCWD, self._path(path), uid, gid, flags)

    def pread(self, fd: int, size: int, offset: int) -> bytes | int:
        buffer = ctypes.create_string_buffer(size + 1)
        count = self._do("pread", fd, buffer, ctypes.c_size_t(size), ctypes.c_int64(offset))
        return buffer.raw[:count] if count >= 0 else count

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        return self._do("pwrite", fd, data, ctypes.c_size_t(len(data)), ctypes.c_int64(offset))

    def fallocate(self, fd: int, mode: int, offset: int, size: int) -> int:
        return self._do("fallocate", fd, mode, ctypes.c_int64(offset), ctypes.c_int64(size))

    def sendfile(self, out: int, source: int, offset: int | None, size: int) -> Any:
        """The result, and where the offset is afterwards."""
        at = ctypes.c_int64(offset or 0)
        where = None if offset is None else ctypes.byref(at)
        result = self._do("sendfile", out, source, where, ctypes.c_size_t(size))
        return result, bytes(at) if where else b""

    def copy_range(self, source: int, start: int | None, out: int, end: int | None, size: int) -> Any:
        offsets = (ctypes.c_int64 * 2)(start or 0, end or 0)
        base = ctypes.addressof(offsets)
        at = [None if x is None else ctypes.c_void_p(base + 8 * i) for i, x in enumerate((start, end))]
        return self._do("copy_file_range", source, at[0], out, at[1], ctypes.c_size_t(size), 0), bytes(offsets)

    def truncate(self, path: str, size: int) -> int:
        return self._do("truncate", self._path(path), ctypes.c_int64(size))

    def owner(self, path: str) -> tuple[int, int] | int:
        with self._user():
            try:
                status = os.lstat(self._path(path))
            except OSError as error:
                return -(error.errno or 0)
        return status.st_uid, status.st_gid

    def become(self, uid: int, groups: tuple[int, ...] = ()) -> None:
        """Another user makes the calls from now on. Only root can."""
        self.user, self.groups = uid, groups

    def listing(self, path: str) -> list[bytes]:
        with self._user():
            return sorted(os.listdir(self._path(path)))
