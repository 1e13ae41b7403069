"""qemu-system-riscv64 as an oracle: one run of it executes many cases in U-mode under Sv39 tables of their own.

The board's RAM is a file that we fill before and read afterwards:

    RAM_BASE                the monitor, M-mode code written here with Insn.encode
    + DESCRIPTORS           one descriptor of 64 words for each case: in and out, laid out as a Hart's block
    + SLOTS                 SLOT bytes for each case: page tables, code, data

The monitor starts each case with an sfence.vma, a fence.i and no reservation, and runs it to its first trap,
whose cause and tval it writes behind the registers. A case that has not trapped after some 100,000 instructions
is ended by the timer; its cause is TIMER.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.oracles import need
from tests.vm.support import as_bytes, i
from vm.hart import PC, SATP, Hart
from vm.ram import RAM_BASE

#: qemu puts its device tree at 16 MiB; the cases lie below.
MEMORY = 32 << 20
DESCRIPTORS, SLOTS, SLOT = 0x1000, 0x10_0000, 0x2_0000
MOST_CASES = 110
_CAUSE, _TVAL = 40, 41
TIMER = 1 << 63 | 7
#: Timer ticks (of 100 instructions) that a case may take.
_TICKS = 1000
_END = (1 << 64) - 1

_MSTATUS, _MIE, _MTVEC, _MCOUNTEREN, _MSCRATCH, _MEPC = 0x300, 0x304, 0x305, 0x306, 0x340, 0x341
_MCAUSE, _MTVAL, _PMPCFG0, _PMPADDR0, _SATP, _SCOUNTEREN = 0x342, 0x343, 0x3A0, 0x3B0, 0x180, 0x106
_MRET, _SFENCE_VMA = 0x3020_0073, 0x1200_0073
_MTIME, _MTIMECMP, _POWER_OFF, _POWER = 0x200_BFF8, 0x200_4000, 0x5555, 0x10_0000


class Outcome(NamedTuple):
    """What a case came to: the cause and tval of its trap, its registers, and its slot's bytes."""

    cause: int
    tval: int
    hart: Hart
    slot: bytes


class Case(NamedTuple):
    """A hart ready to run and the bytes of its slot, which begins at slot_base(index of the case)."""

    hart: Hart
    slot: bytes


def slot_base(index: int) -> int:
    """The physical address of the slot of case number `index`."""
    return RAM_BASE + SLOTS + index * SLOT


def run(cases: Sequence[Case]) -> list[Outcome]:
    """Run the cases on one board, one after the other."""
    assert len(cases) <= MOST_CASES
    qemu = need("qemu-system-riscv64")
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "ram")
        with image.open("wb") as file:
            file.truncate(MEMORY)
            file.write(as_bytes(_monitor()))
            for index, case in enumerate(cases):
                file.seek(DESCRIPTORS + index * 512)
                file.write(case.hart.save())
                file.seek(SLOTS + index * SLOT)
                file.write(case.slot)
            file.seek(DESCRIPTORS + len(cases) * 512 + 8 * PC)
            file.write(_END.to_bytes(8, "little"))
        _start(qemu, image)
        return _outcomes(image, len(cases))


def _start(qemu: str, image: Path) -> None:
    ram = f"memory-backend-file,id=ram,size={MEMORY},mem-path={image},share=on"
    cpu = "rv64,c=false,f=false,d=false,h=false,v=false,Zihintpause=false,sstc=false"
    board = ["-machine", "virt,memory-backend=ram", "-object", ram, "-m", f"{MEMORY >> 20}M", "-cpu", cpu]
    quiet = ["-bios", "none", "-nodefaults", "-display", "none", "-icount", "shift=0"]
    subprocess.run([qemu, *board, *quiet], check=True, timeout=30, stdin=subprocess.DEVNULL)


def _outcomes(image: Path, count: int) -> list[Outcome]:
    ram = image.read_bytes()
    found = []
    for index in range(count):
        hart = Hart(ram[DESCRIPTORS + index * 512 : DESCRIPTORS + index * 512 + 512])
        start = SLOTS + index * SLOT
        found.append(Outcome(hart.x[_CAUSE], hart.x[_TVAL], hart, ram[start : start + SLOT]))
        hart.x[_CAUSE] = hart.x[_TVAL] = 0
    return found


def _csrw(csr: int, rs1: int) -> int:
    return i("csrrw", rd=0, csr=csr, rs1=rs1)


def _csrr(rd: int, csr: int) -> int:
    return i("csrrs", rd=rd, csr=csr, rs1=0)


def _word(number: int) -> int:
    """The offset of a word of a descriptor."""
    return number * 8


def _monitor() -> list[int]:
    """The machine-mode program. x31 holds the descriptor whenever a case does not run."""
    start = [
        i("auipc", rd=31, imm=DESCRIPTORS),
        i("auipc", rd=5, imm=0),
        i("addi", rd=5, rs1=5, imm=0),  # patched below: the trap handler
        _csrw(_MTVEC, 5),
        i("addi", rd=5, rs1=0, imm=-1),
        _csrw(_PMPADDR0, 5),
        i("addi", rd=5, rs1=0, imm=0x1F),
        _csrw(_PMPCFG0, 5),
        i("addi", rd=5, rs1=0, imm=7),
        _csrw(_MCOUNTEREN, 5),
        _csrw(_SCOUNTEREN, 5),
        i("addi", rd=5, rs1=0, imm=0x80),
        _csrw(_MIE, 5),
    ]
    next_case = [
        i("ld", rd=5, rs1=31, imm=_word(PC)),
        i("addi", rd=6, rs1=0, imm=-1),
        i("bne", rs1=5, rs2=6, imm=0x14),
        i("lui", rd=5, imm=_POWER),
        i("lui", rd=6, imm=0x5000),
        i("addi", rd=6, rs1=6, imm=_POWER_OFF - 0x5000),
        i("sw", rs1=5, rs2=6, imm=0),
        _csrw(_MEPC, 5),
        i("ld", rd=5, rs1=31, imm=_word(SATP)),
        _csrw(_SATP, 5),
        _SFENCE_VMA,
        i("fence.i"),
        i("sc.d", rd=0, rs1=31, rs2=0),  # without lr: fails, and no reservation is left
        i("lui", rd=5, imm=_MTIME + 0x1000 & ~0xFFF),
        i("ld", rd=6, rs1=5, imm=_MTIME - (_MTIME + 0x1000 & ~0xFFF)),
        i("addi", rd=6, rs1=6, imm=_TICKS),
        i("lui", rd=5, imm=_MTIMECMP),
        i("sd", rs1=5, rs2=6, imm=0),
        i("lui", rd=5, imm=0x2000),
        i("addi", rd=5, rs1=5, imm=-0x800),
        i("csrrc", rd=0, csr=_MSTATUS, rs1=5),  # MPP = U
        _csrw(_MSCRATCH, 31),
        *(i("ld", rd=n, rs1=31, imm=_word(n)) for n in range(1, 32)),
        _MRET,
    ]
    trap = [
        i("csrrw", rd=31, csr=_MSCRATCH, rs1=31),
        *(i("sd", rs1=31, rs2=n, imm=_word(n)) for n in range(1, 31)),
        _csrr(5, _MSCRATCH),
        i("sd", rs1=31, rs2=5, imm=_word(31)),
    ]
    for csr, place in ((_MEPC, PC), (_MCAUSE, _CAUSE), (_MTVAL, _TVAL)):
        trap += [_csrr(5, csr), i("sd", rs1=31, rs2=5, imm=_word(place))]
    trap += [i("addi", rd=31, rs1=31, imm=512)]
    start[2] = i("addi", rd=5, rs1=5, imm=4 * (len(start) + len(next_case)) - 4)
    return [*start, *next_case, *trap, i("jal", rd=0, imm=-4 * (len(next_case) + len(trap)))]
