"""fork's address space: a second one with the same contents, its pages given to it by one of three policies.

    shared-tables   the default: page tables are shared, too, and copied when something below changes (fork_tables.py)
    cow             every page table entry is copied, no page: a page is copied when it is first written (cow.py)
    eager           every page that can be written is copied at once, as Unix did before it had an MMU (fork_eager.py)

A policy is one function: it gives the child the parent's pages, except those of the areas in cow.NOT_COPIED, and
returns how many the child has then; with OutOfMemory what it has given is in the child's tables, from where it is taken
back. The two can't be told apart by a program: only by what they cost, and when.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from kernel import mm as address_space
from kernel.fs import api as fs
from kernel.mm import DONT_FORK, LOCKED

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm

Policy = Callable[["Kernel", "Mm", "Mm"], int]
#: Config.fork → (module, function). A policy that isn't used isn't imported.
POLICIES = {
    "cow": ("kernel.cow", "share_pages"),
    "shared-tables": ("kernel.fork_tables", "share_tables"),
    "eager": ("kernel.fork_eager", "copy_pages"),
}
_loaded: dict[str, Policy] = {}


def fork(k: Kernel, parent: Mm) -> tuple[int, int]:
    """A second address space with the same contents: (its id, the pages that it has).

    Raises OutOfMemory with every frame of the unfinished child given back; the parent can go on as before.
    """
    before = k.stats.enter("fork")
    try:
        child_id = address_space.create(k)
        child = k.mms[child_id]
        try:
            given = policy(k.config.fork)(k, parent, child)
        except BaseException:
            address_space.destroy(k, child_id)
            raise
        finally:
            if k.config.fork != "eager":  # which takes no rights from the parent
                address_space.flush(k, parent)
    finally:
        k.stats.enter(before)
    _copy_description(k, parent, child)
    child.resident = child.max_resident = given
    return child_id, given


def policy(name: str) -> Policy:
    """The function of a policy, imported when it is first needed."""
    found = _loaded.get(name)
    if found is None:
        module, function = POLICIES[name]
        found = _loaded[name] = getattr(import_module(module), function)
    return found


def _copy_description(k: Kernel, parent: Mm, child: Mm) -> None:
    child.vmas = [vma._replace(flags=vma.flags & ~LOCKED) for vma in parent.vmas if not vma.flags & DONT_FORK]
    for vma in child.vmas:
        if vma.inode:
            fs.hold_inode(k, vma.inode)
    if parent.exe:
        fs.hold_inode(k, parent.exe)
    child.start_brk, child.brk, child.mmap_top = parent.start_brk, parent.brk, parent.mmap_top
    child.start_stack = parent.start_stack
    child.arg_start, child.arg_end, child.env_end = parent.arg_start, parent.arg_end, parent.env_end
    child.exe, child.exe_path, child.dumpable = parent.exe, parent.exe_path, parent.dumpable
