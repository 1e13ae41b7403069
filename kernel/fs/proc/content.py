"""Reading and writing files of /proc.

The content is made when somebody reads from the beginning, whole, and what the reader hasn't got yet is kept with the
open file (`OpenFile.view`): reads that go on where the last one stopped all see one moment, as with Linux's seq_file.
After lseek to anywhere else it is made anew, and for the others when more is kept than the host should have to bear.
Files that can be large (pagemap) are made part by part instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EACCES, EINVAL, EIO, ESRCH, SysError
from kernel.fs.constants import CHUNK, FILE_MAX, SEEK_CUR, SEEK_END, SEEK_SET
from kernel.fs.proc import who
from kernel.fs.proc.numbers import TASK, decode
from kernel.fs.proc.tree import ENTRIES, Entry

if TYPE_CHECKING:
    from kernel.fs.file import OpenFile
    from kernel.fs.proc.numbers import Node
    from kernel.fs.proc.who import Who
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel
    from kernel.task import Task

_MOST_WRITTEN = 4096  # bytes that one write may have
_SMALL = 4096  # bytes of a view that may be kept with every open file
_MOST_KEPT = 16 << 20  # bytes of all larger views together, if they are more than one


def check_open(k: Kernel, t: Task, inode_id: int) -> None:
    """What permission bits don't say: who may look into the task. Raises EACCES, ESRCH."""
    node = decode(inode_id)
    if ENTRIES[node.kind].private and not who.may_look(k, t, _about(k, node)):
        raise SysError(EACCES)


def read(k: Kernel, file_id: int, offset: int, buffer: UserBuffer) -> int:
    """read(2) at an offset; the caller moves the file's on. Raises ESRCH (the task is gone), EIO, EFAULT, EINVAL."""
    file = k.files[file_id]
    node = decode(file.inode)
    if ENTRIES[node.kind].part is not None:
        return buffer.result(buffer.put(_part(k, node, offset, min(buffer.left, CHUNK))))
    text = _text(k, file, node, offset)
    moved = buffer.put(text[: buffer.left])
    _keep(k, file_id, offset + moved, text[moved:])
    return buffer.result(moved)


def write(k: Kernel, file_id: int, buffer: UserBuffer) -> int:
    """write(2): all at once, wherever the file's offset is. Raises EIO (not to be written), ESRCH, EINVAL, EFAULT."""
    node = decode(k.files.peek(file_id).inode)
    entry = ENTRIES[node.kind]
    if entry.store is None:
        raise SysError(EIO)
    size = buffer.left
    data = buffer.take(min(size, _MOST_WRITTEN))
    if buffer.error:
        raise SysError(buffer.error)
    entry.store(k, _about(k, node), data)
    return size


def seek(file: OpenFile, offset: int, whence: int) -> int:
    """Where lseek(2) leads: seq_lseek() of Linux knows no end of a file, generic_file_llseek() takes it for 0.

    Raises EINVAL.
    """
    entry = ENTRIES[decode(file.inode).kind]
    base = {SEEK_SET: 0, SEEK_CUR: file.offset}.get(whence)
    if base is None and whence == SEEK_END and entry.part is not None:
        base = 0
    if base is None or not 0 <= base + offset <= FILE_MAX:
        raise SysError(EINVAL)
    return base + offset


def _keep(k: Kernel, file_id: int, offset: int, rest: bytes) -> None:
    """What a read that goes on will get. A program can open `frames` thousands of times: then others lose theirs."""
    if len(rest) > _SMALL:
        views = {other: k.files.peek(other).view for other in k.files.ids() if other != file_id}
        large = {other: len(view[1]) for other, view in views.items() if view and len(view[1]) > _SMALL}
        if sum(large.values()) + len(rest) > _MOST_KEPT:
            for other in large:
                k.files[other].view = None
    k.files[file_id].view = (offset, rest)


def _text(k: Kernel, file: OpenFile, node: Node, offset: int) -> bytes:
    """What is there from `offset` on."""
    if offset and file.view is not None and file.view[0] == offset:
        return file.view[1]
    return _whole(k, node)[offset:]


def _whole(k: Kernel, node: Node) -> bytes:
    entry = ENTRIES[node.kind]
    if entry.state is not None:
        return entry.state(k)
    if entry.describe is not None:
        return entry.describe(k, _about(k, node), node.n)
    assert entry.show is not None
    return entry.show(k, _about(k, node))


def _part(k: Kernel, node: Node, offset: int, size: int) -> bytes:
    part = ENTRIES[node.kind].part
    assert part is not None
    return part(k, _about(k, node), offset, size)


def _about(k: Kernel, node: Node) -> Who:
    """The task it is about. Raises ESRCH if that is gone."""
    found = who.find(k, node, not _in_task(ENTRIES[node.kind]))
    if found is None:
        raise SysError(ESRCH)
    return found


def _in_task(entry: Entry) -> bool:
    """Is it a file of /proc/PID/task/TID?"""
    return entry.parent == TASK
