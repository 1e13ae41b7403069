"""What the tests of the machine are made with: instruction words, page tables, a small machine, its whole state.

No assembler: a program is a list of words, `i("addi", rd=5, rs1=0, imm=1)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.eager import eager
from vm import engine_python
from vm.hart import PC, SATP, Hart
from vm.isa import TABLE
from vm.machine import Machine
from vm.mmu import PTE_R, PTE_U, PTE_V, PTE_W, PTE_X, make_pte, make_satp, ppn_of
from vm.ram import PAGE, RAM_BASE, Ram
from vm.trap import Exit

CODE_VA = 0x10000
DATA_VA = 0x20000
FIRST_PPN = RAM_BASE >> 12
USER = PTE_V | PTE_U
RX, RW, RWX, R = USER | PTE_R | PTE_X, USER | PTE_R | PTE_W, USER | PTE_R | PTE_W | PTE_X, USER | PTE_R
MASK = (1 << 64) - 1


def i(name: str, **fields: int) -> int:
    """One instruction word: i("addi", rd=1, rs1=2, imm=-1)."""
    return TABLE[name].encode(**fields)


ECALL, EBREAK, NOP = i("ecall"), i("ebreak"), i("addi")
#: No instruction: the word that the manual keeps illegal for ever.
ILLEGAL = 0


def li(rd: int, value: int) -> list[int]:
    """Words that load any 64-bit value: 8 bits at a time, long but plain."""
    words = [i("addi", rd=rd, rs1=0, imm=0)]
    for shift in range(56, -8, -8):
        words += [i("slli", rd=rd, rs1=rd, shamt=8), i("ori", rd=rd, rs1=rd, imm=value >> shift & 0xFF)]
    return words


def as_bytes(words: Iterable[int]) -> bytes:
    """Instruction words as they lie in memory."""
    return b"".join(word.to_bytes(4, "little") for word in words)


class Pages:
    """Hands out frames of a RAM, first to last, and builds Sv39 tables in them."""

    def __init__(self, ram: Ram, first_ppn: int = FIRST_PPN) -> None:
        self.ram, self.next = ram, first_ppn

    def frame(self, content: bytes = b"") -> int:
        """A new frame that begins with `content`; its ppn."""
        ppn, self.next = self.next, self.next + 1
        if content:
            self.ram.write(ppn << 12, content)
        return ppn

    def entry(self, root: int, va: int, level: int = 0) -> int:
        """The physical address of the PTE for `va` at `level`; tables on the way are made."""
        table = root
        for above in range(2, level, -1):
            at = self._slot(table, va, above)
            if not self.ram.read64(at):
                self.ram.write64(at, make_pte(self.frame(), PTE_V))
            table = ppn_of(self.ram.read64(at))
        return self._slot(table, va, level)

    def map(self, root: int, va: int, ppn: int, flags: int, level: int = 0) -> int:
        """Map the page (or superpage, at level 1 or 2) at `va` to `ppn`; the PTE's physical address."""
        at = self.entry(root, va, level)
        self.ram.write64(at, make_pte(ppn, flags))
        return at

    @staticmethod
    def _slot(table: int, va: int, level: int) -> int:
        return (table << 12) + (va >> 12 + 9 * level & 511) * 8


class Board:
    """A machine with one address space: code at CODE_VA (r-x), `data_pages` of data at DATA_VA (rw-), and a hart."""

    def __init__(
        self,
        code: Sequence[int],
        data_pages: int = 2,
        memory: int = 1 << 20,
        code_flags: int = RX,
        registers: dict[int, int] | None = None,
        asid: int = 1,
        engine: str = "auto",
    ) -> None:
        self.machine = Machine(memory, engine)
        self.ram = self.machine.ram
        self.pages = Pages(self.ram)
        self.root = self.pages.frame()
        self.asid = asid
        text = as_bytes(code)
        self.code_ppn = self.pages.next
        for start in range(0, max(len(text), 1), PAGE):
            ppn = self.pages.frame(text[start : start + PAGE])
            self.map(CODE_VA + start, ppn, code_flags)
        self.data_ppns = [self.pages.frame() for _ in range(data_pages)]
        for index, ppn in enumerate(self.data_ppns):
            self.map(DATA_VA + index * PAGE, ppn, RW)
        self.hart = self.new_hart(registers or {})

    def new_hart(self, registers: dict[int, int] | None = None, pc: int = CODE_VA) -> Hart:
        """A hart in this address space."""
        hart = Hart()
        hart.pc, hart.satp = pc, make_satp(self.asid, self.root)
        for number, value in (registers or {}).items():
            hart.x[number] = value & MASK
        return hart

    def map(self, va: int, ppn: int, flags: int, level: int = 0) -> int:
        """Map a page in the board's address space; where its PTE lies. Changing a valid PTE needs sfence too."""
        return self.pages.map(self.root, va, ppn, flags, level)

    def pte(self, va: int) -> int:
        """The PTE of a 4 KiB page."""
        return self.ram.read64(self.pages.entry(self.root, va))

    def run(self, budget: int = 10_000) -> Exit:
        """Run the hart."""
        return self.machine.run(self.hart, budget)

    def state(self) -> str:
        """A digest of everything that a guest can see."""
        return state(self.machine, self.hart)


def state(machine: Machine, *harts: Hart) -> str:
    """A digest of everything that a guest can see: RAM, registers, clock and retired count."""
    digest = hashlib.sha256(machine.ram.bytes)
    for hart in harts:
        digest.update(hart.save())
    digest.update(f"{machine.clock} {machine.retired}".encode())
    return digest.hexdigest()


def registers_of(hart: Hart) -> dict[str, int]:
    """The registers by name, for comparing with a readable difference."""
    return {**{f"x{n}": hart.x[n] for n in range(32)}, "pc": hart.x[PC], "satp": hart.x[SATP]}


Example = TypeVar("Example")


def examples(strategy: st.SearchStrategy[Example], count: int) -> list[Example]:
    """`count` examples (more in the nightly profile, by as much as its max_examples), for an oracle that runs many."""
    found: list[Example] = []
    count = count * settings.default.max_examples // 60 if settings.default.max_examples > 60 else count

    @settings(max_examples=count, phases=(Phase.generate,), database=None)
    @given(strategy)
    def collect(example: Example) -> None:
        found.append(example)

    collect()
    return found


def batched(items: Sequence[Example], size: int) -> list[Sequence[Example]]:
    """The items in runs of at most `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


#: When code is compiled: at once, after a few rounds, or never (one handler after the other).
HEAT = {"hot": 1, "warm": 3, "cold": 1 << 60}


@pytest.fixture(params=list(HEAT))
def heat(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test with blocks compiled at once, after a few rounds, and never."""
    monkeypatch.setattr(engine_python, "HOT", HEAT[request.param])
    return str(request.param)


@pytest.fixture(scope="module", name="eager")
def regions_at_once() -> Iterator[None]:
    """Regions are made when a jump is taken for the second time."""
    with eager(2):
        yield
