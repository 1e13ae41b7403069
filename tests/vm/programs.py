"""Random programs, for hypothesis: every instruction of the table, with operands that make things happen."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from tests.vm.support import CODE_VA, DATA_VA, MASK, i
from vm.disasm import text
from vm.isa import TABLE, Insn
from vm.isa.expr import Jump, Let, Store

#: Values at which arithmetic goes wrong first.
EDGES = sorted(
    {value & MASK for bit in (0, 7, 8, 15, 16, 31, 32, 62, 63) for value in (1 << bit, (1 << bit) - 1, -(1 << bit))}
    | {0, 1, 2, 3, 5, MASK, MASK - 1, 0x8000_0000_0000_0001, 0x5555_5555_5555_5555, 0x0123_4567_89AB_CDEF}
    | {0xFFFF_FFFF_7FFF_FFFF, 0xFFFF_FFFF_8000_0000, 0x1_0000_0000, 0x8000_0000_8000_0000}
)
#: Registers that point to memory when a program begins: loads and stores use them, atomics the first two, which are
#: multiples of 8. Tame words don't write them, nor COUNTER, which counts the rounds of a loop.
POINTERS, COUNTER = (8, 9, 18, 19), 31
#: Offsets from the start of two pages of data: aligned, misaligned, before, across and behind a page's end.
ALIGNED_OFFSETS = (0, 8, 64, 2048, 4088, 4096)
OFFSETS = (1, 3, 4, 4090, 4093, 4095, 4097, 8160)

_values = st.one_of(st.sampled_from(EDGES), st.integers(0, MASK))
_registers = st.one_of(st.integers(0, 31), st.sampled_from((0, 1, 5, 6, 7, 10, 11)))
_tame_targets = st.sampled_from((0, 1, 1, 5, 5, 6, 6, 7, 10, 10, 11, 11, 12, 13, 30))
_CSRS = (0xC00, 0xC01, 0xC02, 0xC03, 0x001, 0x300, 0x180, 0xC82, 0x7C0)


def touches_memory(insn: Insn) -> bool:
    """Whether the instruction loads or stores."""
    return any(isinstance(e, Store) or (isinstance(e, Let) and e.value.op == "load") for e in insn.effects)


def jumps(insn: Insn) -> bool:
    """Whether the instruction may jump."""
    return any(isinstance(effect, Jump) for effect in insn.effects)


TAME = tuple(
    insn.name
    for insn in TABLE.values()
    if "csr" not in insn.fields and insn.name not in ("ecall", "ebreak", "jalr", "fence.tso")
)

_RESERVING = tuple(name for name in TABLE if name.startswith(("lr.", "sc.")))
#: Everything that oracles do in the same way at any time: no counters (they have others) and no reservations.
PLAIN = tuple(insn.name for insn in TABLE.values() if "csr" not in insn.fields and insn.name not in _RESERVING)
WITHOUT_STORES = tuple(n for n in PLAIN if not any(isinstance(effect, Store) for effect in TABLE[n].effects))


@st.composite
def wild_words(draw: st.DrawFn, names: tuple[str, ...]) -> int:
    """One instruction word of those named, with any operands: it often traps."""
    insn = TABLE[draw(st.sampled_from(names))]
    return insn.encode(**{name: draw(_wild_field(insn, name)) for name in insn.fields})


@st.composite
def tame_words(draw: st.DrawFn, names: tuple[str, ...]) -> int:
    """One instruction word of those named (and of TAME) that lets the program go on."""
    insn = TABLE[draw(st.sampled_from(names))]
    return insn.encode(**{name: draw(_tame_field(insn, name)) for name in insn.fields})


def _any_value(insn: Insn, name: str) -> st.SearchStrategy[int]:
    low, high, multiple = insn.fields[name].bounds()
    return st.one_of(st.integers(low // multiple, high // multiple).map(lambda n: n * multiple), st.just(0))


def _wild_field(insn: Insn, name: str) -> st.SearchStrategy[int]:
    if name == "rs1" and touches_memory(insn):
        return st.one_of(st.sampled_from(POINTERS), _registers)
    if name in ("rd", "rs1", "rs2"):
        return _registers
    if name == "csr":
        return st.sampled_from(_CSRS)
    if name == "imm" and jumps(insn):
        return st.integers(-4, 12).map(lambda n: 2 * n)
    return _any_value(insn, name)


def _tame_field(insn: Insn, name: str) -> st.SearchStrategy[int]:
    if name == "rd":
        return _tame_targets
    if name == "rs1" and touches_memory(insn):
        return st.sampled_from(POINTERS[:2] if "aq" in insn.fields else POINTERS)
    if name in ("rs1", "rs2"):
        return _registers
    if name == "imm" and touches_memory(insn):
        return st.one_of(st.integers(0, 16), st.just(0))
    if name == "imm" and jumps(insn):
        return st.integers(1, 6).map(lambda n: 4 * n)
    return _any_value(insn, name)


@st.composite
def register_files(draw: st.DrawFn, data: int = DATA_VA) -> dict[int, int]:
    """Values for some of x1 to x31; POINTERS point into two pages of data at `data`."""
    values = {number: draw(_values) for number in (1, 5, 6, 7, 10, 11, 12, 13)}
    values |= {number: data + draw(st.sampled_from(ALIGNED_OFFSETS)) for number in POINTERS[:2]}
    return values | {number: data + draw(st.sampled_from(OFFSETS)) for number in POINTERS[2:]}


class Program(NamedTuple):
    """Words of code, and the registers to start with."""

    code: list[int]
    registers: dict[int, int]

    def __repr__(self) -> str:
        lines = [f"{CODE_VA + 4 * at:x}: {text(word, CODE_VA + 4 * at)}" for at, word in enumerate(self.code)]
        return "\n".join([*lines, *(f"x{number} = {value:#x}" for number, value in sorted(self.registers.items()))])


def _loop(body: list[int]) -> list[int]:
    """The body, again and again until COUNTER is 0."""
    back = i("bne", rs1=COUNTER, rs2=0, imm=-4 * (len(body) + 1))
    return [*body, i("addi", rd=COUNTER, rs1=COUNTER, imm=-1), back]


@st.composite
def programs(draw: st.DrawFn, names: tuple[str, ...] = tuple(TABLE), data: int = DATA_VA) -> Program:
    """Programs of the named instructions: a loop of tame words, then a few wild ones."""
    tame = tuple(name for name in names if name in TAME)
    body = draw(st.lists(tame_words(tame), min_size=draw(st.sampled_from((0, 5, 12))), max_size=30))
    tail = draw(st.lists(wild_words(names), max_size=6))
    registers = draw(register_files(data)) | {COUNTER: draw(st.integers(1, 8))}
    return Program([*_loop(body), *tail], registers)


#: How a run is cut into slices; the last one repeats.
slicings = st.lists(st.one_of(st.integers(1, 5), st.integers(1, 100)), min_size=1, max_size=8)
