"""The checker's part for files: do all the counts equal what can be counted? kernel/check.py calls it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kernel.fs.constants import O_PATH, PAGE, S_IFIFO, S_IFMT
from kernel.fs.eventfd import DRIVER as EVENTFD
from kernel.fs.locks import conflict
from kernel.fs.proc import numbers as proc
from kernel.fs.socketpair import DRIVER as SOCKET

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def check(k: Kernel) -> list[str]:
    """What is wrong, one line for each finding; changes nothing."""
    parts = (_tables, _files, _inodes, _links, _names, _pipes, _pages, _special, _locks, _sockets)
    return [finding for part in parts for finding in part(k)]


def _compare(kind: str, field: str, actual: dict[int, int], expected: Counter[int]) -> list[str]:
    return [
        f"{kind} {i} says {actual.get(i, 'it is gone')} {field}, but {expected[i]} are counted"
        for i in sorted({*actual, *expected})
        if actual.get(i) != expected[i]
    ]


def _tables(k: Kernel) -> list[str]:
    tasks = Counter(k.tasks.peek(tid).fdtable for tid in k.tasks.ids())
    return _compare("descriptor table", "users", {i: k.fdtables.peek(i).users for i in k.fdtables.ids()}, tasks)


def _files(k: Kernel) -> list[str]:
    """Who refers to an open file: descriptors, and system calls that wait with a shared table's file in hand."""
    slots = Counter(file_id for i in k.fdtables.ids() for file_id, _ in k.fdtables.peek(i).slots.values())
    slots.update(file_id for tid in k.tasks.ids() for _, file_id in k.tasks.peek(tid).held)
    return _compare("open file", "users", {i: k.files.peek(i).users for i in k.files.ids()}, slots)


def _inodes(k: Kernel) -> list[str]:
    """Who holds an inode: open files, working directories, mappings, programs that run, and directories below it."""
    users: Counter[int] = Counter(k.files.peek(i).inode for i in k.files.ids())
    for i in k.fs_structs.ids():
        users.update((k.fs_structs.peek(i).cwd, k.fs_structs.peek(i).root))
    for mm_id in k.mms.ids():
        mm = k.mms.peek(mm_id)
        users.update([vma.inode for vma in mm.vmas if vma.inode] + [mm.exe] * bool(mm.exe))
    for i in k.inodes.ids():
        inode = k.inodes.peek(i)
        if inode.is_directory() and i != k.root_inode:
            users[inode.parent] += 1
    stored = Counter({i: count for i, count in users.items() if i < proc.FIRST})
    return _compare("inode", "users", {i: k.inodes.peek(i).users for i in k.inodes.ids()}, stored)


def _links(k: Kernel) -> list[str]:
    """Every name leads to an inode, whose link count is that of its names."""
    links: Counter[int] = Counter({k.root_inode: 1})
    for i in k.inodes.ids():
        for child, _ in k.inodes.peek(i).entries.values():
            if child >= proc.FIRST:
                links[i] += 1
                continue
            links[child] += 1
            if child in k.inodes and k.inodes.peek(child).is_directory():
                links[i] += 1
                links[child] += 1
        if k.root_inode == i:
            links[i] += 1
    return _compare("inode", "links", {i: k.inodes.peek(i).nlink for i in k.inodes.ids()}, links)


def _names(k: Kernel) -> list[str]:
    """What an inode believes to be called is what its directory says."""
    found = []
    for i in k.inodes.ids():
        inode = k.inodes.peek(i)
        if i == k.root_inode or not inode.parent or (inode.is_directory() and not inode.nlink):
            continue
        parent = inode.parent
        if parent not in k.inodes or k.inodes.peek(parent).entries.get(inode.name, (0, 0))[0] != i:
            found.append(f"inode {i} says that it is {inode.name!r} in {parent}, which is not so")
    return found


def _pipes(k: Kernel) -> list[str]:
    """A pipe's ends are open files of its one inode; nothing is left of it without them."""
    readers: Counter[int] = Counter()
    writers: Counter[int] = Counter()
    for i in k.files.ids():
        file = k.files.peek(i)
        inode = k.inodes.peek(file.inode)
        if inode.mode & S_IFMT == S_IFIFO and not file.flags & O_PATH:
            readers[inode.number] += file.readable()
            writers[inode.number] += file.writable()
    pipes = {i: k.pipes.peek(i) for i in k.pipes.ids()}
    found = _compare("pipe", "readers", {i: pipe.readers for i, pipe in pipes.items()}, readers)
    return found + _compare("pipe", "writers", {i: pipe.writers for i, pipe in pipes.items()}, writers)


def _pages(k: Kernel) -> list[str]:
    """Pages in the cache belong to regular files, and lie before their ends."""
    found = []
    for inode_id, index, _ in k.page_cache.frames():
        if inode_id not in k.inodes or not k.inodes.peek(inode_id).is_regular():
            found.append(f"the page cache has page {index} of inode {inode_id}, which is no file any more")
        elif index * PAGE >= k.inodes.peek(inode_id).size:
            found.append(f"the page cache has page {index} of inode {inode_id}, behind its end")
    return found


def _special(k: Kernel) -> list[str]:
    """What stands behind a special file is there as long as it, and no longer."""
    found = []
    for driver, table in ((EVENTFD, k.eventfds), (SOCKET, k.sockets)):
        numbers = Counter(inode.number for inode in map(k.inodes.peek, k.inodes.ids()) if inode.driver == driver)
        found += _compare(driver, "files", dict.fromkeys(table.ids(), 1), numbers)
    return found


def _locks(k: Kernel) -> list[str]:
    """Every lock has an owner that has the file open, and nobody holds what somebody else excludes."""
    found = _lock_owners(k)
    for i in k.locks.ids():
        row = k.locks.peek(i)
        if not row.records and not row.whole:
            found.append(f"inode {i} has a row of locks and no lock")
        found += [
            f"inode {i}: {owner} holds {lock}, which somebody else's excludes"
            for owner, held in row.records.items()
            for lock in held
            if not lock.start <= lock.end or conflict(k, i, owner, lock)
        ]
        if 1 in row.whole.values() and len(row.whole) > 1:
            found.append(f"inode {i} is locked exclusively, and by others too")
    return found


def _lock_owners(k: Kernel) -> list[str]:
    found = []
    opened = {(i, file_id) for i in k.fdtables.ids() for file_id, _ in k.fdtables.peek(i).slots.values()}
    by_process = {(i, k.files.peek(file_id).inode) for i, file_id in opened}
    for i in k.locks.ids():
        row = k.locks.peek(i)
        for kind, number in [*row.records, *[("file", file_id) for file_id in row.whole]]:
            if kind == "process" and (number, i) not in by_process:
                found.append(f"inode {i} is locked by descriptor table {number}, which doesn't have it open")
            if kind == "file" and (number not in k.files or k.files.peek(number).inode != i):
                found.append(f"inode {i} is locked by open file {number}, which isn't open any more")
    return found


def _sockets(k: Kernel) -> list[str]:
    """Peers agree about each other, and a socket knows how much it holds."""
    found = []
    for number in k.sockets.ids():
        socket = k.sockets.peek(number)
        if socket.peer and (socket.peer not in k.sockets or k.sockets.peek(socket.peer).peer != number):
            found.append(f"socket {number} has the peer {socket.peer}, which doesn't know it")
        if socket.held != sum(length for _, _, length in socket.queue):
            found.append(f"socket {number} says it holds {socket.held} bytes, but it doesn't")
    return found
