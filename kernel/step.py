"""The stepping runner: one instruction at a time, each an event. Used only while somebody listens to `Insn`.

It runs the same instructions with the same budget as one call of Machine.run would, so that nothing else changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.events import Insn
from vm.mmu import PageFault
from vm.ram import PAGE
from vm.trap import Exit

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


def run(k: Kernel, t: Task, budget: int) -> Exit:
    """Like `k.machine.run(t.hart, budget)`, with an Insn event for each instruction that retires."""
    for done in range(budget):
        stopped = _one(k, t)
        if stopped.trap is not None:
            return Exit(done, stopped.trap)
    return Exit(budget, None)


def _one(k: Kernel, t: Task) -> Exit:
    machine, hart = k.machine, t.hart
    pc, word = hart.pc, machine.instruction(hart) or 0
    registers = hart.x[:32].tolist()
    stores = [(va, size, _peek(k, t, va, size)) for kind, va, size in machine.accesses(hart) if kind == "store"]
    stopped = machine.run(hart, 1)
    if stopped.trap is None:
        now = hart.x[:32].tolist()
        changed = tuple((n, registers[n], now[n]) for n in range(32) if registers[n] != now[n])
        memory = tuple((va, size, old, _peek(k, t, va, size)) for va, size, old in stores)
        k.events.emit(Insn(machine.retired, t.tid, pc, word, changed, memory))
    return stopped


def _peek(k: Kernel, t: Task, va: int, size: int) -> int:
    """What is at `va` now, as a little-endian number, seen without touching A bits or the TLB.

    0 if it isn't mapped: the instruction is going to trap then.
    """
    data = b""
    try:
        while len(data) < size:
            at = va + len(data)
            step = min(size - len(data), PAGE - at % PAGE)
            data += k.machine.ram.read(k.machine.mmu.check(t.hart.satp, at, "load"), step)
    except PageFault:
        return 0
    return int.from_bytes(data, "little")
