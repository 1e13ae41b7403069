"""Directories of the host shown to the programs: `--mount HOSTDIR[:GUESTDIR[:rw]]`.

Files are looked at when they are asked for, and looked at again at each walk: what has changed on the host meanwhile
is seen by the next open. A symbolic link's target is a path in the machine: an absolute one begins at the machine's /.

What programs write stays in the machine (an overlay over the host's files):

    pages written       in the page cache, listed in Inode.dirty
    files made          inodes without a source
    names removed       Directory `removed`

host_flush.py carries it out at the end of a live run. Owner and times are the machine's own, the same in every run.
"""

from __future__ import annotations

import errno as host_errno
from typing import TYPE_CHECKING

from kernel import credentials, errno
from kernel.errno import EIO, SysError
from kernel.fs import directory, mounts
from kernel.fs import inode as inodes
from kernel.fs.constants import NAME_MAX, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from kernel.fs.host_dir import HostDir, HostStat, Parts
from kernel.fs.inode import Inode
from kernel.fs.mounts import MountError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from kernel.kernel import Kernel

    T = TypeVar("T")

MountPoint = tuple[str | HostDir, str, bool]  # (host directory, guest directory, writable)


def mount(k: Kernel, point: MountPoint) -> None:
    """Makes one mount point, and the directories on the way to it. Raises MountError."""
    source, guest, writable = point
    try:
        host_dir = source if isinstance(source, HostDir) else HostDir(source)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise MountError(f"can't mount {source!r}: {reason}") from None
    k.sources.host_dirs.append(host_dir)
    mount_id = mounts.add(k, writable, len(k.sources.host_dirs) - 1)
    user = credentials.owner(k)
    root = Inode(S_IFDIR | 0o755, mount_id, user, user, inodes.now(k))
    root.source = ("host",)
    k.mounts[mount_id].root = _attach(k, guest, inodes.add(k, root))


def _attach(k: Kernel, guest: str, root: int) -> int:
    """Enters the mount's root at the guest path, in place of the directory that is there, if any."""
    names = [name for name in guest.encode("utf-8", "surrogateescape").split(b"/") if name not in (b"", b".")]
    if (
        not guest.startswith("/")
        or not names
        or names in ([b"bin"], [b"dev"])
        or names[0] == b"proc"
        or any(n == b".." or b"\0" in n or len(n) > NAME_MAX for n in names)
    ):
        raise MountError(
            f"can't mount at {guest!r}: not an absolute path below /, other than /bin, /dev and /proc, without `..`"
        )
    here = k.root_inode
    for name in names[:-1]:
        here = _directory_at(k, here, name, guest)
    if names[-1] in k.inodes.peek(here).entries:
        directory.unlink(k, here, names[-1])
    directory.link(k, here, names[-1], root)
    return root


def _directory_at(k: Kernel, parent: int, name: bytes, guest: str) -> int:
    found = directory.lookup(k, parent, name)
    if found is None and not k.inodes.peek(parent).source:
        found = inodes.add(k, Inode(S_IFDIR | 0o755, k.inodes.peek(parent).mount, now=inodes.now(k)))
        directory.link(k, parent, name, found)
    if found is None or not k.inodes.peek(found).is_directory():
        raise MountError(f"can't mount at {guest!r}: {name.decode('utf-8', 'replace')!r} on the way is no directory")
    return found


def host_dir(k: Kernel, inode: Inode) -> HostDir:
    """The host's side of the mount that the inode is on."""
    return k.sources.host_dirs[k.mounts.peek(inode.mount).host]


def parts_of(inode: Inode) -> Parts:
    """Where a file with a source lies below the mounted directory."""
    return tuple(part for part in inode.source[1:] if isinstance(part, bytes))


def read(k: Kernel, inode: Inode, offset: int, size: int) -> bytes:
    """Bytes of a host file, for the page cache. Raises EIO, EACCES, ENOENT."""
    parts = parts_of(inode)
    return _ask(lambda: host_dir(k, inode).read(parts, offset, size))


def lookup(k: Kernel, directory_id: int, name: bytes) -> int | None:
    """The inode of a name in a directory of the host, as it is now. Raises EIO, EACCES."""
    parent = k.inodes.peek(directory_id)
    entry = parent.entries.get(name)
    if entry and _is_our_own(k, parent, entry[0]):
        return entry[0]
    if name in parent.removed:
        return None
    parts = *parts_of(parent), name
    status = _status(k, parent, parts)
    if entry and (status is None or not _refresh(k, entry[0], status)):
        directory.forget(k, directory_id, name)
        entry = None
    if entry or status is None:
        return entry[0] if entry else None
    return _enter(k, directory_id, name, parts, status)


def _status(k: Kernel, parent: Inode, parts: Parts) -> HostStat | None:
    """What the host has there; None if it has nothing."""
    try:
        return _ask(lambda: host_dir(k, parent).stat(parts))
    except SysError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            raise
        return None


def complete(k: Kernel, directory_id: int) -> None:
    """Gives the directory an entry for every name the host has, so that it can be listed."""
    parent = k.inodes.peek(directory_id)
    parts = parts_of(parent)
    names = _ask(lambda: host_dir(k, parent).names(parts))
    for name in {**dict.fromkeys(names), **dict.fromkeys(parent.entries)}:
        try:
            lookup(k, directory_id, name)
        except SysError as error:
            if error.errno == errno.ENOSPC:
                raise  # the machine can't have more inodes


def _is_our_own(k: Kernel, parent: Inode, inode_id: int) -> bool:
    """Is it not the host's business: made or written in the machine, or another mount's root?"""
    inode = k.inodes.peek(inode_id)
    return not inode.source or inode.mount != parent.mount or changed(inode)


def changed(inode: Inode) -> bool:
    """Has a file of the host been written or cut in the machine?"""
    return inode.is_regular() and bool(inode.dirty or inode.size != inode.stamp[2] or inode.source_size < inode.size)


def _refresh(k: Kernel, inode_id: int, status: HostStat) -> bool:
    """Takes over what has changed on the host. False if it is another file now."""
    inode = k.inodes.peek(inode_id)
    if inode.stamp == status.stamp:
        return True
    if inode.mode & S_IFMT != status.mode & S_IFMT or inode.stamp[:2] != status.stamp[:2] or inode.is_symlink():
        return False
    inode = k.inodes[inode_id]
    if inode.is_regular():
        from kernel import vmas

        vmas.forget_file(k, inode_id, 0)
        k.page_cache.truncate(k, inode_id, 0)
        inode.size = inode.source_size = status.size
    inode.stamp = status.stamp
    return True


def _enter(k: Kernel, directory_id: int, name: bytes, parts: Parts, status: HostStat) -> int:
    """A new inode for a file of the host. Fifos, sockets and devices get one too, but can't be opened."""
    mount_id = k.inodes.peek(directory_id).mount
    user = credentials.owner(k)
    inode = Inode(status.mode & (S_IFMT | 0o777), mount_id, user, user, k.door.wall_clock)
    inode.source = ("host", *parts)
    inode.stamp = status.stamp
    if status.mode & S_IFMT == S_IFREG:
        inode.size = inode.source_size = status.size
    elif status.mode & S_IFMT == S_IFLNK:
        inode.target = _ask(lambda: host_dir(k, inode).readlink(parts))
    inode_id = inodes.add(k, inode)
    directory.link(k, directory_id, name, inode_id)
    return inode_id


def _ask(question: Callable[[], T]) -> T:
    """The host's answer; its errors become the machine's (their numbers differ between hosts)."""
    try:
        return question()
    except OSError as error:
        name = host_errno.errorcode.get(error.errno or 0, "EIO")
        raise SysError(getattr(errno, name, EIO)) from None
