"""brk, the stack, demand-zero pages, and copying between the kernel and a program."""

from __future__ import annotations

import pytest

from kernel import mm as address_space
from kernel import user_memory
from kernel.check import check
from kernel.errno import E2BIG, EFAULT, ENAMETOOLONG, SysError
from kernel.mm import GROWS_DOWN, STACK_TOP
from tests.kernel.puppet import DATA, HEAP, RODATA, TEXT, Puppets

PAGE = 4096


def test_brk_of_nonsense_says_where_the_end_is() -> None:
    p = Puppets()
    assert [p.call(1, "brk", at) for at in (0, 1, HEAP - 1, 1 << 40, -1)] == [HEAP] * 5


def test_brk_moves_the_end_to_the_byte_up_and_down() -> None:
    p = Puppets()
    for end in (HEAP + 5, HEAP + PAGE, HEAP + 3 * PAGE + 1, HEAP + PAGE - 1, HEAP):
        assert p.call(1, "brk", end) == end
        assert p.call(1, "brk", 0) == end
        check(p.k)


def test_what_brk_gave_up_is_gone_and_comes_back_as_zeros() -> None:
    p = Puppets()
    p.call(1, "brk", HEAP + 2 * PAGE)
    p.store(1, HEAP + PAGE, 7)
    used = p.k.frames.used
    p.call(1, "brk", HEAP + PAGE)
    assert p.k.frames.used == used - 1
    p.call(1, "brk", HEAP + 2 * PAGE)
    assert p.load(1, HEAP + PAGE) == 0


def test_the_heap_ends_where_brk_says_in_whole_pages() -> None:
    p = Puppets()
    child = p.fork(1)
    p.call(child, "brk", HEAP + 1)
    assert p.store(child, HEAP + PAGE - 8, 1)
    assert not p.store(child, HEAP + PAGE, 1)


def test_brk_does_not_take_more_than_there_is_of_memory() -> None:
    p = Puppets()
    assert p.call(1, "brk", HEAP + (3 << 20)) == HEAP


def test_memory_that_nobody_touches_costs_nothing() -> None:
    p = Puppets()
    p.call(1, "brk", 0)
    used = p.k.frames.used
    p.call(1, "brk", HEAP + (1 << 20))
    assert p.k.frames.used == used


@pytest.mark.parametrize("va", [TEXT, RODATA])
def test_read_only_segments_cannot_be_written_by_the_program_or_for_it(va: int) -> None:
    p = Puppets()
    child = p.fork(1)
    assert p.call(child, "uname", va) == -EFAULT
    assert not p.store(child, va, 1)
    assert p.k.groups.peek(child).death.code == 2


def test_the_stack_grows_for_the_kernel_too() -> None:
    p = Puppets()
    at = STACK_TOP - (1 << 20)
    assert p.call(1, "uname", at) == 0
    stack = next(vma for vma in p.k.mms.peek(p.k.tasks.peek(1).mm).vmas if vma.flags & GROWS_DOWN)
    assert stack.start == at & -PAGE
    assert p.call(1, "uname", STACK_TOP - (9 << 20)) == -EFAULT


def test_the_stack_keeps_away_from_what_is_below_it() -> None:
    p = Puppets()
    space = p.k.mms[p.k.tasks.peek(1).mm]
    wall = STACK_TOP - (2 << 20)
    address_space.map_area(p.k, space, address_space.Vma(wall - PAGE, wall, 3))
    child = p.fork(1)
    assert p.store(child, wall + address_space.GUARD_GAP, 1)
    assert not p.store(child, wall + address_space.GUARD_GAP - 8, 1)


@pytest.mark.parametrize("va", [0, 8, 1 << 38, (1 << 38) + 8, 1 << 63, -8 & (1 << 64) - 1])
def test_addresses_where_nothing_can_be_are_efault(va: int) -> None:
    p = Puppets()
    t = p.k.tasks[1]
    for size in (1, 16, 5000, 1 << 62):
        with pytest.raises(SysError) as error:
            user_memory.copy_in(p.k, t, va, size)
        assert error.value.errno == EFAULT
    with pytest.raises(SysError):
        user_memory.copy_out(p.k, t, va, bytes(5000))
    assert user_memory.copy_in(p.k, t, va, 0) == b""


def test_copies_cross_pages() -> None:
    p = Puppets()
    t = p.k.tasks[1]
    data = bytes(range(256)) * 20
    user_memory.copy_out(p.k, t, DATA + 100, data)
    assert user_memory.copy_in(p.k, t, DATA + 100, len(data)) == data
    assert user_memory.copy_in_words(p.k, t, DATA + 104, 600) == list(memoryview(data[4:4804]).cast("Q"))


def test_strings_end_at_their_nul_or_are_too_long() -> None:
    p = Puppets()
    t = p.k.tasks[1]
    user_memory.copy_out(p.k, t, DATA + PAGE - 3, b"hello\0")
    assert user_memory.copy_in_string(p.k, t, DATA + PAGE - 3) == b"hello"
    assert user_memory.copy_in_string(p.k, t, DATA + PAGE - 3, 6) == b"hello"
    with pytest.raises(SysError) as error:
        user_memory.copy_in_string(p.k, t, DATA + PAGE - 3, 5)
    assert error.value.errno == ENAMETOOLONG


def test_a_string_at_the_end_of_memory_does_not_look_behind_it() -> None:
    p = Puppets()
    t = p.k.tasks[1]
    user_memory.copy_out(p.k, t, HEAP - 3, b"ab\0")
    assert user_memory.copy_in_string(p.k, t, HEAP - 3) == b"ab"
    user_memory.copy_out(p.k, t, HEAP - 3, b"abc")
    with pytest.raises(SysError) as error:
        user_memory.copy_in_string(p.k, t, HEAP - 3)
    assert error.value.errno == EFAULT


def test_pointer_vectors_have_an_end_or_a_limit() -> None:
    p = Puppets()
    t = p.k.tasks[1]
    words = [1, 2, 3, 0]
    user_memory.copy_out(p.k, t, HEAP - 32, b"".join(word.to_bytes(8, "little") for word in words))
    assert user_memory.copy_in_pointers(p.k, t, HEAP - 32, 10, E2BIG) == [1, 2, 3]
    user_memory.copy_out(p.k, t, DATA, b"\1" * PAGE)
    with pytest.raises(SysError) as error:
        user_memory.copy_in_pointers(p.k, t, DATA, 10, E2BIG)
    assert error.value.errno == E2BIG
