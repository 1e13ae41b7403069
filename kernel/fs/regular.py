"""Regular files: bytes in the page cache, which is guest RAM. A full machine is a full disk (ENOSPC). See tmpfs(5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EFBIG, ENOSPC, EPERM, OutOfMemory, SysError
from kernel.fs import attributes
from kernel.fs import inode as inodes
from kernel.fs.constants import (
    CHUNK,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    FILE_MAX,
    PAGE,
)

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.fs.inode import Inode
    from kernel.fs.user_buffer import UserBuffer
    from kernel.kernel import Kernel


def fetch(k: Kernel, inode_id: int) -> Inode:
    """The inode with its size known: the first look at a program of /bin has it made. Raises EIO."""
    inode = k.inodes.peek(inode_id)
    if not inode.fetched:
        from kernel.fs import program

        program.fetch(k, inode_id)
    return inode


def fill(k: Kernel, inode_id: int, index: int) -> bytes | None:
    """The page cache's question: what does the source have for this page? None: nothing, it is a hole. Raises EIO."""
    inode = k.inodes.peek(inode_id)
    size = min(PAGE, inode.source_size - index * PAGE)
    if size <= 0 or not inode.source:
        return None
    if inode.source[0] == "program":
        from kernel.fs import program

        return program.read(k, inode, index * PAGE, size)
    from kernel.fs import host

    return host.read(k, inode, index * PAGE, size)


def read_bytes(k: Kernel, inode_id: int, offset: int, size: int) -> bytes:
    """Up to `size` bytes from `offset`, for the kernel's own use (exec). Raises EIO, ENOMEM."""
    size = min(size, fetch(k, inode_id).size - offset)
    return k.page_cache.read(k, inode_id, offset, size) if size > 0 else b""


def read(k: Kernel, inode_id: int, offset: int, buffer: UserBuffer) -> int:
    """Moves what there is from `offset` on into the caller's memory; 0 at the end. Raises EFAULT, EIO, ENOMEM."""
    end = fetch(k, inode_id).size
    moved = 0
    while buffer.left and not buffer.error and offset + moved < end:
        size = min(buffer.left, end - offset - moved, CHUNK)
        try:
            data = k.page_cache.read(k, inode_id, offset + moved, size)
        except SysError as error:
            buffer.error = error.errno
            break
        moved += buffer.put(data)
    return buffer.result(moved)


def write(k: Kernel, inode_id: int, offset: int, buffer: UserBuffer) -> int:
    """Writes from the caller's memory; a gap before `offset` becomes a hole.

    Raises EFBIG, EPERM (seals), EFAULT, ENOSPC, EIO.
    """
    if not buffer.left:
        return 0
    if offset >= FILE_MAX:
        raise SysError(EFBIG)
    inode = fetch(k, inode_id)
    room = min(buffer.left, FILE_MAX - offset)
    if inode.seals != F_SEAL_SEAL:
        room = _unsealed(inode, offset, room)
    moved = 0
    while moved < room and not buffer.error:
        data = buffer.take(min(room - moved, CHUNK - (offset + moved) % PAGE))
        stored, error = _store(k, inode_id, offset + moved, data)
        moved += stored
        buffer.error = error or buffer.error
    if moved:
        _grown(k, inode_id, offset, moved)
    return buffer.result(moved)


def _unsealed(inode: Inode, offset: int, room: int) -> int:
    """How much of it the seals of a memfd let through: Linux asks them page by page. Raises EPERM."""
    if inode.seals & F_SEAL_GROW and offset + room > inode.size:
        room = (inode.size & -PAGE) - offset
    if inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) or room <= 0:
        raise SysError(EPERM)
    return room


def resize(k: Kernel, cred: Cred, inode_id: int, size: int) -> None:
    """truncate(2) by somebody: set-user-ID goes with the contents. Raises EPERM (seals)."""
    inode = fetch(k, inode_id)
    if (size < inode.size and inode.seals & F_SEAL_SHRINK) or (size > inode.size and inode.seals & F_SEAL_GROW):
        raise SysError(EPERM)
    attributes.strip_set_id(k, cred, inode_id)
    truncate(k, inode_id, size)


def truncate(k: Kernel, inode_id: int, size: int) -> None:
    """Cuts the file, or lets it end with a hole."""
    fetch(k, inode_id)
    inode = k.inodes[inode_id]
    if size < inode.size:
        _unmap_behind(k, inode_id, size)
        k.page_cache.truncate(k, inode_id, size)
        inode.source_size = min(inode.source_size, size)
        inode.dirty = {index: True for index in inode.dirty if index * PAGE < size}
    inode.size = size
    inode.modified = inode.changed = inodes.now(k)


def written(k: Kernel, inode_id: int, index: int) -> None:
    """A page of the file is about to change by a store into a shared mapping."""
    inode = k.inodes[inode_id]
    inode.modified = inode.changed = inodes.now(k)
    k.page_cache.soil(inode_id, index)
    if k.mounts.peek(inode.mount).host >= 0:
        inode.dirty[index] = True


def _unmap_behind(k: Kernel, inode_id: int, size: int) -> None:
    """Whole pages behind the new end are in no address space any more: touching them is SIGBUS from now on."""
    from kernel import vmas

    vmas.forget_file(k, inode_id, (size + PAGE - 1) & -PAGE)


def _store(k: Kernel, inode_id: int, offset: int, data: bytes) -> tuple[int, int]:
    """(bytes stored, errno or 0): all of it, or as many pages as memory has room for."""
    try:
        k.page_cache.write(k, inode_id, offset, data)
        return len(data), 0
    except SysError:
        return _store_pages(k, inode_id, offset, data)


def _store_pages(k: Kernel, inode_id: int, offset: int, data: bytes) -> tuple[int, int]:
    done = 0
    try:
        while done < len(data):
            size = min(len(data) - done, PAGE - (offset + done) % PAGE)
            k.page_cache.write(k, inode_id, offset + done, data[done : done + size])
            done += size
    except OutOfMemory:
        return done, ENOSPC
    except SysError as error:
        return done, error.errno
    return done, 0


def _grown(k: Kernel, inode_id: int, offset: int, moved: int) -> None:
    inode = k.inodes[inode_id]
    inode.size = max(inode.size, offset + moved)
    inode.modified = inode.changed = inodes.now(k)
    if k.mounts.peek(inode.mount).host >= 0:
        for index in range(offset // PAGE, (offset + moved - 1) // PAGE + 1):
            inode.dirty[index] = True
