"""read and write of an open file, whatever kind of file it is: read(2), write(2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits
from kernel.errno import EBADF, EINVAL, EISDIR, SysError
from kernel.fs import attributes, device, pipe, regular, special
from kernel.fs.constants import FILE_MAX, O_APPEND, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG
from kernel.fs.proc import numbers as proc

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.fs.special import Kind
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel
    from kernel.task import Task


def read(k: Kernel, t: Task, file_id: int, buffer: UserBuffer, at: int | None = None) -> int:
    """Reads into the caller's memory and moves the offset on; returns the count, 0 at the end of the file.

    `at`: reads there, and the offset stays: pread(2).
    """
    file = k.files.peek(file_id)
    inode = k.inodes.peek(file.inode)
    kind = inode.mode & S_IFMT
    if kind == S_IFCHR:
        return device.DRIVERS[inode.driver].read(k, buffer, file.flags)
    if kind == S_IFIFO:
        return pipe.read(k, inode.number, buffer, file.flags)
    if kind == S_IFDIR:
        raise SysError(EISDIR)
    if kind != S_IFREG:
        return _special(inode).read(k, t, inode.number, buffer, file.flags)
    offset = file.offset if at is None else at
    _check_end(offset, buffer)
    moved = _read_regular(k, file_id, file.inode, offset, buffer)
    if at is None:
        k.files[file_id].offset = offset + moved
    return moved


def _read_regular(k: Kernel, file_id: int, inode_id: int, offset: int, buffer: UserBuffer) -> int:
    if inode_id >= proc.FIRST:
        from kernel.fs.proc import content

        return content.read(k, file_id, offset, buffer)
    attributes.accessed(k, inode_id)
    return regular.read(k, inode_id, offset, buffer)


def write(k: Kernel, t: Task, file_id: int, buffer: UserBuffer, at: int | None = None) -> int:
    """Writes the caller's memory at the offset, or at the end with O_APPEND; returns the count.

    `at`: writes there, but for O_APPEND, and the offset stays: pwrite(2), BUGS.
    """
    file = k.files.peek(file_id)
    inode = k.inodes.peek(file.inode)
    kind = inode.mode & S_IFMT
    if kind == S_IFCHR:
        return device.DRIVERS[inode.driver].write(k, buffer, file.flags)
    if kind == S_IFIFO:
        return pipe.write(k, t, inode.number, buffer, file.flags)
    if kind != S_IFREG:
        return _special(inode).write(k, t, inode.number, buffer, file.flags)
    if file.inode >= proc.FIRST:
        from kernel.fs.proc import content

        return content.write(k, file_id, buffer)
    return _write_regular(k, t, file_id, buffer, at)


def _write_regular(k: Kernel, t: Task, file_id: int, buffer: UserBuffer, at: int | None) -> int:
    file = k.files.peek(file_id)
    offset = file.offset if at is None else at
    _check_end(offset, buffer)
    offset = regular.fetch(k, file.inode).size if file.flags & O_APPEND else offset
    if buffer.left:
        buffer.shorten(limits.room_in_file(k, t, offset, buffer.left))
        attributes.strip_set_id(k, t.cred, file.inode)
    moved = regular.write(k, file.inode, offset, buffer)
    if moved and at is None:
        k.files[file_id].offset = offset + moved
    return moved


def _special(inode: Inode) -> Kind:
    kind = special.kind_of(inode)
    if kind is None:
        raise SysError(EBADF)
    return kind


def _check_end(offset: int, buffer: UserBuffer) -> None:
    """Offsets are signed 64-bit numbers: a transfer that would pass the last one is refused as a whole."""
    if offset + buffer.left > FILE_MAX:
        raise SysError(EINVAL)
