"""The symbolic links of /proc: what readlink(2) says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.fs.proc.tree import ENTRIES

if TYPE_CHECKING:
    from kernel.fs.proc.numbers import Node
    from kernel.kernel import Kernel


def text(k: Kernel, node: Node) -> bytes:
    """The link's text, for the task on the hart. b"" if there is nothing to lead to."""
    name = ENTRIES[node.kind].name
    if name in (b"self", b"thread-self"):
        return _own(k, name)
    return b""


def _own(k: Kernel, name: bytes) -> bytes:
    """Who asks: the process, or the thread."""
    if k.current not in k.tasks:
        return b""
    task = k.tasks.peek(k.current)
    return b"%d" % task.tgid if name == b"self" else b"%d/task/%d" % (task.tgid, task.tid)
