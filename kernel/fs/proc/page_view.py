"""Which frame each page of a process is in: pagemap, in Linux's format, and frames, the same for people.

pagemap has one 64-bit word for each page of the address space, whether it is there or not. proc_pid_pagemap(5):

    63 there | 61 the page cache's, or shared | 56 nobody else maps it | 54:0 frame number

Linux shows frame numbers to root alone, because a real machine's are worth hiding. Here they are the lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import pagetable
from kernel.errno import EINVAL, SysError
from kernel.fs import naming
from kernel.fs.proc import memory_use, who
from kernel.mm import TASK_SIZE
from vm.mmu import PTE_A, PTE_D, PTE_R, PTE_W, PTE_X
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.fs.proc.memory_use import Page
    from kernel.fs.proc.who import Who
    from kernel.kernel import Kernel
    from kernel.mm import Mm

_THERE, _CACHED, _ALONE = 1 << 63, 1 << 61, 1 << 56
_WORD = 8
_MOST_RELATIVES = 64  # processes that are asked whether they have the page too
_HEAD = b"%-12s  %-8s  %-7s  %-6s  %s\n" % (b"page", b"frame", b"holders", b"flags", b"what, and who else has it there")


def pagemap(k: Kernel, about: Who, offset: int, size: int) -> bytes:
    """The words from byte `offset` on; nothing of a zombie. Raises EINVAL for what is no multiple of 8."""
    if offset % _WORD or size % _WORD:
        raise SysError(EINVAL)
    mm = who.mm_of(k, about)
    size = min(size, TASK_SIZE // PAGE * _WORD - offset)
    if mm is None or size <= 0:
        return b""
    words = bytearray(size)
    start, end = offset // _WORD * PAGE, (offset + size) // _WORD * PAGE
    for page in memory_use.pages(k, mm, start, end):
        at = page.va // PAGE * _WORD - offset
        words[at : at + _WORD] = _word(page).to_bytes(_WORD, "little")
    return bytes(words)


def _word(page: Page) -> int:
    return _THERE | (_CACHED if page.cached else 0) | (_ALONE if page.holders == 1 else 0) | page.entry >> 10


def frames(k: Kernel, about: Who) -> bytes:
    """One line for each page: address, frame, how many map it, rights, A and D, what it is, and which relatives share.

    Parent, children and siblings are asked whether they have the same frame at the same address, up to 64 of them.
    """
    mm = who.mm_of(k, about)
    if mm is None:
        return b""
    relatives = _relatives(k, about)
    return _HEAD + b"".join(_line(k, page, relatives) for page in memory_use.pages(k, mm))


def _line(k: Kernel, page: Page, relatives: list[tuple[int, Mm]]) -> bytes:
    letters = zip("rwxad", (PTE_R, PTE_W, PTE_X, PTE_A, PTE_D), strict=True)
    flags = "".join(letter if page.entry & bit else "-" for letter, bit in letters)
    sharers = "".join(f" {pid}" for pid, mm in relatives if page.holders > 1 and _has(k, mm, page))
    line = f"{page.va:012x}  {page.entry >> 10:#8x}  {page.holders:7}  {flags:<6}  ".encode()
    return line + _what(k, page) + (b" | also" + sharers.encode() if sharers else b"") + b"\n"


def _what(k: Kernel, page: Page) -> bytes:
    vma = page.vma
    if page.cached:
        return naming.escape(naming.name_of(k, vma.inode), b"\n") + b"+%#x" % (page.va - vma.start + vma.offset)
    return b"copy of " + naming.escape(naming.name_of(k, vma.inode), b"\n") if vma.inode else vma.name or b"anonymous"


def _has(k: Kernel, mm: Mm, page: Page) -> bool:
    """Has another address space the same frame at the same address?"""
    return pagetable.find_entry(k, mm.root, page.va) >> 10 == page.entry >> 10


def _relatives(k: Kernel, about: Who) -> list[tuple[int, Mm]]:
    """(pid, address space) of the parent, the siblings and the children, but for those who have its very own."""
    own, group = about.task, about.group
    pids: dict[int, None] = {group.parent: None} if group.parent in k.groups else {}
    pids.update(dict.fromkeys(group.children))
    if group.parent in k.groups:
        pids.update(dict.fromkeys(k.groups.peek(group.parent).children))
    found = []
    for pid in list(pids)[:_MOST_RELATIVES]:
        if pid in k.tasks and own is not None and k.tasks.peek(pid).mm != own.mm:
            found.append((pid, k.mms.peek(k.tasks.peek(pid).mm)))
    return sorted(found, key=lambda relative: relative[0])
