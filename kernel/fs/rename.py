"""rename(2): a name becomes another, in one step. The checks and their order are those of Linux's fs/namei.c.

A file of the host stays where it is: EXDEV, on which mv copies it, as it does on an overlay file system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EBUSY, EEXIST, EINVAL, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV, SysError
from kernel.fs import access, directory, path
from kernel.fs import inode as inodes
from kernel.fs.constants import RENAME_EXCHANGE, RENAME_NOREPLACE, W_OK

if TYPE_CHECKING:
    from kernel.fs.path import Place
    from kernel.kernel import Kernel
    from kernel.task import Task


def rename(k: Kernel, t: Task, old: Place, new: Place, flags: int) -> None:
    """`old` and `new` were walked to without looking. Raises every error of rename(2) but those of the walk."""
    if k.inodes.peek(old.parent).mount != k.inodes.peek(new.parent).mount:
        raise SysError(EXDEV)
    if not old.name:
        raise SysError(EBUSY)
    if not new.name:
        raise SysError(EEXIST if flags & RENAME_NOREPLACE else EBUSY)
    if access.read_only(k, k.inodes.peek(old.parent)):
        raise SysError(EROFS)
    source, target = _look(k, t, old, new, flags)
    _check_loops(k, old, new, source, target, flags)
    if source == target:
        return
    _check_permissions(k, t, old, new, source, target, flags)
    _check_mounts(k, source, target)
    if target is not None and flags & RENAME_EXCHANGE:
        _exchange(k, old, new, source, target)
    else:
        _replace(k, old, new, source, target)


def _look(k: Kernel, t: Task, old: Place, new: Place, flags: int) -> tuple[int, int | None]:
    """What is at both places."""
    source = path.look(k, t, old)
    if source is None:
        raise SysError(ENOENT)
    target = path.look(k, t, new)
    if flags & RENAME_NOREPLACE and target is not None:
        raise SysError(EEXIST)
    swap = bool(flags & RENAME_EXCHANGE)
    if swap:
        if target is None:
            raise SysError(ENOENT)
        if new.slash and not k.inodes.peek(target).is_directory():
            raise SysError(ENOTDIR)
    if not k.inodes.peek(source).is_directory() and (old.slash or (new.slash and not swap)):
        raise SysError(ENOTDIR)
    return source, target


def _check_loops(k: Kernel, old: Place, new: Place, source: int, target: int | None, flags: int) -> None:
    """A directory can't go below itself, nor take the place of one above it."""
    if source in _above(k, new.parent):
        raise SysError(EINVAL)
    if target is not None and target in _above(k, old.parent):
        raise SysError(EINVAL if flags & RENAME_EXCHANGE else ENOTEMPTY)


def _above(k: Kernel, inode_id: int) -> list[int]:
    """The directory and those around it, up to the root."""
    found = [inode_id]
    while inode_id != k.root_inode:
        inode_id = k.inodes.peek(inode_id).parent
        found.append(inode_id)
    return found


def _check_permissions(k: Kernel, t: Task, old: Place, new: Place, source: int, target: int | None, flags: int) -> None:
    is_directory = k.inodes.peek(source).is_directory()
    _check_removal(k, t, old.parent, source, is_directory)
    if target is None:
        directory.require_new(k, t.cred, new.parent)
    else:
        swap = flags & RENAME_EXCHANGE
        _check_removal(k, t, new.parent, target, k.inodes.peek(target).is_directory() if swap else is_directory)
    if old.parent != new.parent:  # `..` of a directory that moves changes
        for moved in (source, target if flags & RENAME_EXCHANGE else None):
            if moved is not None and k.inodes.peek(moved).is_directory():
                access.require(k, t.cred, k.inodes.peek(moved), W_OK)


def _check_removal(k: Kernel, t: Task, parent: int, inode_id: int, is_directory: bool) -> None:
    directory.require_removal(k, t.cred, parent, inode_id, is_directory)
    if not k.inodes.peek(parent).nlink:
        raise SysError(ENOENT)


def _check_mounts(k: Kernel, source: int, target: int | None) -> None:
    for inode_id in (source, target):
        if inode_id is not None:
            directory.require_not_mounted(k, inode_id)


def _replace(k: Kernel, old: Place, new: Place, source: int, target: int | None) -> None:
    if target is not None and k.inodes.peek(target).is_directory():
        directory.require_empty(k, target)
    if k.inodes.peek(source).source:
        raise SysError(EXDEV)
    if target is not None:
        directory.forget_source(k, new.parent, new.name, target)
        directory.unlink(k, new.parent, new.name)
    directory.leave(k, old.parent, old.name)
    _settle(k, old, new, source)


def _exchange(k: Kernel, old: Place, new: Place, source: int, target: int) -> None:
    if k.inodes.peek(source).source or k.inodes.peek(target).source:
        raise SysError(EXDEV)
    directory.leave(k, old.parent, old.name)
    directory.leave(k, new.parent, new.name)
    _settle(k, new, old, target)
    _settle(k, old, new, source)


def _settle(k: Kernel, old: Place, new: Place, inode_id: int) -> None:
    """The inode, whose old entry is gone, is entered at the new place."""
    directory.enter(k, new.parent, new.name, inode_id)
    inode = k.inodes[inode_id]
    inode.changed = inodes.now(k)
    if (inode.parent, inode.name) == (old.parent, old.name):
        inode.parent, inode.name = new.parent, new.name
    if inode.is_directory() and old.parent != new.parent:
        inodes.hold(k, new.parent)
        inodes.release(k, old.parent)
