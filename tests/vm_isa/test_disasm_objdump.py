"""Does the disassembler agree with `objdump -M no-aliases` on what is an instruction, and on its text?

The words sample every opcode, funct3 and funct7, not only those that our table knows. They stand in an object whose
attributes say rv64ima_zicsr_zifencei, so that objdump decodes no other extension.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from asm.assemble import assemble
from asm.elf_object import write
from tests.oracles import need
from vm import disasm
from vm.isa import TABLE

ARCH = '.attribute arch, "rv64i2p1_m2p0_a2p1_zicsr2p0_zifencei2p0"\n'

JUMPS = (0x63, 0x6F)  # opcodes of branches and jal

#: Where we differ on purpose, as (mask, match): instructions of privileged modes, which this user-mode machine does
#: not have (Privileged, "Trap-Return Instructions", "WFI", "SFENCE.VMA"; uret, dret and sfence.vm are of drafts and
#: the debug manual).
PRIVILEGED = (
    (0xFFFFFFFF, 0x00200073),  # uret
    (0xFFFFFFFF, 0x10200073),  # sret
    (0xFFFFFFFF, 0x30200073),  # mret
    (0xFFFFFFFF, 0x7B200073),  # dret
    (0xFFFFFFFF, 0x10500073),  # wfi
    (0xFFF07FFF, 0x10400073),  # sfence.vm
    (0xFE007FFF, 0x12000073),  # sfence.vma
)


def sampled() -> Iterator[int]:
    """Words of 32 bits: all opcodes with all funct3 and many funct7, random elsewhere; and each instruction,
    disturbed.
    """
    chance = random.Random(20240806)
    for opcode in range(3, 128, 4):
        if opcode & 0x1F == 0x1F:
            continue  # longer than 32 bits
        for funct3 in range(8):
            for funct7 in range(128):
                yield opcode | funct3 << 12 | funct7 << 25 | (chance.getrandbits(18) << 7 & 0x1FF8F80)
    for insn in TABLE.values():
        for _ in range(20):
            free = chance.getrandbits(32) & ~insn.mask
            yield insn.match | free
            yield (insn.match | free) ^ 1 << chance.randrange(2, 32)
            yield insn.match ^ 1 << chance.randrange(2, 32)
        yield insn.match
    for _ in range(3000):
        yield chance.getrandbits(32) | 3


def disassembled(words: list[int], folder: Path) -> dict[int, str]:
    """objdump's text for the word at each address."""
    made = folder / "words.o"
    text = ARCH + ".text\n" + "".join(f".word {word:#x}\n" for word in words)
    made.write_bytes(write(assemble(text, "words.s")))
    command = [need("riscv64-linux-gnu-objdump"), "-d", "-M", "no-aliases", "--no-show-raw-insn", "-z", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[int, str] = {}
    for line in done.stdout.splitlines():
        address, _, rest = line.strip().partition(":\t")
        if rest:
            found[int(address, 16)] = rest.partition("#")[0].partition("<")[0].strip().replace("\t", " ")
    return found


@pytest.fixture(scope="module")
def words() -> list[int]:
    return [word for word in sampled() if word & 0x1F != 0x1F]


def test_random_words_are_disassembled_as_by_objdump(words: list[int], tmp_path: Path) -> None:
    expected = disassembled(words, tmp_path)
    assert len(expected) == len(words)
    wrong = []
    for index, word in enumerate(words):
        text = disasm.text(word, 4 * index).partition("#")[0].partition("<")[0].strip().replace("\t", " ")
        if word & 0x7F in JUMPS:
            text = text.replace(
                ",0x", ","
            )  # objdump's targets are hexadecimal without a sign of it; ours can be assembled
        if text != expected[4 * index] and not any(word & mask == match for mask, match in PRIVILEGED):
            wrong.append(f"{word:#010x}: {text!r}, objdump {expected[4 * index]!r}")
    assert not wrong, f"{len(wrong)} of {len(words)}: " + "\n".join(wrong[:30])


def test_what_we_assemble_is_what_we_disassemble() -> None:
    chance = random.Random(1)
    for insn in TABLE.values():
        for _ in range(20):
            word = insn.match | chance.getrandbits(32) & ~insn.mask
            text = disasm.text(word, 0x1000)
            if text.startswith("fence ") or ".4byte" in text:
                continue  # sets of accesses that no source can say, and reserved fields
            if insn.match & 0x7F in JUMPS:
                continue  # a target is an absolute address: in an object that is a relocation, not a field
            made = bytes(assemble(text + "\n", "one.s").sections[0].data)
            assert int.from_bytes(made[:4], "little") == word, text
