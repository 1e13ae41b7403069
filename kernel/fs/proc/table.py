"""The table of inodes, which also has those that nobody stores: an inode of /proc is made each time it is looked at.

What is made is a description for reading. Nobody counts who holds it (inode.hold does nothing for it), and writing to
its fields would change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.fs.inode import Inode
from kernel.fs.proc.numbers import FIRST
from kernel.table import Table

if TYPE_CHECKING:
    from kernel.kernel import Kernel


class _Rows(dict[int, Inode]):
    """Inodes by id; `d[id]` makes those of /proc. What `in` finds, and what can be listed, are the stored ones."""

    __slots__ = ("k",)

    def __init__(self, k: Kernel, rows: dict[int, Inode]) -> None:
        super().__init__(rows)
        self.k = k

    def __missing__(self, inode_id: int) -> Inode:
        if inode_id < FIRST:
            raise KeyError(inode_id)
        from kernel.fs.proc import inodes

        return inodes.make(self.k, inode_id)


class InodeTable(Table[Inode]):
    """As Table; the inodes of /proc are in no snapshot."""

    __slots__ = ("_k",)

    def __init__(self, k: Kernel) -> None:
        super().__init__(Inode)
        self._k = k
        self._rows = _Rows(k, {})

    def __getitem__(self, row_id: int) -> Inode:
        if row_id < FIRST:
            self._touched[row_id] = None
        return self._rows[row_id]

    def restore(self, data: tuple[int, dict[int, tuple[Any, ...]]]) -> None:
        """As Table.restore."""
        super().restore(data)
        self._rows = _Rows(self._k, self._rows)
