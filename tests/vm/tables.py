"""Random Sv39 tables, valid and not, and accesses to them, for hypothesis.

They lie in one slot of frames (numbers relative to its first):

    0 root   1, 2 tables of the code   3 code   4, 5 tables of level 1   6, 7 of level 0   8 to 11 data   12 to 31 free

Entries point to each other at random: to the right level, to any table (one may map itself), to data, to no memory.
Superpages are aligned so that they hold the slot, or misaligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from tests.vm.support import ECALL, MASK, RX, as_bytes, i
from tests.vm.sv39_model import A, Access, D, Elsewhere, Fault, G, Model, R, U, V, W, X
from vm.hart import Hart
from vm.mmu import make_pte, make_satp

FRAMES, CODE, DATA = 32, 3, (8, 9, 10, 11)
TABLES = {2: (0,), 1: (4, 5), 0: (6, 7)}
CODE_VA = 1 << 30
_ROOT_SLOTS, _SLOTS = (0, 2, 255, 256, 511), {1: (0, 1, 511), 0: (0, 1, 2, 511)}
#: Frames where no memory is, here and on qemu's board of 32 MiB.
_HOLES = (0x82000, 0x90000, (1 << 44) - 1)
#: Bits of a PTE to flip: not those that lead to other slots, nor to devices of qemu's board that are not here.
_FLIPS = tuple(bit for bit in range(64) if not 15 <= bit < 23 and bit not in (10 + 19, 10 + 22))
_own_frames = st.integers(0, 11).map(lambda frame: (frame, False))
STORED = 0x1122_3344_5566_7788
ROUNDS = 2
#: Accesses of a case at most: each has two registers.
MOST = 8
LOADS = {1: "lb", 2: "lhu", 4: "lw", 8: "ld"}
STORES = {1: "sb", 2: "sh", 4: "sw", 8: "sd"}


class Entry(NamedTuple):
    """A PTE to be: where (frame of the table, index), which frame it names (relative or not), flags, flipped bits."""

    table: int
    index: int
    frame: int
    absolute: bool
    align: int
    flags: int
    flip: int


class Place(NamedTuple):
    """A virtual address to be: root and level-1 index, then a level-0 index, or a data frame within a superpage."""

    vpn2: int
    vpn1: int
    vpn0: int
    superpage: int
    offset: int
    flip: int


class Scene(NamedTuple):
    """Tables and what is done with them."""

    entries: list[Entry]
    accesses: list[tuple[str, Place, int]]


_good_leaves = st.sampled_from(
    (
        V | R | W | U,
        V | R | W | X | U,
        V | R | W | U | G,
        V | R | W | U | A,
        V | R | W | U | A | D,
        V | R | U,
        V | X | U,
    )
)
_any_flags = st.one_of(st.integers(0, 255), st.integers(0, 255).map(lambda bits: bits | V | U))


@st.composite
def _entries(draw: st.DrawFn, level: int, table: int, index: int) -> Entry:
    """Four in five are as they should be: a pointer to the level below or to data, with the right bits."""
    rsw = draw(st.sampled_from((0, 0, 0x100, 0x300)))
    pointer = level > 0 and draw(st.integers(0, 3)) > 0
    if draw(st.integers(0, 4)):
        if pointer:
            return Entry(table, index, draw(st.sampled_from(TABLES[level - 1])), False, 0, V | rsw, 0)
        return Entry(table, index, draw(st.sampled_from(DATA)), False, 9 * level, draw(_good_leaves) | rsw, 0)
    flip = 1 << draw(st.sampled_from(_FLIPS)) if draw(st.booleans()) else 0
    flags = draw(st.sampled_from((V, V, V, V | G, V | A, V | D, V | U, 0)) if pointer else _any_flags) | rsw
    frame, absolute = draw(st.one_of(st.sampled_from([(hole, True) for hole in _HOLES]), _own_frames))
    return Entry(
        table, index, frame, absolute, draw(st.sampled_from((0, 9 * level))) if not pointer else 0, flags, flip
    )


@st.composite
def _places(draw: st.DrawFn) -> Place:
    superpage = draw(st.sampled_from((0, 0, 0, 0, 1, 2)))
    near_end = st.integers(4089, 4095)
    offset = draw(st.one_of(st.sampled_from((0, 8, 16, 4088)), near_end, near_end, st.integers(0, 4095)))
    vpn0 = draw(st.sampled_from(DATA if superpage else _SLOTS[0]))
    flip = draw(st.sampled_from((0,) * 30 + (1 << 39, 1 << 63, 1 << 38)))
    return Place(draw(st.sampled_from(_ROOT_SLOTS)), draw(st.sampled_from(_SLOTS[1])), vpn0, superpage, offset, flip)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Tables with entries at a few places, and accesses, of which lay_out chooses."""
    entries = [draw(_entries(2, 0, index)) for index in _ROOT_SLOTS]
    for level in (1, 0):
        entries += [draw(_entries(level, table, index)) for table in TABLES[level] for index in _SLOTS[level]]
    kinds = st.sampled_from(("load", "load", "store", "store", "lr", "amo", "fetch"))
    accesses = draw(st.lists(st.tuples(kinds, _places(), st.sampled_from((1, 2, 4, 8))), min_size=8, max_size=20))
    return Scene(entries, accesses)


class Case(NamedTuple):
    """A scene laid out in a slot: its frames' bytes, a hart, and what is to be expected of it."""

    slot: bytes
    hart: Hart
    accesses: list[Access]
    expected: Expected


class Expected(NamedTuple):
    """What the model says: cause and tval (None: they all go well), loaded registers, and the slot's bytes."""

    trap: tuple[int, int] | None
    loaded: dict[int, int]
    slot: bytes


def lay_out(scene: Scene, first_ppn: int, ram: range) -> Case:
    """Tables, data, and a program that does the accesses ROUNDS times, in a slot whose first frame is `first_ppn`."""
    slot = bytearray(FRAMES * 4096)

    def put(frame: int, index: int, pte: int) -> None:
        slot[frame * 4096 + index * 8 : frame * 4096 + index * 8 + 8] = pte.to_bytes(8, "little")

    for entry in scene.entries:
        ppn = entry.frame if entry.absolute else entry.frame + first_ppn
        put(entry.table, entry.index, make_pte(ppn & ~((1 << entry.align) - 1), entry.flags) ^ entry.flip)
    put(0, 1, make_pte(first_ppn + 1, V))
    put(1, 0, make_pte(first_ppn + 2, V))
    put(2, 0, make_pte(first_ppn + CODE, RX))
    for frame in DATA:  # words that are no instruction, all different
        words = ((frame * 1024 + n) * 0x9E37_79B1 & 0xFFFF_FF80 | 0x7F for n in range(1024))
        slot[frame * 4096 : frame * 4096 + 4096] = as_bytes(words)
    wanted = [Access(kind, _va(place, first_ppn, kind), size) for kind, place, size in scene.accesses]
    accesses, rounds = _choose(wanted, Model(slot, first_ppn << 12, ram))
    code = as_bytes(_program(accesses))
    slot[CODE * 4096 : CODE * 4096 + len(code)] = code
    hart = Hart()
    hart.pc, hart.satp = CODE_VA, make_satp(5, first_ppn)
    hart.x[28], hart.x[31] = STORED, rounds
    for number, access in enumerate(accesses):
        hart.x[10 + number] = access.va
    expected = _expect(Model(bytearray(slot), first_ppn << 12, ram), accesses, rounds)
    return Case(bytes(slot), hart, accesses, expected)


def _va(place: Place, first_ppn: int, kind: str) -> int:
    va = place.vpn2 << 30 | place.vpn1 << 21 | place.vpn0 << 12
    if place.superpage:
        mask = (1 << 12 + 9 * place.superpage) - 1
        va = va & ~mask | (first_ppn + place.vpn0 << 12) & mask
    va |= place.offset & ~3 if kind == "fetch" else place.offset
    return (va | (MASK << 39 & MASK if place.vpn2 >= 256 else 0)) ^ place.flip


def _program(accesses: Sequence[Access]) -> list[int]:
    """Register 10 + n holds the address of access n; what it loads comes to register 20 + n."""
    body = [_instruction(number, access) for number, access in enumerate(accesses)]
    back = i("bne", rs1=31, rs2=0, imm=-4 * (len(body) + 1))
    return [*body, i("addi", rd=31, rs1=31, imm=-1), back, ECALL]


def _instruction(number: int, access: Access) -> int:
    address, result = 10 + number, 20 + number
    match access.kind:
        case "load":
            return i(LOADS[access.size], rd=result, rs1=address, imm=0)
        case "store":
            return i(STORES[access.size], rs2=28, rs1=address, imm=0)
        case "lr":
            return i("lr.w" if access.size == 4 else "lr.d", rd=result, rs1=address)
        case "amo":
            return i("amoswap.w" if access.size == 4 else "amoswap.d", rd=result, rs1=address, rs2=28)
        case _:
            return i("jalr", rd=1, rs1=address, imm=0)


def _choose(wanted: list[Access], pristine: Model) -> tuple[list[Access], int]:
    """The accesses whose outcome is the same whatever a TLB keeps, and how often to do them all.

    None reaches memory outside of the slot. The last may fault, be a fetch (it leads to no instruction), or a store
    that changes a table.
    """
    chosen: list[Access] = []
    faulting: list[Access] = []
    for access in wanted:
        if len(chosen) == MOST:
            break
        if access.kind in ("lr", "amo"):
            access = access._replace(size=max(access.size, 4))
        try:
            places = _after(chosen, pristine).places(access)
        except Elsewhere:
            continue
        except Fault:
            faulting.append(access)
            continue
        frames = {pa - pristine.base >> 12 for pa, _ in places}
        if frames <= set(range(FRAMES)) - {CODE}:
            chosen.append(access)
            if access.kind == "fetch" or (access.kind in ("store", "amo") and not frames <= set(DATA)):
                return chosen, 1
    return (chosen + faulting[:1], 1) if faulting else (chosen, ROUNDS)


def _after(accesses: list[Access], pristine: Model) -> Model:
    """A model on which these accesses, and no others, set A and D."""
    model = Model(bytearray(pristine.slot), pristine.base, pristine.ram)
    for access in accesses:
        model.places(access)
    return model


def _expect(model: Model, accesses: list[Access], rounds: int) -> Expected:
    loaded: dict[int, int] = {}
    trap: tuple[int, int] | None = None
    model.translate(CODE_VA, "fetch")
    try:
        for number, access in list(enumerate(accesses)) * rounds:
            trap = _do(model, number, access, loaded)
    except Fault as fault:
        trap = fault.cause, fault.tval
    return Expected(trap, loaded, bytes(model.slot))


def _do(model: Model, number: int, access: Access, loaded: dict[int, int]) -> tuple[int, int] | None:
    """Do one access; a fetch ends in an illegal instruction."""
    places = model.places(access)
    data = b"".join(model.read(pa, size) for pa, size in places)
    if access.kind == "fetch":
        return 2, int.from_bytes(model.read(places[0][0], 4), "little")
    if access.kind != "store":
        signed = access.size in (1, 4)
        loaded[20 + number] = int.from_bytes(data, "little", signed=signed) & MASK
    if access.kind in ("store", "amo"):
        stored = STORED.to_bytes(8, "little")[: access.size]
        for pa, size in places:
            model.write(pa, stored[:size])
            stored = stored[size:]
    return None
