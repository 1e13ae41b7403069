"""Directories: the names in them, and making and removing files. The checks are those of Linux's fs/namei.c.

A directory of a host mount knows only the names that somebody has asked for; host.py asks the host for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.credentials import CAP_FSETID
from kernel.errno import EBUSY, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, SysError
from kernel.fs import access, naming
from kernel.fs import inode as inodes
from kernel.fs.constants import S_IFDIR, S_IFMT, S_ISGID, S_IXGRP, W_OK, X_OK
from kernel.fs.inode import Inode
from kernel.fs.proc import numbers as proc

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel


class Entry(NamedTuple):
    """One name of a directory; `kind` is the type as in d_type (mode >> 12)."""

    cookie: int
    name: bytes
    inode: int
    kind: int


def lookup(k: Kernel, directory_id: int, name: bytes) -> int | None:
    """The inode called `name`, or None. Asks the host if the directory is one of its. Raises EIO, EACCES from there."""
    if directory_id >= proc.FIRST:
        from kernel.fs.proc import lookup

        return lookup.lookup(k, directory_id, name)
    directory = k.inodes.peek(directory_id)
    if directory.source:
        from kernel.fs import host

        return host.lookup(k, directory_id, name)
    entry = directory.entries.get(name)
    return entry[0] if entry else None


def create(k: Kernel, cred: Cred, parent_id: int, name: bytes, mode: int) -> int:
    """Makes a file of the type and permissions in `mode` (umask applied by the caller) and gives it a name.

    Raises EROFS, EACCES, ENOENT (the directory has been removed), ENOSPC.
    """
    require_new(k, cred, parent_id)
    inode_id = inodes.add(k, new_inode(k, cred, parent_id, mode))
    link(k, parent_id, name, inode_id)
    return inode_id


def require_new(k: Kernel, cred: Cred, parent_id: int) -> None:
    """May the caller make a name in the directory? Raises ENOENT (it has been removed), EROFS, EACCES."""
    parent = k.inodes.peek(parent_id)
    if not parent.nlink:
        raise SysError(ENOENT)
    access.require(k, cred, parent, W_OK | X_OK)


def new_inode(k: Kernel, cred: Cred, parent_id: int, mode: int) -> Inode:
    """Of the caller's, in a directory; one with the set-group-ID bit hands on its group. (inode_init_owner)"""
    parent, gid = k.inodes.peek(parent_id), cred.fsgid
    if parent.mode & S_ISGID:
        gid = parent.gid
        if mode & S_IFMT == S_IFDIR:
            mode |= S_ISGID
        elif mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP and not (cred.in_group(gid) or cred.can(CAP_FSETID)):
            mode &= ~S_ISGID
    return Inode(mode, parent.mount, cred.fsuid, gid, inodes.now(k))


def link(k: Kernel, parent_id: int, name: bytes, inode_id: int) -> None:
    """Enters a new inode under a name that is free, and tells it so."""
    enter(k, parent_id, name, inode_id)
    inode = k.inodes[inode_id]
    inode.parent = parent_id
    inode.name = name
    if inode.is_directory():
        inodes.hold(k, parent_id)  # `..` must lead somewhere as long as the directory exists, named or not


def add_name(k: Kernel, parent_id: int, name: bytes, inode_id: int) -> None:
    """link(2): one more name for a file, or the first one of a file that had none."""
    inode = k.inodes[inode_id]
    enter(k, parent_id, name, inode_id)
    inode.nlink += 1
    inode.changed = inodes.now(k)
    if inode.linkable:
        inode.linkable, inode.parent, inode.name = False, parent_id, name


def enter(k: Kernel, parent_id: int, name: bytes, inode_id: int) -> None:
    """A new entry of the directory."""
    parent = k.inodes[parent_id]
    parent.entries[name] = (inode_id, parent.next_cookie)
    parent.next_cookie += 1
    parent.modified = parent.changed = inodes.now(k)
    if k.inodes.peek(inode_id).is_directory():
        parent.nlink += 1


def leave(k: Kernel, parent_id: int, name: bytes) -> int:
    """The entry goes; returns the inode that it led to."""
    parent = k.inodes[parent_id]
    inode_id, _ = parent.entries.pop(name)
    parent.modified = parent.changed = inodes.now(k)
    if k.inodes.peek(inode_id).is_directory():
        parent.nlink -= 1
    return inode_id


def remove(k: Kernel, cred: Cred, parent_id: int, name: bytes, inode_id: int, directory: bool) -> None:
    """unlink(2), or rmdir(2) if `directory`. Raises EROFS, EACCES, EPERM, ENOTDIR, EISDIR, EBUSY, ENOTEMPTY."""
    require_removal(k, cred, parent_id, inode_id, directory)
    if directory:
        require_not_mounted(k, inode_id)
        require_empty(k, inode_id)
    forget_source(k, parent_id, name, inode_id)
    unlink(k, parent_id, name)


def require_removal(k: Kernel, cred: Cred, parent_id: int, inode_id: int, directory: bool) -> None:
    """May the caller take the file out of the directory? `directory`: is one asked for? (may_delete)"""
    parent, victim = k.inodes.peek(parent_id), k.inodes.peek(inode_id)
    if proc.is_immutable(parent_id):
        raise SysError(EPERM)
    access.require(k, cred, parent, W_OK | X_OK)
    access.require_removal(cred, parent, victim)
    if inode_id >= proc.FIRST:
        raise SysError(EPERM)
    if directory and not victim.is_directory():
        raise SysError(ENOTDIR)
    if not directory and victim.is_directory():
        raise SysError(EISDIR)


def forget_source(k: Kernel, parent_id: int, name: bytes, inode_id: int) -> None:
    """What the host has by that name is gone, as far as the machine is concerned."""
    victim = k.inodes.peek(inode_id)
    if victim.source:
        k.inodes[parent_id].removed[name] = dict(victim.removed) if victim.is_directory() else None


def unlink(k: Kernel, parent_id: int, name: bytes) -> None:
    """Takes the name away, without a check."""
    naming.left(k, k.inodes.peek(parent_id).entries[name][0], parent_id, name)
    inodes.unlinked(k, leave(k, parent_id, name))


def forget(k: Kernel, parent_id: int, name: bytes) -> None:
    """Takes away a name and everything below it: the host has it no longer."""
    todo = [(parent_id, name)]
    while todo:
        directory_id, last = todo[-1]
        child_id = k.inodes.peek(directory_id).entries[last][0]
        below = list(k.inodes.peek(child_id).entries)
        if below:
            todo += [(child_id, entry) for entry in below]
        else:
            unlink(k, *todo.pop())


def require_not_mounted(k: Kernel, inode_id: int) -> None:
    """Raises EBUSY if it is the root of a mount."""
    if any(k.mounts.peek(mount_id).root == inode_id for mount_id in k.mounts.ids()):
        raise SysError(EBUSY)


def require_empty(k: Kernel, inode_id: int) -> None:
    """Raises ENOTEMPTY."""
    if listing(k, inode_id, 0, 3)[2:]:
        raise SysError(ENOTEMPTY)


def listing(k: Kernel, directory_id: int, after: int, limit: int) -> list[Entry]:
    """Up to `limit` entries with a cookie greater than `after`: `.`, `..`, then in the order of their making."""
    if directory_id >= proc.FIRST:
        from kernel.fs.proc import lookup

        return lookup.listing(k, directory_id, after, limit)
    directory = k.inodes.peek(directory_id)
    if directory.source and not after:
        from kernel.fs import host

        host.complete(k, directory_id)
    entries = [Entry(1, b".", directory_id, S_IFDIR >> 12), Entry(2, b"..", directory.parent, S_IFDIR >> 12)]
    entries = entries[min(after, 2) : min(after, 2) + limit]
    for name, (inode_id, cookie) in directory.entries.items():
        if len(entries) >= limit:
            break
        if cookie > after:
            entries.append(Entry(cookie, name, inode_id, (k.inodes.peek(inode_id).mode & S_IFMT) >> 12))
    return entries
