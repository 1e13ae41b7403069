"""mmap and its kin: what is shared, what is private, what is gone; errors are Linux's, in Linux's order."""

from __future__ import annotations

import time
from collections.abc import Generator

import pytest

from kernel import placement
from kernel.check import check, check_end
from kernel.errno import EACCES, EBADF, EEXIST, EFAULT, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EPERM
from kernel.limits import STACK_LIMIT
from kernel.mm import STACK_TOP
from kernel.signal_numbers import SIGBUS, SIGSEGV
from kernel.user_memory import copy_in, copy_out
from tests.kernel.machines import record
from tests.kernel.puppet import DATA, HEAP, RODATA, TEXT, Puppets

PAGE = 4096
R, W, X = 1, 2, 4
SHARED, PRIVATE, FIXED, ANON = 1, 2, 0x10, 0x20
GROWSDOWN, NORESERVE, POPULATE, NOREPLACE = 0x100, 0x4000, 0x8000, 0x100000
DONTNEED, FREE, REMOVE, DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK = 4, 8, 9, 10, 11, 18, 19
AT = 0x20_0000_0000
NAME = DATA  # where a path or a name is put
MMAP_TOP = placement.top(STACK_LIMIT)


@pytest.fixture
def p() -> Generator[Puppets]:
    puppets = Puppets()
    yield puppets
    check(puppets.k)
    puppets.call(1, "exit_group", 0)
    check_end(puppets.k)


def anon(p: Puppets, pages: int, flags: int = PRIVATE, at: int = 0, prot: int = R | W, pid: int = 1) -> int:
    place = FIXED if at else 0
    result = p.call(pid, "mmap", at, pages * PAGE, prot, flags | ANON | place, -1, 0)
    assert result is not None
    return result


def memfd(p: Puppets, size: int) -> int:
    copy_out(p.k, p.k.tasks[1], NAME, b"m\0")
    fd = p.call(1, "memfd_create", NAME, 0)
    assert fd is not None and fd >= 0
    assert p.call(1, "ftruncate", fd, size) == 0
    return fd


def died_of(p: Puppets, pid: int) -> tuple[int, int]:
    death = p.k.groups.peek(pid).death
    return death.signal, death.code


def areas(p: Puppets, pid: int = 1) -> list[tuple[int, int, int]]:
    vmas = p.k.mms.peek(p.k.tasks.peek(pid).mm).vmas
    return [((v.start - AT) // PAGE, (v.end - AT) // PAGE, v.prot) for v in vmas if AT <= v.start < AT + (1 << 30)]


def test_mappings_are_placed_below_each_other_and_free_places_are_used_again(p: Puppets) -> None:
    first, second, third = anon(p, 2), anon(p, 3, prot=R), anon(p, 1)
    assert (first, second, third) == (MMAP_TOP - 2 * PAGE, MMAP_TOP - 5 * PAGE, MMAP_TOP - 6 * PAGE)
    assert p.call(1, "munmap", second, 3 * PAGE) == 0
    assert anon(p, 4, prot=R) == third - 4 * PAGE
    assert anon(p, 3, prot=R) == second


def test_a_hint_is_taken_if_the_place_is_free(p: Puppets) -> None:
    def hinted(at: int) -> int | None:
        return p.call(1, "mmap", at, PAGE, R, PRIVATE | ANON, -1, 0)

    assert hinted(AT + 5) == AT
    assert hinted(AT) == MMAP_TOP - PAGE
    assert hinted(1) == MMAP_TOP - 2 * PAGE  # the lowest address is the program's text


def test_fixed_takes_the_place_of_what_is_there_and_noreplace_does_not(p: Puppets) -> None:
    anon(p, 3, at=AT)
    p.store(1, AT + PAGE, 5)
    assert anon(p, 1, at=AT + PAGE) == AT + PAGE
    assert p.load(1, AT + PAGE) == 0
    assert p.call(1, "mmap", AT + PAGE, PAGE, R, PRIVATE | ANON | NOREPLACE, -1, 0) == -EEXIST
    assert p.call(1, "mmap", AT + 3 * PAGE, PAGE, R, PRIVATE | ANON | NOREPLACE, -1, 0) == AT + 3 * PAGE


@pytest.mark.parametrize(
    ("arguments", "errno"),
    [
        ((0, 0, R, PRIVATE | ANON, -1, 0), EINVAL),
        ((0, PAGE, R, ANON, -1, 0), EINVAL),
        ((0, PAGE, R, 3 | ANON, -1, 0), EINVAL),
        ((0, PAGE, R, PRIVATE | ANON, -1, 1), EINVAL),
        ((0, PAGE, R, PRIVATE, 77, 1), EINVAL),
        ((0, 0, R, PRIVATE, 77, 0), EBADF),
        ((0, PAGE, R, PRIVATE, 0, 0), ENODEV),
        ((0, 1 << 38, R, PRIVATE | ANON, -1, 0), ENOMEM),
        ((0, -1, R, PRIVATE | ANON, -1, 0), ENOMEM),
        ((AT + 1, PAGE, R, PRIVATE | ANON | FIXED, -1, 0), EINVAL),
        ((1 << 38, PAGE, R, PRIVATE | ANON | FIXED, -1, 0), ENOMEM),
        ((0, PAGE, R, PRIVATE | ANON | FIXED, -1, 0), EPERM),
        ((0, PAGE, R | W, PRIVATE | ANON | GROWSDOWN, -1, 0), EOPNOTSUPP),
        ((0, PAGE, R | W, SHARED | ANON | GROWSDOWN, -1, 0), EINVAL),
        ((0, 4 << 20, R | W, PRIVATE | ANON, -1, 0), ENOMEM),
    ],
)
def test_what_cannot_be_mapped_is_told_as_linux_does(p: Puppets, arguments: tuple[int, ...], errno: int) -> None:
    assert p.call(1, "mmap", *arguments) == -errno


def test_more_than_there_is_of_memory_can_be_reserved(p: Puppets) -> None:
    assert p.call(1, "mmap", AT, 1 << 30, R | W, PRIVATE | ANON | FIXED | 0x4000, -1, 0) == AT
    assert p.call(1, "mmap", AT, 1 << 30, 0, PRIVATE | ANON | FIXED, -1, 0) == AT


def test_a_private_page_is_copied_on_write_and_a_shared_one_never(p: Puppets) -> None:
    private, shared = anon(p, 1), anon(p, 1, SHARED)
    p.store(1, private, 1)
    p.store(1, shared, 1)
    child = p.fork(1)
    check(p.k)
    log = record(p.k)
    p.store(child, private, 2)
    p.store(child, shared, 2)
    kinds = ["shared"] if p.k.config.fork == "eager" else ["cow-copy", "shared"]
    assert [event.kind for event in log if type(event).__name__ == "PageFault"] == kinds
    assert (p.load(1, private), p.load(1, shared)) == (1, 2)
    p.store(1, shared, 3)
    assert p.load(child, shared) == 3
    check(p.k)


def test_a_file_two_processes_map_is_one_and_read_and_write_see_it(p: Puppets) -> None:
    fd = memfd(p, 2 * PAGE)
    shared = p.call(1, "mmap", AT, 2 * PAGE, R | W, SHARED | FIXED, fd, 0)
    private = p.call(1, "mmap", 0, 2 * PAGE, R | W, PRIVATE, fd, 0)
    assert shared and private
    assert p.load(1, private) == 0
    p.store(1, shared, 7)
    assert p.load(1, private) == 7  # not copied yet: it is still the file's
    p.store(1, private, 8)
    assert p.load(1, shared) == 7
    assert p.call(1, "read", fd, HEAP - 16, 8) == 8
    assert p.load(1, HEAP - 16) == 7
    assert p.call(1, "write", fd, HEAP - 16, 8) == 8
    assert (p.load(1, shared + 8), p.load(1, private + 8)) == (7, 0)
    assert p.call(1, "close", fd) == 0
    assert p.load(1, shared) == 7


def test_behind_the_end_of_the_file_is_sigbus_and_truncation_makes_it_so(p: Puppets) -> None:
    fd = memfd(p, 3 * PAGE)
    shared = p.call(1, "mmap", 0, 4 * PAGE, R | W, SHARED, fd, 0)
    private = p.call(1, "mmap", 0, 4 * PAGE, R | W, PRIVATE, fd, 0)
    assert shared and private
    for base in (shared, private):
        p.store(1, base + 2 * PAGE, 5)
    children = [p.fork(1) for _ in range(5)]
    assert p.store(children[0], shared + 2 * PAGE, 6)
    assert p.call(1, "ftruncate", fd, PAGE + 8) == 0
    check(p.k)
    assert p.store(children[0], shared + PAGE, 1)
    assert not p.store(children[0], shared + 2 * PAGE, 1)
    assert p.load(children[1], private + 2 * PAGE) is None
    assert p.load(children[2], shared + 3 * PAGE) is None
    for child in children[:3]:
        assert died_of(p, child) == (SIGBUS, 2)
    assert p.call(1, "ftruncate", fd, 3 * PAGE) == 0
    assert p.load(1, shared + 2 * PAGE) == 0


def test_truncation_zeroes_the_rest_of_the_last_page_for_all(p: Puppets) -> None:
    fd = memfd(p, PAGE)
    shared = p.call(1, "mmap", 0, PAGE, R | W, SHARED, fd, 0)
    assert shared
    p.store(1, shared + 8, 5)
    p.call(1, "ftruncate", fd, 8)
    assert p.load(1, shared + 8) == 0


def test_a_file_opened_for_reading_can_be_mapped_shared_but_never_written(p: Puppets) -> None:
    copy_out(p.k, p.k.tasks[1], NAME, b"/bin/puppet\0")
    fd = p.call(1, "openat", -100, NAME, 0, 0)
    assert fd is not None
    assert p.call(1, "mmap", 0, PAGE, R | W, SHARED, fd, 0) == -EACCES
    at = p.call(1, "mmap", 0, PAGE, R, SHARED, fd, 0)
    assert at
    assert p.call(1, "mprotect", at, PAGE, R | W) == -EACCES
    assert copy_in(p.k, p.k.tasks[1], at, 4) == b"\x7fELF"


def test_mprotect_splits_and_joins_areas(p: Puppets) -> None:
    anon(p, 4, at=AT)
    assert p.call(1, "mprotect", AT + PAGE, PAGE, R) == 0
    assert areas(p) == [(0, 1, 3), (1, 2, 1), (2, 4, 3)]
    assert p.call(1, "mprotect", AT + PAGE, PAGE, R | W) == 0
    assert areas(p) == [(0, 4, 3)]
    p.call(1, "munmap", AT + 2 * PAGE, PAGE)
    assert p.call(1, "mprotect", AT, 4 * PAGE, R) == -ENOMEM
    assert areas(p) == [(0, 2, 1), (3, 4, 3)]
    assert p.call(1, "mprotect", AT + 1, PAGE, R) == -EINVAL
    assert p.call(1, "mprotect", AT, PAGE, 64) == -EINVAL
    assert p.call(1, "mprotect", 1, 0, 64) == -EINVAL
    assert p.call(1, "mprotect", AT + (1 << 20), 0, 64) == 0


def test_rights_given_back_after_a_fork_do_not_let_a_write_through(p: Puppets) -> None:
    at = anon(p, 1)
    p.store(1, at, 1)
    p.call(1, "mprotect", at, PAGE, R)
    child = p.fork(1)
    p.call(1, "mprotect", at, PAGE, R | W)
    p.store(1, at, 2)
    assert p.load(child, at) == 1
    check(p.k)
    assert not p.store(child, at, 3)
    assert died_of(p, child) == (SIGSEGV, 2)


def test_a_page_that_nobody_may_touch_keeps_what_it_has(p: Puppets) -> None:
    at = anon(p, 1)
    p.store(1, at, 9)
    p.call(1, "mprotect", at, PAGE, 0)
    child = p.fork(1)
    check(p.k)
    assert p.load(child, at) is None
    assert died_of(p, child) == (SIGSEGV, 2)
    p.call(1, "mprotect", at, PAGE, R | W)
    assert p.load(1, at) == 9
    assert p.store(1, at, 10)


def test_a_shared_page_whose_rights_come_back_is_still_the_same(p: Puppets) -> None:
    at = anon(p, 1, SHARED)
    child = p.fork(1)
    p.store(1, at, 1)
    p.call(1, "mprotect", at, PAGE, R)
    p.call(1, "mprotect", at, PAGE, R | W)
    p.store(1, at, 2)
    assert p.load(child, at) == 2


def test_munmap_gives_frames_back_and_touching_is_sigsegv(p: Puppets) -> None:
    at = anon(p, 3)
    used = p.k.frames.used
    for page in range(3):
        p.store(1, at + page * PAGE, 1)
    tables = p.k.frames.used - used - 3
    p.call(1, "munmap", at + PAGE, 1)
    assert p.k.frames.used - used - tables == 2
    child = p.fork(1)
    assert p.load(child, at + 2 * PAGE) == 1
    assert p.load(child, at + PAGE) is None
    assert died_of(p, child) == (SIGSEGV, 1)
    assert p.call(1, "munmap", at, 0) == -EINVAL
    assert p.call(1, "munmap", at + 1, PAGE) == -EINVAL
    assert p.call(1, "munmap", 1 << 38, PAGE) == -EINVAL
    assert p.call(1, "munmap", AT, PAGE) == 0


def test_the_heap_does_not_grow_into_a_mapping_and_shrinks_over_one(p: Puppets) -> None:
    anon(p, 1, at=HEAP + 4 * PAGE)
    assert p.call(1, "brk", HEAP + 3 * PAGE + 1) == HEAP
    assert p.call(1, "brk", HEAP + 3 * PAGE) == HEAP + 3 * PAGE
    assert p.call(1, "munmap", HEAP + PAGE, PAGE) == 0
    assert p.call(1, "brk", HEAP) == HEAP
    anon(p, 1, at=HEAP)
    assert p.call(1, "brk", HEAP + PAGE) == HEAP
    p.call(1, "munmap", HEAP, PAGE)
    assert p.call(1, "brk", HEAP + PAGE) == HEAP + PAGE


def test_madvise_decides_what_a_child_gets(p: Puppets) -> None:
    at = anon(p, 4)
    for page in range(4):
        p.store(1, at + page * PAGE, page + 1)
    assert p.call(1, "madvise", at, PAGE, DONTFORK) == 0
    assert p.call(1, "madvise", at + PAGE, PAGE, WIPEONFORK) == 0
    child = p.fork(1)
    check(p.k)
    assert p.load(child, at + PAGE) == 0
    assert p.load(child, at + 2 * PAGE) == 3
    assert p.load(1, at + PAGE) == 2
    assert p.load(child, at) is None
    p.call(1, "madvise", at, PAGE, DOFORK)
    p.call(1, "madvise", at, 2 * PAGE, KEEPONFORK)
    child = p.fork(1)
    assert [p.load(child, at + page * PAGE) for page in range(4)] == [1, 2, 3, 4]


def test_madvise_dontneed_forgets_private_pages_and_keeps_the_objects(p: Puppets) -> None:
    private, shared = anon(p, 1), anon(p, 1, SHARED)
    p.store(1, private, 5)
    p.store(1, shared, 5)
    assert p.call(1, "madvise", private, PAGE, DONTNEED) == 0
    assert p.call(1, "madvise", shared, PAGE, DONTNEED) == 0
    assert (p.load(1, private), p.load(1, shared)) == (0, 5)
    assert p.call(1, "madvise", shared, PAGE, FREE) == -EINVAL
    assert p.call(1, "madvise", shared, PAGE, WIPEONFORK) == -EINVAL
    assert p.call(1, "madvise", shared, 0, WIPEONFORK) == 0, "nothing is refused no advice"
    assert p.call(1, "madvise", private, PAGE, REMOVE) == -EINVAL
    assert p.call(1, "madvise", private, PAGE, 77) == -EINVAL
    assert p.call(1, "madvise", private + 1, PAGE, 0) == -EINVAL
    assert p.call(1, "madvise", AT, PAGE, 0) == -ENOMEM
    assert p.call(1, "madvise", AT, 0, 0) == 0


def test_mremap_to_the_same_size_within_an_area_changes_nothing(p: Puppets) -> None:
    at = p.call(1, "mmap", 0, 4 * PAGE, 3, 0x22, -1, 0)
    assert at is not None
    assert p.call(1, "mremap", at + PAGE, 2 * PAGE, 2 * PAGE, 0) == at + PAGE
    check(p.k)


def test_mremap_shrinks_grows_and_moves(p: Puppets) -> None:
    at = anon(p, 4, at=AT)
    for page in range(4):
        p.store(1, at + page * PAGE, page + 1)
    assert p.call(1, "mremap", at, 4 * PAGE, 2 * PAGE, 0) == at
    assert areas(p) == [(0, 2, 3)]
    assert p.call(1, "mremap", at, 2 * PAGE, 3 * PAGE, 0) == at
    assert p.load(1, at + 2 * PAGE) == 0
    anon(p, 1, at=AT + 3 * PAGE, prot=R)
    assert p.call(1, "mremap", at, 3 * PAGE, 4 * PAGE, 0) == -ENOMEM
    child = p.fork(1)
    moved = p.call(1, "mremap", at, 3 * PAGE, 4 * PAGE, 1)
    assert moved == MMAP_TOP - 4 * PAGE
    check(p.k)
    assert [p.load(1, moved + page * PAGE) for page in range(4)] == [1, 2, 0, 0]
    p.store(1, moved, 9)
    assert p.load(child, at) == 1
    assert p.call(1, "mremap", moved, PAGE, PAGE, 3, AT + 64 * PAGE) == AT + 64 * PAGE
    assert p.load(1, AT + 64 * PAGE) == 9


def test_mremap_can_leave_the_area_without_its_pages(p: Puppets) -> None:
    at = anon(p, 2)
    p.store(1, at, 5)
    moved = p.call(1, "mremap", at, 2 * PAGE, 2 * PAGE, 5)
    assert moved and moved != at
    assert (p.load(1, moved), p.load(1, at)) == (5, 0)


def test_mremap_of_nothing_duplicates_a_shared_mapping(p: Puppets) -> None:
    at, private = anon(p, 1, SHARED), anon(p, 1)
    twin = p.call(1, "mremap", at, 0, PAGE, 1)
    assert twin
    p.store(1, twin, 4)
    assert p.load(1, at) == 4
    assert p.call(1, "mremap", private, 0, PAGE, 1) == -EINVAL


@pytest.mark.parametrize(
    ("arguments", "errno"),
    [
        ((AT, PAGE, PAGE, 8), EINVAL),
        ((AT, PAGE, PAGE, 2, AT + 8 * PAGE), EINVAL),
        ((AT, PAGE, 2 * PAGE, 5), EINVAL),
        ((AT + 1, PAGE, PAGE, 0), EINVAL),
        ((AT, PAGE, 0, 0), EINVAL),
        ((AT - PAGE, PAGE, PAGE, 0), EFAULT),
        ((AT, 3 * PAGE, 4 * PAGE, 1), EFAULT),
        ((AT, 2 * PAGE, 2 * PAGE, 3, AT + PAGE), EINVAL),
        ((AT, PAGE, PAGE, 3, AT + 8 * PAGE + 1), EINVAL),
        ((AT, PAGE, 1 << 40, 3, AT + 8 * PAGE), EINVAL),
    ],
)
def test_what_cannot_be_moved_is_told_as_linux_does(p: Puppets, arguments: tuple[int, ...], errno: int) -> None:
    anon(p, 2, at=AT)
    assert p.call(1, "mremap", *arguments) == -errno


def test_mincore_shows_which_pages_are_there(p: Puppets) -> None:
    at = anon(p, 3)
    p.store(1, at + PAGE, 1)
    assert p.call(1, "mincore", at, 3 * PAGE, HEAP - 16) == 0
    assert copy_in(p.k, p.k.tasks[1], HEAP - 16, 3) == b"\0\1\0"
    assert p.call(1, "mincore", at + 1, PAGE, HEAP - 16) == -EINVAL
    assert p.call(1, "mincore", AT, PAGE, HEAP - 16) == -ENOMEM
    assert p.call(1, "mincore", at, PAGE, 8) == -EFAULT


def test_msync_has_nothing_to_do_but_to_check(p: Puppets) -> None:
    at = anon(p, 1, SHARED)
    assert [p.call(1, "msync", at, PAGE, flags) for flags in (0, 1, 4, 6, 5, 8)] == [0, 0, 0, 0, -EINVAL, -EINVAL]
    assert p.call(1, "msync", at + 1, PAGE, 4) == -EINVAL
    assert p.call(1, "msync", AT, PAGE, 4) == -ENOMEM


def test_locked_pages_are_there_and_stay(p: Puppets) -> None:
    at = anon(p, 2)
    assert p.call(1, "mlock", at, PAGE + 1) == 0
    assert p.call(1, "mincore", at, 2 * PAGE, HEAP - 16) == 0
    assert copy_in(p.k, p.k.tasks[1], HEAP - 16, 2) == b"\1\1"
    assert p.call(1, "madvise", at, PAGE, DONTNEED) == -EINVAL
    assert p.call(1, "munlock", at, 2 * PAGE) == 0
    assert p.call(1, "madvise", at, PAGE, DONTNEED) == 0
    assert p.call(1, "mlock", AT, PAGE) == -ENOMEM
    assert p.call(1, "mlockall", 0) == -EINVAL
    assert p.call(1, "mlockall", 2) == 0
    assert p.call(1, "mincore", anon(p, 1, at=AT), PAGE, HEAP - 16) == 0
    assert copy_in(p.k, p.k.tasks[1], HEAP - 16, 1) == b"\1"
    assert p.call(1, "brk", HEAP + 2 * PAGE) == HEAP + 2 * PAGE
    assert p.call(1, "mincore", HEAP, 2 * PAGE, HEAP - 16) == 0
    assert copy_in(p.k, p.k.tasks[1], HEAP - 16, 2) == b"\1\1"
    assert p.call(1, "munlockall") == 0


def test_populate_brings_pages_in(p: Puppets) -> None:
    at = anon(p, 3, PRIVATE | POPULATE)
    faults = p.k.groups.peek(1).faults
    assert [p.load(1, at + page * PAGE) for page in range(3)] == [0] * 3
    assert p.k.groups.peek(1).faults == faults


def test_memory_that_runs_out_in_a_shared_mapping_kills_and_loses_nothing(p: Puppets) -> None:
    child = p.fork(1)
    at = anon(p, 400, SHARED, pid=child)
    for page in range(400):
        if not p.store(child, at + page * PAGE, 1):
            break
    check(p.k)
    others = [p.fork(1) for _ in range(2)]
    size = 300
    for other in others:
        anon(p, size, SHARED, at=AT, pid=other)
        for page in range(size):
            if not p.store(other, AT + page * PAGE, 1):
                break
        check(p.k)
    assert not all(p.alive(other) for other in (child, *others))


def test_text_and_stack_can_be_changed_like_any_area(p: Puppets) -> None:
    child = p.fork(1)
    assert p.call(child, "mprotect", RODATA, PAGE, R | W) == 0
    assert p.store(child, RODATA, 1)
    assert p.load(1, RODATA) != 1
    assert p.call(child, "mprotect", STACK_TOP - PAGE, PAGE, R | 0x01000000) == 0
    assert not p.store(child, STACK_TOP - 64, 1)
    assert p.load(1, TEXT)


def test_mincore_of_gigabytes_that_nobody_touched_is_soon_done(p: Puppets) -> None:
    step, vec = 256 << 20, anon(p, 16)
    anon(p, 40 * step // PAGE, PRIVATE | NORESERVE, at=AT)
    assert p.store(1, AT + step + PAGE, 1)
    before = time.process_time()
    for start in range(AT, AT + 40 * step, step):
        assert p.call(1, "mincore", start, step, vec) == 0
        there = copy_in(p.k, p.k.tasks[1], vec, 16 * PAGE)
        assert there == (b"\0\1" if start == AT + step else b"").ljust(16 * PAGE, b"\0")
    assert time.process_time() - before < 0.6, "page by page"


def test_a_call_about_thousands_of_areas_looks_at_each_of_them_once(p: Puppets) -> None:
    pages = 8000
    anon(p, pages, PRIVATE | NORESERVE, at=AT)
    for page in range(0, pages, 2):
        assert p.call(1, "mprotect", AT + page * PAGE, PAGE, R) == 0
    assert len(areas(p)) == pages
    before = time.process_time()
    assert p.call(1, "munlockall") == 0
    assert p.call(1, "madvise", AT, pages * PAGE, DONTFORK) == 0
    assert time.process_time() - before < 0.5, "a search through all areas for each of them"
    assert p.call(1, "mprotect", AT, pages * PAGE, R) == 0
    assert len(areas(p)) == 1
