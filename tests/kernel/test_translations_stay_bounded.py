"""New code without end, and processes without end: what the llvm engine keeps of them stays bounded."""

from __future__ import annotations

from pathlib import Path
from resource import getpagesize

import pytest

from kernel.kernel import Kernel
from tests.eager import eager
from tests.kernel.engines import END, HOT, START, Kept, copy
from tests.kernel.machines import assemble, machine
from vm.isa import TABLE
from vm.native import code, worker

PROGRAMS = 8


def new_code(rounds: int) -> str:
    """Maps a page, writes a loop there that adds 0 to 15, runs it and unmaps the page, again and again."""
    return f"""{START}
        li      s5, {rounds}
again:  li      a0, 0
        li      a1, 4096
        li      a2, 7
        li      a3, 0x22
        li      a4, -1
        li      a5, 0
        sys     222
        mv      s2, a0
        j       p0
p0_source:
        addi    t1, t1, 0
        xor     t1, t1, t0
        addi    t0, t0, -1
        bnez    t0, p0_source
        ret
p0:     {copy(0, 5)}
        lw      t2, 0(s2)
        andi    t3, s5, 15
        slli    t3, t3, 20
        addw    t2, t2, t3
        sw      t2, 0(s2)
        fence.i
        li      t0, 16
        li      t1, 0
        jalr    s2
        mix     t1
        mv      a0, s2
        li      a1, 4096
        sys     215
        addi    s5, s5, -1
        bnez    s5, again
{END}"""


def processes(rounds: int) -> str:
    """Forks, the child executes /bin/p0 to /bin/p7 in turn; mixes what each returns."""
    return f"""{START}
        .data
path:   .asciz  "/bin/p0"
        .text
        li      s5, {rounds}
again:  fork
        bnez    a0, parent
        la      a0, path
        andi    t0, s5, {PROGRAMS - 1}
        addi    t0, t0, 48
        sb      t0, 6(a0)
        li      a1, 0
        li      a2, 0
        sys     221
parent: li      a0, -1
        la      a1, status
        li      a2, 0
        li      a3, 0
        sys     260
        la      a1, status
        lwu     t0, 0(a1)
        mix     t0
        addi    s5, s5, -1
        bnez    s5, again
{END}"""


def child(number: int) -> bytes:
    """A hot loop that returns something of its own."""
    text = (
        f"_start: li t0, 20\n1: addi a0, a0, {number + 1}\n addi t0, t0, -1\n bnez t0, 1b\n andi a0, a0, 127\n sys 94"
    )
    return assemble(text)


def run(text: str, name: str) -> Kernel:
    files = {"test": assemble(text)} | {f"p{number}": child(number) for number in range(PROGRAMS)}
    k = machine(files, [b"test"], engine=name, objects=Kept(), memory=4 << 20)
    assert k.run().kind == "exited"
    return k


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


@pytest.mark.parametrize(
    "text, least, most",
    [(new_code(1000), 100, 2000), (processes(150), PROGRAMS, 3 * PROGRAMS)],
    ids=["new code", "processes"],
)
def test_what_is_gone_leaves_no_translations(text: str, least: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that were executed before run the translations that are there: those are few."""
    monkeypatch.setattr(code, "MOST_LINKED", 50)
    with eager(HOT):
        native = run(text, "llvm")
    assert native.door.output == run(text, "python").door.output
    assert least <= native.machine.stats["regions"] <= most
    assert native.machine.stats["regions_in_use"] <= 2 * PROGRAMS


def test_no_machine_keeps_an_old_linker_of_llvm_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hot loops, one after the other; between them another machine makes LLVM's linker old."""
    loop = "li t0, 2000\n1: addi t0, t0, -1\n bnez t0, 1b"
    monkeypatch.setattr(code, "MOST_LINKED", 50)
    with eager(HOT):
        first = machine(
            {"test": assemble(f"_start: {loop}\n sys 172\n {loop}\n exit 0")}, [b"test"], engine="llvm", objects=Kept()
        )
        assert first.run(until=3000).kind == "paused"
        assert first.machine.stats["regions_in_use"] == 1
        assert run(new_code(100), "llvm").machine.stats["regions"] > 50
        assert first.machine.stats["regions_in_use"] == 1
        assert first.run(until=6000).kind == "paused"
        assert first.machine.stats["regions_in_use"] == 1, "the first loop's region should be gone with its linker"
        assert first.run().kind == "exited"


def test_what_llvms_linker_keeps_of_dead_regions_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps 10 KiB of each of these 2000."""
    loop = TABLE["addi"].encode(rd=5, rs1=5, imm=1) | TABLE["jal"].encode(rd=0, imm=-4) << 32
    region = worker.translate(worker.Request(0, {0: loop.to_bytes(4096, "little")}, {}, False))
    assert region is not None
    monkeypatch.setattr(code, "MOST_LINKED", 100)
    native, before = code.native(None, False), 0
    for number in range(2300):
        before = resident() if number == 300 else before
        native.install(region.image, region.plain, 0)
    assert resident() - before < 8 << 20


@pytest.mark.nightly
@pytest.mark.parametrize(
    "text, longer",
    [(new_code(5000), new_code(20_000)), (processes(500), processes(10_000))],
    ids=["code", "processes"],
)
def test_the_host_needs_no_more_memory_for_many_than_for_few(text: str, longer: str) -> None:
    with eager(HOT):
        run(text, "llvm")
        before = resident()
        k = run(longer, "llvm")
    assert k.machine.stats["regions_in_use"] <= 2 * PROGRAMS
    assert resident() - before < 48 << 20
