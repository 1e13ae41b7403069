"""The checker: does everything the kernel believes about itself agree with everything else? Used after every test.

It counts anew, from the page tables, the page cache and the pipes, how many holders each frame has; and looks that
pids, queues, parents and children tell one story. It changes nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kernel import check_signals, pagetable
from kernel.fs import api as fs
from kernel.mm import NEVER_WRITABLE, PROT_WRITE, SHARED, TASK_SIZE, find, rights
from kernel.task import RUNNING, SLEEPING
from vm.mmu import PTE_R, PTE_RESERVED, PTE_U, PTE_V, PTE_W, PTE_X
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm import Mm, Vma
    from kernel.task import ThreadGroup


class CheckError(AssertionError):
    """Something doesn't agree. The message has one line for each finding."""


# Tables that are empty when nobody is left.
_EMPTY_AT_END = (
    *("tasks", "groups", "pgroups", "sessions", "pid_refs"),
    *("mms", "fs_structs", "sighands", "fdtables", "files"),
)


def check(k: Kernel) -> None:
    """Raises CheckError with all that is wrong."""
    found = [
        *_frames(k),
        *_spaces(k),
        *_pids(k),
        *_family(k),
        *_process_groups(k),
        *_queues(k),
        *check_signals.findings(k),
        *_users(k),
        *fs.findings(k),
    ]
    if found:
        raise CheckError("\n".join(found))


def check_end(k: Kernel) -> None:
    """The machine has ended: nobody is left, and only cached file pages hold memory. Raises CheckError."""
    check(k)
    counts = [(name, len(getattr(k, name))) for name in _EMPTY_AT_END]
    found = [f"{number} {name} are left at the end" for name, number in counts if number]
    cached = len(k.page_cache.frames())
    if k.frames.used != cached:
        found.append(f"{k.frames.used} frames are in use at the end, but {cached} are in the page cache")
    if k.pids.holds():
        found.append(f"pids are taken at the end: {k.pids.holds()}")
    if found:
        raise CheckError("\n".join(found))


def holders(k: Kernel) -> Counter[int]:
    """ppn → holders, counted from the page tables (a shared one once), the page cache and the pipes."""
    counts: Counter[int] = Counter()
    for mm_id in k.mms.ids():
        _hold_tree(k, k.mms.peek(mm_id).root, 2, counts)
    counts.update(ppn for _, _, ppn in k.page_cache.frames())
    counts.update(fs.frames_in_use(k))
    return counts


def _hold_tree(k: Kernel, table: int, level: int, counts: Counter[int]) -> None:
    """One more entry names the table. What it names itself is counted when that is seen for the first time."""
    counts[table] += 1
    if counts[table] > 1:
        return
    for _, entry in pagetable.present(k, table):
        if level:
            _hold_tree(k, entry >> 10, level - 1, counts)
        else:
            counts[entry >> 10] += 1


def _frames(k: Kernel) -> list[str]:
    expected, found = holders(k), []
    in_use = k.frames.in_use()
    for ppn in sorted({*in_use, *expected}):
        if k.frames.count(ppn) != expected[ppn]:
            found.append(f"frame {ppn:#x} has count {k.frames.count(ppn)}, but {expected[ppn]} holders")
    if k.frames.used != len(in_use):
        found.append(f"{k.frames.used} frames are said to be in use, but {len(in_use)} have a holder")
    return found


def _spaces(k: Kernel) -> list[str]:
    """Every mapping lies in a VMA that allows it; a frame that can be written has one holder, on an unshared path."""
    found = []
    for mm_id in k.mms.ids():
        mm, mapped = k.mms.peek(mm_id), 0
        for base, table in pagetable.leaf_tables(k, mm.root):
            shared = any(k.frames.count(ppn) > 1 for ppn in pagetable.path(k, mm.root, base))
            for index, entry in pagetable.present(k, table):
                mapped += 1
                va = base + index * PAGE
                wrong = _mapping(k, mm, va, entry) or (_sharing(k, mm, va) if shared else "")
                if wrong:
                    found.append(f"mm {mm_id}, page {va:#x}, entry {entry:#x}: {wrong}")
        found += [f"mm {mm_id}: {wrong}" for wrong in _tables(k, mm.root)]
        if mapped != mm.resident:
            found.append(f"mm {mm_id} has {mapped} pages mapped, but says {mm.resident}")
        if any(a.end > b.start for a, b in zip(mm.vmas, mm.vmas[1:], strict=False)):
            found.append(f"mm {mm_id} has VMAs that overlap or are out of order")
        found += [f"mm {mm_id}: {wrong}" for vma in mm.vmas for wrong in _vma(k, vma)]
    return found


def _vma(k: Kernel, vma: Vma) -> list[str]:
    """An area has whole pages, and an object behind it if it is shared."""
    found = []
    if vma.start % PAGE or vma.end % PAGE or vma.offset % PAGE or not vma.start < vma.end <= TASK_SIZE:
        found.append(f"the VMA {vma} has no whole pages")
    if vma.inode and vma.inode not in k.inodes:
        found.append(f"the VMA {vma} maps an inode that is gone")
    if vma.flags & SHARED and not vma.inode:
        found.append(f"the VMA {vma} is shared, but nothing is there to share")
    if vma.flags & NEVER_WRITABLE and vma.prot & PROT_WRITE:
        found.append(f"the VMA {vma} can be written, but its file was opened for reading")
    return found


def _mapping(k: Kernel, mm: Mm, va: int, entry: int) -> str:
    vma = find(mm, va)
    if vma is None:
        return "no VMA is there"
    if not entry & PTE_U or entry & PTE_RESERVED:
        return "it is no user page"
    if entry & (PTE_V | PTE_R | PTE_X) != rights(vma.prot) or (entry & PTE_W and not vma.prot & PROT_WRITE):
        return "its rights are not the VMA's"
    if vma.flags & SHARED:
        index = (va - vma.start + vma.offset) // PAGE
        return (
            ""
            if entry >> 10 == k.page_cache.present(vma.inode, index)
            else "it is shared, but its frame is not the page cache's"
        )
    if entry & PTE_W and k.frames.count(entry >> 10) != 1:
        return "it can be written, but its frame has other holders"
    return ""


def _sharing(k: Kernel, mm: Mm, va: int) -> str:
    """What two address spaces come to through one table must be the same to both: no right to write, no shared area."""
    vma = find(mm, va)
    if vma is not None and vma.flags & SHARED:
        return "it is shared memory, but in a table that is shared"
    if pagetable.reached(k, mm.root, va) & PTE_W:
        return "it can be written, but its table is shared"
    return ""


def _tables(k: Kernel, root: int) -> list[str]:
    """Entries for tables are open or closed, and nothing else; those of a root are open."""
    found = []
    for high, upper in pagetable.present(k, root):
        if upper & 0x3FF != PTE_V:
            found.append(f"entry {upper:#x} for the upper table at {high << 30:#x} is no table's")
        for low, entry in pagetable.present(k, upper >> 10):
            if entry & 0x3FF not in (PTE_V, pagetable.PTE_CLOSED):
                found.append(f"entry {entry:#x} for the leaf table at {high << 30 | low << 21:#x} is no table's")
    return found


def _pids(k: Kernel) -> list[str]:
    expected: Counter[int] = Counter(k.tasks.ids())
    for tgid in k.groups.ids():
        group = k.groups.peek(tgid)
        expected.update((tgid, group.pgid, group.sid))
    expected.update(pid for pid in fs.pids_of_terminals(k) if pid)
    actual = k.pids.holds()
    both = sorted({*actual, *expected})
    return [
        f"pid {pid} has {actual.get(pid, 0)} holds, but {expected[pid]} go by it"
        for pid in both
        if actual.get(pid, 0) != expected[pid]
    ]


def _family(k: Kernel) -> list[str]:
    """Parents and children know each other, a zombie can be reaped, and the living have tasks."""
    found = []
    for tgid in k.groups.ids():
        group = k.groups.peek(tgid)
        if group.tgid != tgid:
            found.append(f"process {group.tgid} is in the table as {tgid}")
        if group.zombie == bool(group.threads):
            found.append(f"process {tgid} is {'a zombie with' if group.zombie else 'alive without'} tasks")
        found += [f"thread {tid} of {tgid} is no task" for tid in group.threads if tid not in k.tasks]
        owners = {tid: _tgid(k, tid) for tid in group.threads if tid in k.tasks}
        found += [f"thread {tid} of {tgid} belongs to {owner}" for tid, owner in owners.items() if owner != tgid]
        if group.parent:
            found += _parent(k, tgid, group.parent)
        elif tgid != 1:
            found.append(f"process {tgid} has no parent")
        found += _children(k, group)
    zombies = sum(k.groups.peek(tgid).zombie for tgid in k.groups.ids())
    if zombies != k.zombies:
        found.append(f"there are {zombies} zombies, but {k.zombies} are counted")
    return found + _strays(k)


def _strays(k: Kernel) -> list[str]:
    """Every task is among the threads of its process."""
    found = []
    for tid in k.tasks.ids():
        tgid = _tgid(k, tid)
        if tgid not in k.groups or tid not in k.groups.peek(tgid).threads:
            found.append(f"task {tid} isn't among the threads of {tgid}")
    return found


def _tgid(k: Kernel, tid: int) -> int:
    return k.tasks.peek(tid).tgid


def _parent(k: Kernel, tgid: int, parent: int) -> list[str]:
    if parent not in k.groups or k.groups.peek(parent).zombie:
        return [f"the parent {parent} of process {tgid} is gone"]
    group, above = k.groups.peek(tgid), k.groups.peek(parent)
    if group.forker not in above.threads or group.forker not in k.tasks:
        return [f"process {tgid} is a child of thread {group.forker} of {parent}, which is gone"]
    found, thread = [], k.tasks.peek(group.forker)
    if tgid not in above.children or tgid not in thread.children:
        found.append(f"process {tgid} isn't among the children of its parent {parent}")
    tells = group.zombie or group.report is not None
    if tells != ((group.join, tgid) in thread.ready):
        found.append(f"process {tgid} has {'' if tells else 'nothing '}to be waited for, but its parent doesn't know")
    return found


def _children(k: Kernel, group: ThreadGroup) -> list[str]:
    """What a process and its threads list as children are such, in the order of their joining."""
    found = []
    for tgid in group.children:
        if tgid not in k.groups or k.groups.peek(tgid).parent != group.tgid:
            found.append(f"{tgid} is no child of {group.tgid}, which says so")
    for tid in group.threads:
        thread = k.tasks.peek(tid)
        if any(tgid not in group.children or k.groups.peek(tgid).forker != tid for tgid in thread.children):
            found.append(f"thread {tid} has children that aren't its own: {list(thread.children)}")
        if sorted(thread.ready) != thread.ready or any(tgid not in thread.children for _, tgid in thread.ready):
            found.append(f"thread {tid} has {thread.ready} to wait for")
    return found


def _process_groups(k: Kernel) -> list[str]:
    """The indexes of process groups and sessions say what the processes say."""
    members: dict[int, dict[int, None]] = {}
    stopped: Counter[int] = Counter()
    sessions: dict[int, set[int]] = {}
    found = []
    for tgid in k.groups.ids():
        group = k.groups.peek(tgid)
        members.setdefault(group.pgid, {})[tgid] = None
        stopped[group.pgid] += bool(group.stopped)
        sessions.setdefault(group.sid, set()).add(group.pgid)
    for pgid in sorted({*members, *k.pgroups.ids()}):
        row = k.pgroups.peek(pgid) if pgid in k.pgroups else None
        if row is None or row.members != members.get(pgid) or row.stopped != stopped[pgid]:
            found.append(f"process group {pgid} has {list(members.get(pgid, ()))}, its row says otherwise")
        elif any(k.groups.peek(tgid).sid != row.sid for tgid in row.members):
            found.append(f"process group {pgid} isn't in one session, {row.sid}")
    if {sid: set(k.sessions.peek(sid).groups) for sid in k.sessions.ids()} != sessions:
        found.append(f"the sessions are {sessions}, but their rows say otherwise")
    return found


def _queues(k: Kernel) -> list[str]:
    """Who is RUNNING stands in the run queue once, or has the hart; who is SLEEPING waits for something."""
    places = Counter(k.run_queue)
    if k.current:
        places[k.current] += 1
    waiting = {key: k.wait_queues.waiting(key) for key in k.wait_queues.awaited()}
    found = [f"task {tid} is gone, but in the run queue" for tid in sorted(places) if tid not in k.tasks]
    for tid in k.tasks.ids():
        t = k.tasks.peek(tid)
        if places[tid] != (t.state == RUNNING):
            found.append(f"task {tid} is {t.state}, and {places[tid]} times where running ones are")
        keys = t.pending.keys if t.state == SLEEPING and t.pending is not None else ()
        if t.pending is not None and keys and keys[0][0].startswith("futex") and not t.pending.progress:
            found.append(f"task {tid} was woken from {keys[0]}, but sleeps on")
        on = tuple(key for key, tids in waiting.items() if tid in tids)
        if sorted(keys, key=repr) != sorted(on, key=repr):
            found.append(f"task {tid} ({t.state}) waits on {on}, but its system call on {keys}")
    queued = {tid for tids in waiting.values() for tid in tids}
    return found + [f"task {tid} is gone, but in a wait queue" for tid in sorted(queued) if tid not in k.tasks]


def _users(k: Kernel) -> list[str]:
    """Address spaces and fs_structs have as many users as tasks point to them."""
    tasks = [k.tasks.peek(tid) for tid in k.tasks.ids()]
    found = []
    for name, table, users in (
        ("mm", k.mms, Counter(t.mm for t in tasks)),
        ("fs_struct", k.fs_structs, Counter(t.fs for t in tasks)),
        ("sighand", k.sighands, Counter(t.sighand for t in tasks)),
    ):
        for row in table.ids():
            if table.peek(row).users != users[row]:
                found.append(f"{name} {row} says {table.peek(row).users} users, but {users[row]} tasks have it")
    owners = Counter(t.cred.uid for t in tasks if t.tid != t.tgid)
    owners += Counter(k.groups.peek(tgid).cred.uid for tgid in k.groups.ids())
    if k.users.all() != dict(sorted(owners.items())):
        found.append(f"users are said to have {k.users.all()} tasks, but they have {dict(owners)}")
    return found
