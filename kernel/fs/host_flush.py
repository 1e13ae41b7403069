"""Carrying what programs wrote to a `rw` mount out to the host, once, at the end of a live run.

What the overlay holds is compared with the host as it was seen: names removed first, then files made and written.
A file is written in place, and only where the machine wrote to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.errno import SysError
from kernel.fs import host
from kernel.fs.constants import PAGE
from kernel.fs.host_dir import HostDir, Parts

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel


def flush(k: Kernel, mount_id: int) -> list[str]:
    """Writes one mount out; returns one message for each file that could not be."""
    mount = k.mounts.peek(mount_id)
    out = _Flush(k, mount_id, k.sources.host_dirs[mount.host])
    todo: list[tuple[int, Parts]] = [(mount.root, ())]
    while todo:
        directory_id, parts = todo.pop()
        todo += out.directory(directory_id, parts)
    return out.messages


class _Flush:
    def __init__(self, k: Kernel, mount_id: int, target: HostDir) -> None:
        self.k = k
        self.mount_id = mount_id
        self.target = target
        self.messages: list[str] = []

    def directory(self, directory_id: int, parts: Parts) -> list[tuple[int, Parts]]:
        """Brings one directory up to date; returns those in it that are to follow."""
        inode = self.k.inodes.peek(directory_id)
        if not inode.source and not self._try(parts, self.target.mkdir, parts, inode.mode & 0o777):
            return []
        for name, below in inode.removed.items():
            self._remove((*parts, name), below)
        deeper = []
        for name, (child_id, _) in inode.entries.items():
            child = self.k.inodes.peek(child_id)
            if child.mount != self.mount_id:
                continue
            if child.is_directory():
                deeper.append((child_id, (*parts, name)))
            elif child.is_symlink() and not child.source:
                self._try((*parts, name), self.target.symlink, child.target, (*parts, name))
            elif child.is_regular() and (not child.source or host.changed(child)):
                self._try((*parts, name), self._write, child_id, child, (*parts, name))
        return deeper

    def _remove(self, parts: Parts, below: dict[bytes, Any] | None) -> None:
        for name, deeper in (below or {}).items():
            self._remove((*parts, name), deeper)
        self._try(parts, self.target.remove, parts, below is not None)

    def _write(self, inode_id: int, inode: Inode, parts: Parts) -> None:
        if inode.source:
            self.target.truncate(parts, inode.source_size)
        else:
            self.target.create(parts, inode.mode & 0o777)
        for index in sorted(inode.dirty):
            size = min(PAGE, inode.size - index * PAGE)
            if size > 0:
                self.target.write(parts, index * PAGE, self.k.page_cache.read(self.k, inode_id, index * PAGE, size))
        self.target.truncate(parts, inode.size)

    def _try(self, parts: Parts, action: Any, *arguments: Any) -> bool:
        try:
            action(*arguments)
        except (OSError, SysError) as error:
            name = b"/".join(parts).decode("utf-8", "replace")
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.messages.append(f"{name!r} in the mounted {self.target.path!r} could not be written: {reason}")
            return False
        return True
