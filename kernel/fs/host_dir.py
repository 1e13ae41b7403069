"""A directory of the host, and nothing outside of it. The only file of the kernel that opens files of the host.

Every access begins at the directory itself and walks down component by component with openat and O_NOFOLLOW, so that
no `..`, no symbolic link and no directory that is swapped for one meanwhile leads anywhere else. Nothing stays open
between two accesses. Components come from the guest: bytes without `/` and NUL, never `.` or `..`.

All functions raise OSError; `parts` are the components below the directory, () is the directory itself.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")
Parts = tuple[bytes, ...]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_SYMLINK_MAX = 4096


class HostStat(NamedTuple):
    """What the machine may know of a host file. `stamp` changes when the file does."""

    mode: int
    size: int
    stamp: tuple[int, int, int, int]  # st_dev, st_ino, st_size, st_mtime_ns


class HostDir:
    """`path` is resolved once, here: that it is still the same directory is checked at each access."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        status = os.stat(self.path)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        self._identity = (status.st_dev, status.st_ino)

    def stat(self, parts: Parts) -> HostStat:
        """The file itself, not what a symbolic link points to."""
        if not parts:
            return self._inside((), lambda fd: _host_stat(os.fstat(fd)))
        return self._inside(parts[:-1], lambda fd: _host_stat(_lstat(fd, parts[-1])))

    def names(self, parts: Parts) -> list[bytes]:
        """What is in a directory, sorted, so that the order is the machine's and not the host's."""
        return self._inside(parts, lambda fd: sorted(os.fsencode(name) for name in os.listdir(fd)))

    def readlink(self, parts: Parts) -> bytes:
        """Where a symbolic link points to: a path for the machine to follow, never for the host."""
        try:
            return self._inside(parts[:-1], lambda fd: os.readlink(parts[-1], dir_fd=fd))[:_SYMLINK_MAX]
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise FileNotFoundError(errno.ENOENT, "no symbolic link any more", parts[-1]) from None

    def read(self, parts: Parts, offset: int, size: int) -> bytes:
        """Bytes of a regular file; fewer at its end."""
        return self._with_file(parts, os.O_RDONLY, lambda fd: _pread(fd, size, offset))

    def write(self, parts: Parts, offset: int, data: bytes) -> None:
        """Bytes into a regular file that exists."""
        self._with_file(parts, os.O_WRONLY, lambda fd: _pwrite(fd, data, offset))

    def truncate(self, parts: Parts, size: int) -> None:
        """Cuts or extends a regular file that exists."""
        self._with_file(parts, os.O_WRONLY, lambda fd: os.ftruncate(fd, size))

    def create(self, parts: Parts, mode: int) -> None:
        """A new regular file, or an existing one made empty."""
        flags = os.O_WRONLY | os.O_CREAT | _FILE
        self._inside(parts[:-1], lambda parent: _with(_open_regular(parent, parts[-1], flags, mode), _empty))

    def symlink(self, target: bytes, parts: Parts) -> None:
        """A new symbolic link, to whatever the machine says: it is the machine that follows it."""
        self._inside(parts[:-1], lambda parent: os.symlink(target, parts[-1], dir_fd=parent))

    def mkdir(self, parts: Parts, mode: int) -> None:
        """A new directory; one that exists is fine."""
        try:
            self._inside(parts[:-1], lambda parent: os.mkdir(parts[-1], mode, dir_fd=parent))
        except FileExistsError:
            self._inside(parts, lambda fd: None)

    def remove(self, parts: Parts, directory: bool) -> None:
        """Removes a file, or an empty directory. What isn't there needs no removing."""
        remove = os.rmdir if directory else os.unlink
        try:
            self._inside(parts[:-1], lambda parent: remove(parts[-1], dir_fd=parent))
        except FileNotFoundError:
            pass

    def _inside(self, parts: Parts, use: Callable[[int], T]) -> T:
        """Calls `use` with a descriptor of the directory `parts`."""
        fd = os.open(self.path, _DIRECTORY)
        try:
            status = os.fstat(fd)
            if (status.st_dev, status.st_ino) != self._identity:
                raise FileNotFoundError(errno.ENOENT, "the mounted directory has been replaced", self.path)
            for part in parts:
                deeper = os.open(part, _DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = deeper
            return use(fd)
        finally:
            os.close(fd)

    def _with_file(self, parts: Parts, flags: int, use: Callable[[int], T]) -> T:
        return self._inside(parts[:-1], lambda parent: _with(_open_regular(parent, parts[-1], flags | _FILE), use))


def _with(fd: int, use: Callable[[int], T]) -> T:
    try:
        return use(fd)
    finally:
        os.close(fd)


def _open_regular(parent: int, name: bytes, flags: int, mode: int = 0) -> int:
    """Opens a file that is regular before and after: opening a fifo or a device could wait, or do things."""
    try:
        if not stat.S_ISREG(_lstat(parent, name).st_mode):
            raise PermissionError(errno.EACCES, "not a regular file", name)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    fd = os.open(name, flags, mode, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise PermissionError(errno.EACCES, "not a regular file", name)
    return fd


def _lstat(parent: int, name: bytes) -> os.stat_result:
    return os.stat(name, dir_fd=parent, follow_symlinks=False)


def _host_stat(status: os.stat_result) -> HostStat:
    stamp = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    return HostStat(status.st_mode, status.st_size, stamp)


def _empty(fd: int) -> None:
    os.ftruncate(fd, 0)


def _pread(fd: int, size: int, offset: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = os.pread(fd, size - len(data), offset + len(data))
        if not piece:
            break
        data += piece
    return bytes(data)


def _pwrite(fd: int, data: bytes, offset: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], offset + done)
