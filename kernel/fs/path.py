"""The walk from a path to an inode: path_resolution(7).

`walk` goes along a path and stops before the last component, because what becomes of that differs: open may create it,
unlink removes it, stat looks at it. The Place it returns says where that is; `resolve` is a walk to the end.

There is one tree. The root directory is its own parent, and a mount's root has the directory around it as parent: so
neither `..` nor a symbolic link leads out of it, whatever the host's files look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, SysError
from kernel.fs import access, directory
from kernel.fs.constants import AT_FDCWD, NAME_MAX, PATH_MAX, SYMLINK_DEPTH, X_OK
from kernel.fs.fdtable import file_id
from kernel.fs.proc import numbers as proc

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel
    from kernel.task import Task


class Place:
    """Where a walk ended: `name` in directory `parent` is `inode` (None: there is no such file yet).

    `name` is b"" for a path that ends in `.`, `..` or is `/`: then `inode` is set and `last` is that component.
    `slash` says that slashes follow the name, so that it must be a directory.
    """

    __slots__ = ("parent", "name", "inode", "slash", "last")

    def __init__(self, parent: int, name: bytes, inode: int | None, slash: bool, last: bytes) -> None:
        self.parent = parent
        self.name = name
        self.inode = inode
        self.slash = slash
        self.last = last


def start(k: Kernel, t: Task, path: bytes, dirfd: int) -> int:
    """The directory a walk sets out from. Raises EBADF, ENOTDIR for a relative path with a bad `dirfd`."""
    if path.startswith(b"/"):
        return k.fs_structs.peek(t.fs).root
    if dirfd == AT_FDCWD:
        return k.fs_structs.peek(t.fs).cwd
    if dirfd < 0:
        raise SysError(EBADF)
    inode_id = k.files.peek(file_id(k.fdtables.peek(t.fdtable), dirfd)).inode
    if not k.inodes.peek(inode_id).is_directory():
        raise SysError(ENOTDIR)
    return inode_id


def walk(
    k: Kernel,
    t: Task,
    path: bytes,
    dirfd: int = AT_FDCWD,
    follow: bool = True,
    follow_slashed: bool = True,
    look: bool = True,
) -> Place:
    """Follows `path`, and a symbolic link at its end if `follow`, or `follow_slashed` where slashes stand behind it.

    Without `look` it stops before the last component is looked up: `look()` does that.

    The components of a link's target take the link's place among those that are still to be walked. (A hot path.)
    Raises ENOENT (an empty path, a missing directory), ENAMETOOLONG, ENOTDIR, EACCES, ELOOP, EBADF.
    """
    _check_length(path)
    here = start(k, t, path, dirfd)
    rest = _components(path)
    slash = path.endswith(b"/")
    links = 0
    while True:
        name = rest.pop() if rest else b""
        if not look and not rest:
            if name:
                _require_search(k, t.cred, here)
            return _place(here, name, None, slash)
        child = _step(k, t, here, name)
        target = _target(k, child)
        if target is not None and (rest or (follow_slashed if slash else follow)):
            links += 1
            if links > SYMLINK_DEPTH:
                raise SysError(ELOOP)
            magic = _magic(k, t, child)
            if magic is not None and not rest:
                return Place(here, b"", magic, slash, name)
            if magic is not None:
                here = magic
                continue
            _check_length(target)
            here = k.fs_structs.peek(t.fs).root if target.startswith(b"/") else here
            slash = slash or (not rest and target.endswith(b"/"))
            rest += _components(target)
        elif rest:
            here = _enter(child)
        else:
            return _place(here, name, child, slash)


def _place(here: int, name: bytes, child: int | None, slash: bool) -> Place:
    return Place(here, name if name not in (b"", b".", b"..") else b"", child, slash, name)


def look(k: Kernel, t: Task, place: Place) -> int | None:
    """What is at a place that a walk without `look` has found. Raises ENAMETOOLONG, EIO, EACCES."""
    place.inode = _step(k, t, place.parent, place.last)
    return place.inode


def resolve(k: Kernel, t: Task, path: bytes, dirfd: int = AT_FDCWD, follow: bool = True) -> int:
    """The inode that a path leads to. Raises what walk() does, ENOENT, and ENOTDIR for `file/`."""
    place = walk(k, t, path, dirfd, follow)
    if place.inode is None:
        raise SysError(ENOENT)
    if place.slash and not k.inodes.peek(place.inode).is_directory():
        raise SysError(ENOTDIR)
    return place.inode


def path_of(k: Kernel, inode_id: int, root: int | None = None) -> bytes:
    """The path of a directory below `root` (None: the machine's), as getcwd(2) gives it.

    One that isn't below it is shown from the machine's root, behind "(unreachable)". Raises ENOENT if it was removed.
    """
    root = k.root_inode if root is None else root
    names: list[bytes] = []
    while inode_id != root:
        if inode_id == k.root_inode:
            return b"(unreachable)/" + b"/".join(reversed(names))
        inode = k.inodes.peek(inode_id)
        if not inode.nlink:
            raise SysError(ENOENT)
        names.append(inode.name)
        inode_id = inode.parent
    return b"/" + b"/".join(reversed(names))


def _check_length(path: bytes) -> None:
    if not path:
        raise SysError(ENOENT)
    if len(path) >= PATH_MAX:
        raise SysError(ENAMETOOLONG)


def _components(path: bytes) -> list[bytes]:
    """The components of a path, the next one last (a stack)."""
    names = [name for name in path.split(b"/") if name]
    names.reverse()
    return names


def _step(k: Kernel, t: Task, here: int, name: bytes) -> int | None:
    """One component on. Raises ENOTDIR, EACCES (no search permission), ENAMETOOLONG."""
    if not name:
        return here
    _require_search(k, t.cred, here)
    if name == b".":
        return here
    if name == b"..":
        return here if here == k.fs_structs.peek(t.fs).root else k.inodes.peek(here).parent
    if len(name) > NAME_MAX:
        raise SysError(ENAMETOOLONG)
    return directory.lookup(k, here, name)


def _require_search(k: Kernel, cred: Cred, here: int) -> None:
    inode = k.inodes.peek(here)
    if not inode.is_directory():
        raise SysError(ENOTDIR)
    access.require(k, cred, inode, X_OK)
    if here >= proc.FIRST:
        from kernel.fs.proc import lookup

        lookup.enter(k, here)


def _target(k: Kernel, inode_id: int | None) -> bytes | None:
    if inode_id is None:
        return None
    inode = k.inodes.peek(inode_id)
    return inode.target if inode.is_symlink() else None


def _enter(child: int | None) -> int:
    if child is None:
        raise SysError(ENOENT)
    return child


def _magic(k: Kernel, t: Task, inode_id: int | None) -> int | None:
    """Where a link of /proc leads by itself, whatever its text says; None for any other link. Raises ENOENT, EACCES."""
    if inode_id is None or inode_id < proc.FIRST:
        return None
    from kernel.fs.proc import links

    return links.follow(k, t, inode_id)
