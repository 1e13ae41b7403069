"""The programs of /bin: known by name from the start, made when somebody first looks at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import EIO, SysError
from kernel.fs import directory
from kernel.fs import inode as inodes
from kernel.fs.constants import NAME_MAX, S_IFREG
from kernel.fs.inode import Inode

if TYPE_CHECKING:
    from kernel.kernel import Kernel

STDERR = 2


def populate(k: Kernel, directory_id: int) -> None:
    """Gives the directory one name for each program of the provider. Names that no file can have are left out."""
    mount = k.inodes.peek(directory_id).mount
    for name in sorted(k.sources.programs.names()):
        encoded = name.encode("utf-8", "surrogateescape")
        if encoded in (b"", b".", b"..") or b"/" in encoded or b"\0" in encoded or len(encoded) > NAME_MAX:
            continue
        inode = Inode(S_IFREG | 0o755, mount, now=inodes.now(k))
        inode.source = ("program", name)
        inode.fetched = False
        directory.link(k, directory_id, encoded, inodes.add(k, inode))


def fetch(k: Kernel, inode_id: int) -> None:
    """Has the program made, so that its size is known. Raises EIO if the provider can't."""
    inode = k.inodes[inode_id]
    inode.size = inode.source_size = len(_content(k, inode))
    inode.fetched = True


def read(k: Kernel, inode: Inode, offset: int, size: int) -> bytes:
    """Bytes of the program's executable, for the page cache. Raises EIO."""
    return _content(k, inode)[offset : offset + size]


def _content(k: Kernel, inode: Inode) -> bytes:
    name = str(inode.source[1])
    content = k.sources.loaded.get(name)
    if content is None:
        try:
            content = k.sources.programs.load(name)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong outside, inside it is a file that can't be read
            _tell(k, f"/bin/{name} can't be made: {error}")
            raise SysError(EIO) from None
        k.sources.loaded[name] = content
    return content


def _tell(k: Kernel, message: str) -> None:
    """A message of the machine's own, between what the programs write to standard error."""
    lines = "".join(f"forkyard: {line}\n" for line in message.splitlines())
    k.door.write(STDERR, lines.encode("utf-8", "replace"))
